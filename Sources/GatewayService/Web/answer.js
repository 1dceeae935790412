// Waits for the answer to a sign-in request: by its event stream, and where that fails by long polls.

import { call, persistently, send } from "./api.js";
import { readEvents } from "./events.js";

/** The status once it is no longer pending. Throws a Problem: `stopped`, or what the server says about the request itself. */
export async function answerTo(request, signal) {
  const headers = { "Sign-In-Secret": request.secret };
  const path = `sign-ins/${encodeURIComponent(request.id)}`;
  try {
    const status = await streamed(path, headers, signal);
    if (status) return status;
  } catch (problem) {
    if (signal.aborted || (problem.kind === "refused" && problem.status < 500)) throw problem;
  }
  for (;;) {
    const { body } = await persistently(() => call("GET", `${path}?wait=25`, { headers, signal, wait: 25 }), signal);
    if (body.status !== "pending") return body;
  }
}

/** Null when the stream ends, or falls silent, before the answer. */
async function streamed(path, headers, signal) {
  const reply = await send("GET", `${path}/events`, { headers: { ...headers, Accept: "text/event-stream" }, signal });
  let settled = null;
  await readEvents(reply, signal, (name, status) => {
    if (status.status !== "pending") settled = status;
    return settled !== null;
  });
  return settled;
}
