// Waits for the answer to a sign-in request: by its event stream, and where that fails by long polls.

import { call, persistently, Problem, send } from "./api.js";

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

// The server sends a comment every 15 seconds: after a longer silence nobody is there any more.
const silenceMax = 20_000;

/** Null when the stream ends, or falls silent, before the answer. */
async function streamed(path, headers, signal) {
  const reply = await send("GET", `${path}/events`, { headers: { ...headers, Accept: "text/event-stream" }, signal });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  const giveUp = () => { reader.cancel().catch(() => {}); };
  let silence;
  let buffered = "";
  // A connection that was lost may look open for long.
  addEventListener("online", giveUp);
  try {
    for (;;) {
      silence = setTimeout(giveUp, silenceMax);
      const { value, done } = await reader.read();
      clearTimeout(silence);
      if (done) return null;
      buffered += value;
      const events = buffered.split("\n\n");
      buffered = events.pop();
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
        const status = data ? JSON.parse(data) : null;
        if (status && status.status !== "pending") return status;
      }
    }
  } catch {
    if (signal.aborted) throw new Problem("stopped");
    return null;
  } finally {
    clearTimeout(silence);
    removeEventListener("online", giveUp);
    giveUp();
  }
}
