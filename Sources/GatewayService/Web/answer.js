// Waits for the answer to a sign-in request: by its event stream, and where that fails by long polls.

import { call, persistently, send } from "./api.js";
import { readEvents } from "./events.js";

/** How many seconds the server holds a poll that has nothing to say. */
const pollWait = 25;

/** The status once it is no longer pending. Throws a Problem: `stopped`, or what the server says about the request itself.
 *  `heard(isReached)` is told when the server cannot be reached any more, and when it can again. */
export async function answerTo(request, signal, heard) {
  const headers = { "Sign-In-Secret": request.secret };
  const path = `sign-ins/${encodeURIComponent(request.id)}`;
  try {
    const status = await streamed(path, headers, signal, heard);
    if (status) return status;
  } catch (problem) {
    if (signal.aborted || (problem.kind === "refused" && problem.status < 500)) throw problem;
  }
  // After a failure the server answers at once, so that the page knows that it is there.
  let wait = pollWait;
  const poll = async () => {
    try {
      const { body } = await call("GET", `${path}?wait=${wait}`, { headers, signal, wait });
      wait = pollWait;
      heard(true);
      return body;
    } catch (problem) {
      wait = 0;
      if (problem.kind === "offline") heard(false);
      throw problem;
    }
  };
  for (;;) {
    const status = await persistently(poll, signal);
    if (status.status !== "pending") return status;
  }
}

/** Null when the stream ends, or falls silent, before the answer. */
async function streamed(path, headers, signal, heard) {
  const reply = await send("GET", `${path}/events`, { headers: { ...headers, Accept: "text/event-stream" }, signal });
  heard(true);
  let settled = null;
  await readEvents(reply, signal, (name, status) => {
    if (status.status !== "pending") settled = status;
    return settled !== null;
  });
  return settled;
}
