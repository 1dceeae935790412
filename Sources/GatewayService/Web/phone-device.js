// Calls of the device API: each with a fresh proof, and once more when only the clock was wrong.

import { call, send } from "./api.js";
import { learnTime } from "./phone-clock.js";
import { requestProof } from "./phone-proofs.js";

/** Replies `{status, body}`. */
export function asDevice(account, method, path = "", options = {}) {
  return proven(account, method, path, options, call);
}

/** The open event stream. */
export function deviceEvents(account, signal) {
  return proven(account, "GET", "/events", { signal, headers: { Accept: "text/event-stream" } }, send);
}

async function proven(account, method, path, { body, headers = {}, signal }, perform) {
  const place = `devices/${encodeURIComponent(account.id)}${path}`;
  const url = `${account.server}/v1/${account.tenant}/${place}`;
  const attempt = async () => {
    // The proof covers the bytes that are sent: the same text of the same value.
    const proof = await requestProof(account, method, url, body === undefined ? undefined : JSON.stringify(body));
    return withoutCookies(perform, account, method, place, { body, headers: { ...headers, Authorization: `DeviceProof ${proof}` }, signal });
  };
  try {
    return await attempt();
  } catch (problem) {
    if (problem.code !== "clock_skew") throw problem;
    return attempt();
  }
}

/** A phone proves itself; whoever is signed in to this browser is somebody else. Learns the server's time from every reply. */
export async function withoutCookies(perform, { tenant }, method, path, options) {
  try {
    const reply = await perform(method, path, { ...options, of: tenant, credentials: "omit" });
    learnTime("date" in reply ? reply.date : reply.headers.get("Date"));
    return reply;
  } catch (problem) {
    learnTime(problem.date);
    throw problem;
  }
}
