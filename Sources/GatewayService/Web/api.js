// Calls of the public API, with the browser's cookies. What goes wrong is a Problem.

/** A service worker has no page, and says with each call which tenant it means. */
const tenant = globalThis.document?.body.dataset.tenant;
const timeout = 20_000;

/** The gateway, or a proxy that finds none, says with these that the same call may be answered later. */
const passing = [502, 503, 504];

/** `kind`: refused (the server said so: `status`, `code`, `retryAfter` in seconds, the problem document's other `members`, the
 *  server's `date`), offline (it was not reached), stopped (by the caller). */
export class Problem extends Error {
  constructor(kind, { status = 0, code = "", retryAfter = 0, members = {}, date = null } = {}) {
    super(code || kind);
    Object.assign(this, { kind, status, code, retryAfter, members, date });
  }
}

/** Replies `{status, body, date, etag}`. `wait` is how many seconds longer than usual the server may take; `options` as of `send`. */
export async function call(method, path, { signal, wait = 0, ...options } = {}) {
  const reply = await send(method, path, { ...options, signal: bounded(signal, timeout + wait * 1000) });
  const text = await reply.text().catch(() => { throw new Problem(signal?.aborted ? "stopped" : "offline"); });
  return { status: reply.status, body: text ? JSON.parse(text) : null, date: reply.headers.get("Date"), etag: reply.headers.get("ETag") };
}

/** The reply itself, for streams; throws a Problem unless it is a success. `file` is a body that is sent as it is, of the content type
 *  `type`. `of` is another tenant than the page's. */
export async function send(method, path, { body, file, type, headers = {}, signal, of = tenant, credentials = "same-origin" } = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers }, signal, credentials, cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  if (file !== undefined) {
    options.body = file;
    options.headers["Content-Type"] = type;
  }
  let reply;
  try {
    reply = await fetch(`/v1/${encodeURIComponent(of)}/${path}`, options);
  } catch {
    throw new Problem(signal?.aborted && signal.reason?.name !== "TimeoutError" ? "stopped" : "offline");
  }
  if (reply.ok) return reply;
  const members = await reply.json().catch(() => ({}));
  const retryAfter = Number.parseInt(reply.headers.get("Retry-After") ?? "0", 10) || 0;
  throw new Problem("refused", { status: reply.status, code: members.code ?? "", retryAfter, members, date: reply.headers.get("Date") });
}

function bounded(signal, milliseconds) {
  const limit = AbortSignal.timeout(milliseconds);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

/** Repeats `work` while the server cannot be reached or is unavailable, ever more slowly, until `signal` says stop. Where
 *  that is a matter of time, the last Problem is what is thrown. */
export async function persistently(work, signal) {
  for (let pause = 500; ; pause = Math.min(pause * 2, 8000)) {
    try {
      return await work();
    } catch (problem) {
      const passes = problem instanceof Problem && (problem.kind === "offline" || passing.includes(problem.status));
      if (!passes || signal?.aborted) throw problem;
      await pauseFor(Math.max(pause, problem.retryAfter * 1000), signal).catch((stopped) => {
        throw signal.reason?.name === "TimeoutError" ? problem : stopped;
      });
    }
  }
}

/** Ends early when a connection comes back; throws a Problem when `signal` says stop, or has said so. */
export function pauseFor(milliseconds, signal) {
  if (signal?.aborted) return Promise.reject(new Problem("stopped"));
  return new Promise((resolve, reject) => {
    const end = (settle) => {
      clearTimeout(timer);
      removeEventListener("online", resume);
      signal?.removeEventListener("abort", stop);
      settle();
    };
    const resume = () => end(resolve);
    const stop = () => end(() => reject(new Problem("stopped")));
    const timer = setTimeout(resume, milliseconds);
    addEventListener("online", resume);
    signal?.addEventListener("abort", stop);
  });
}
