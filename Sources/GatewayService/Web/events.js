// Server-sent events by fetch, which unlike EventSource can send headers.

import { Problem } from "./api.js";

// The server sends a comment every 15 seconds: after a longer silence nobody is there any more.
const silenceMax = 20_000;

/** Hands each event to `onEvent(name, data)`, until that returns true, the stream ends or falls silent. Throws only when `signal`
 *  says stop. */
export async function readEvents(reply, signal, onEvent) {
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
      if (done) return;
      buffered += value;
      const events = buffered.split("\n\n");
      buffered = events.pop();
      for (const event of events) {
        const data = field(event, "data");
        if (data && onEvent(field(event, "event") || "message", JSON.parse(data))) return;
      }
    }
  } catch {
    if (signal.aborted) throw new Problem("stopped");
  } finally {
    clearTimeout(silence);
    removeEventListener("online", giveUp);
    giveUp();
  }
}

function field(event, name) {
  return event.split("\n").filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim()).join("\n");
}
