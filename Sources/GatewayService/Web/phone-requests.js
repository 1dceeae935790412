// The requests that wait for this phone. One tab, the one that was looked at last, listens to the server and tells the others.

import { pauseFor, Problem } from "./api.js";
import { plain } from "./activation-link.js";
import { readEvents } from "./events.js";
import { accountOf, allAccounts, change, forget, onAccounts, refresh } from "./phone-accounts.js";
import { now } from "./phone-clock.js";
import { asDevice, deviceEvents } from "./phone-device.js";
import { bytesOf, digest } from "./phone-proofs.js";

/** Browsers hold six connections to an origin that speaks HTTP/1.1: some stay free for answers and for other tabs. */
const streamsMax = 3;
/** How often accounts beyond those are asked about. */
const askEvery = 30_000;
/** How often a page that is seen asks what the policy allows: no event tells. */
const refreshEvery = 120_000;
/** A stream that ends sooner counts as a failure, so that one which ends at once does not make the phone spin. */
const healthyStream = 5000;
const pauseMin = 500;
const pauseMax = 30_000;
const rememberedMax = 256;
const numberDigitsMax = 10;

const listening = "countersign.authenticator.listening";
const tabs = new BroadcastChannel("countersign.authenticator.requests");
const listeners = [];
const requests = new Map();
/** Ids of what has ended: a list that was read before, and comes after, must not bring it back. */
const ended = new Set();
/** Ids of what this phone has approved itself, in whatever tab. */
const approved = new Set();
let isConnected = true;

/** `{id, account, purpose, content, digest, expiresAt, lifetime}`, oldest first; times in milliseconds of the server. */
export const openRequests = () => [...requests.values()].filter((request) => request.expiresAt > now());
export const requestOf = (id) => requests.get(id) ?? null;
export const isReachable = () => isConnected && navigator.onLine;

/** Calls back with `{arrived: request}`, `{ended: request, status}` or `{}` when the connection came or went. A status of the server, or
 *  elsewhere: approved without this phone. */
export function onRequests(listener) {
  listeners.push(listener);
}

function notify(event) {
  for (const listener of listeners) listener(event);
}

// ---- what becomes of requests

/** A message of this tab or another: `{account, challenge}`, `{answered, isApproval}`, `{settled, status}`, `{isConnected}`. */
async function take(message) {
  if (message.challenge) await arrive(message.account, message.challenge);
  if (message.answered && message.isApproval) remember(approved, message.answered);
  if (message.answered && !message.isApproval) approved.delete(message.answered);
  if (message.settled) end(message.settled, message.status);
  if ("isConnected" in message) {
    isConnected = message.isConnected;
    notify({});
  }
}

async function tell(message) {
  tabs.postMessage(message);
  await take(message);
}

/** Says in every tab what this phone answers, before it is sent: that a request was approved is told with no word of who did it. */
export const answered = (id, isApproval) => tell({ answered: id, isApproval });

/** Says in every tab that a request needs no answer any more. */
export const settled = (id, status) => tell({ settled: id, status });

async function arrive(accountID, challenge) {
  const account = accountOf(accountID);
  if (!account || ended.has(challenge.id) || requests.has(challenge.id)) return;
  const request = await readRequest(challenge, account);
  if (!request || ended.has(request.id) || requests.has(request.id)) return;
  requests.set(request.id, request);
  notify({ arrived: request });
}

function remember(ids, id) {
  ids.add(id);
  if (ids.size > rememberedMax) ids.delete(ids.values().next().value);
}

function end(id, status) {
  remember(ended, id);
  const request = requests.get(id);
  if (!request) return;
  requests.delete(id);
  notify({ ended: request, status: status === "approved" && !approved.has(id) ? "elsewhere" : status });
}

/** Null for one that cannot be shown, or is not this account's: nobody shall see one thing and sign another. */
async function readRequest({ id, purpose, content: encoded, expiresAt }, account) {
  try {
    const bytes = bytesOf(encoded);
    const content = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const isNumber = Number.isInteger(content.numberDigits) && content.numberDigits >= 1 && content.numberDigits <= numberDigitsMax;
    if (content.id !== id || content.tenant !== account.tenant || !isNumber) return null;
    for (const name of ["user", "application", "location", "ipAddress", "userAgent"]) {
      if (content[name] !== null) content[name] = plain(content[name]);
    }
    const ends = Date.parse(expiresAt);
    return { id, account: account.id, purpose, content, digest: await digest(bytes), expiresAt: ends, lifetime: ends - Date.parse(content.issuedAt) };
  } catch {
    return null;
  }
}

/** Asks the server for what is open. Throws a Problem. */
export async function ask(account) {
  // What an event brings while the list is read is not in it, and open all the same.
  const before = [...requests.values()].filter((request) => request.account === account.id);
  const { body } = await asDevice(account, "GET", "/challenges");
  const open = new Set(body.challenges.map(({ id }) => id));
  for (const { id } of before) if (!open.has(id)) end(id, "gone");
  for (const challenge of body.challenges) await arrive(account.id, challenge);
  if (account.state === "blocked") {
    await change(account.id, { state: "active" });
    pauses.get(account.id)?.abort();
  }
}

/** Asks for every account, and what else may have changed meanwhile. Replies the first Problem of those that got in the way, or null. */
export async function askAll() {
  const problems = await Promise.all(allAccounts().filter(({ state }) => state !== "removed").map(async (account) => {
    try {
      await ask(account);
      await refresh(account);
    } catch (problem) {
      await learn(account, problem);
      return problem;
    }
  }));
  return problems.find(Boolean) ?? null;
}

function endAll(account, status) {
  for (const request of openRequests()) if (request.account === account.id) end(request.id, status);
}

/** What a refusal says of the account itself. True when it has lost its right for good. */
export async function learn(account, problem) {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401 && problem.code !== "clock_skew") {
    endAll(account, "gone");
    if (account.state === "awaitingConfirmation") await forget(account.id);
    else await change(account.id, { state: "removed" });
    return true;
  }
  if (problem.status === 403 && account.state !== "awaitingConfirmation") {
    await change(account.id, { state: "blocked" });
    // Said by the server itself, and not by something on the way: nothing of it can be answered any more.
    if (problem.code === "refused") endAll(account, "blocked");
  }
  return false;
}

// ---- listening

let leading = null;
let queue = null;
/** The pauses before streams are opened again, those that come next among them, by account: one that may listen again does so at once. */
const pauses = new Map();

/** Call when the page opens and whenever it is seen again. */
export function takeOver() {
  if (leading) return;
  queue?.abort();
  listenWhileLocked({ steal: true });
}

/** Until another tab takes over; then again when that one has closed. */
async function listenWhileLocked(options) {
  const mine = new AbortController();
  await navigator.locks.request(listening, options, () => {
    leading = mine;
    return followAll(mine.signal);
  }).catch(() => {});
  mine.abort();
  if (leading !== mine) return;
  leading = null;
  queue = new AbortController();
  listenWhileLocked({ signal: queue.signal });
}

function followAll(signal) {
  return new Promise((resolve) => {
    const streams = new Map();
    const adjust = (accounts) => {
      if (signal.aborted) return;
      const wanted = accounts.filter(({ state }) => state !== "removed").slice(0, streamsMax).map(({ id }) => id);
      for (const [id, stream] of streams) {
        if (!wanted.includes(id)) { stream.abort(); streams.delete(id); }
      }
      for (const id of wanted.filter((id) => !streams.has(id))) {
        streams.set(id, new AbortController());
        follow(id, AbortSignal.any([signal, streams.get(id).signal]));
      }
    };
    const beyond = setInterval(() => {
      for (const account of allAccounts().slice(streamsMax)) ask(account).catch((problem) => learn(account, problem));
    }, askEvery);
    const allowed = setInterval(() => {
      if (document.visibilityState === "visible") for (const account of allAccounts()) refreshSoon(account);
    }, refreshEvery);
    const forgetMe = onAccounts(adjust);
    signal.addEventListener("abort", () => { clearInterval(beyond); clearInterval(allowed); forgetMe(); resolve(); });
    adjust(allAccounts());
  });
}

/** Not worth a word where it fails: it is asked again. */
const refreshSoon = (account) => refresh(account).catch(() => {});

/** One account's stream, opened again whenever it ends, after a pause that doubles with each failure. */
async function follow(id, signal) {
  let failures = 0;
  while (!signal.aborted && accountOf(id)) {
    const opened = Date.now();
    const pause = new AbortController();
    pauses.set(id, pause);
    let wish = 0;
    try {
      const reply = await deviceEvents(accountOf(id), signal);
      await tell({ isConnected: true });
      // What ended while nobody listened is not told again.
      ask(accountOf(id)).catch(() => {});
      await readEvents(reply, signal, (name, data) => {
        if (name === "challenge") {
          tell({ account: id, challenge: data });
          // What asks is a password's second step, perhaps, because phone sign-in is not allowed any more.
          refreshSoon(accountOf(id));
        }
        if (name === "settled") settled(data.id, data.status);
      });
    } catch (problem) {
      if (problem.kind === "stopped") return;
      const account = accountOf(id);
      if (account && await learn(account, problem)) return;
      if (problem.kind === "offline" || problem.status >= 500) await tell({ isConnected: false });
      wish = problem.status === 403 ? pauseMax : problem.retryAfter * 1000;
    }
    failures = Date.now() - opened >= healthyStream ? 1 : failures + 1;
    const step = Math.min(pauseMax, pauseMin * 2 ** Math.min(failures - 1, 16));
    // At least half of the step, so that thousands of phones neither spin nor come back in step.
    await pauseFor(Math.max(wish, step / 2 + (step / 2) * Math.random()), AbortSignal.any([signal, pause.signal])).catch(() => {});
  }
}

tabs.addEventListener("message", ({ data }) => take(data));
addEventListener("offline", () => notify({}));
