// The sign-in page: one screen after the other, one request at a time.
//
// A screen is a history entry, so that Back works; what is secret is in memory and in sessionStorage, so that a reload goes on.

import { answerTo } from "./answer.js";
import { call, persistently, Problem } from "./api.js";
import { countDown, hold, release } from "./countdown.js";
import { looks } from "./outcomes.js";
import { announce, busy, byId, fieldError, setIcon, showConnection, tenant, text, waitingTime } from "./page.js";
import { firstOffer, forgetName, isRemembered, keepFirstOffer, remember, rememberedName } from "./remembered.js";
import { Ring, showNumber } from "./ring.js";
import { Screens } from "./screens.js";

const root = byId("sign-in");
const screens = new Screens(root, "name", arrive);
const ring = new Ring(byId("ring"));
const keptRequest = `countersign.sign-in.${tenant}`;
const otherTabs = new BroadcastChannel(`countersign.${tenant}`);
/** The policy lets nobody at all approve on a phone: a number would be shown in vain, whoever it is. */
const noPhone = "noPhone" in root.dataset;

/** Well within the time in which an approved request can be completed. */
const completionMax = 15_000;
/** Who has signed in does not wait longer for what the next sign-in will offer first. */
const learningMax = 2_000;

let username = "";
/** {id, secret, number, isSecond, lifetime, endsAt}: the request that this page waits for, until it is over. */
let request = null;
let waiting = null;
/** What "Try again" does. */
let again = () => screens.go("name");

// ---- screens

screens.onShown((screen) => {
  for (const element of root.querySelectorAll("[data-username]")) {
    if (element instanceof HTMLInputElement) element.value = username;
    else element.textContent = username;
  }
  if (screen === "name") withdraw();
  if (screen === "code") showCodePassword(codeNeedsPassword());
  if (screen === "number" && request) showRequest();
  else ring.stop();
  release();
  for (const secret of root.querySelectorAll("#code, #code-password, #password, #pass")) {
    secret.value = "";
    fieldError(secret, null);
  }
});

/** A screen that was left may make no sense any more: no request to show, no name to go with a password. */
function arrive(screen) {
  const needsRequest = screen === "number" && (noPhone || !isOpen());
  const needsName = !["name", "number"].includes(screen) && !username;
  const isOver = screen === "outcome" || screen === "done";
  return needsRequest || needsName || isOver ? "name" : screen;
}

// ---- the request

const isOpen = () => request !== null && request.endsAt > Date.now();
const codeNeedsPassword = () => !("codeAlone" in root.dataset) && !(isOpen() && request.isSecond);

/** `isAgain`: it was the step before, and that has run out. */
function showCodePassword(isNeeded, isAgain = false) {
  byId("code-password-field").hidden = !isNeeded;
  byId("code-password-again").hidden = !isAgain;
  byId("code-password-again").textContent = isAgain ? text("signInSays.passwordAgain") : "";
}

/** 202: a number to show. */
function take(signIn, isSecond) {
  const lifetime = Date.parse(signIn.expiresAt) - Date.parse(signIn.createdAt);
  // By this browser's own clock, which may be wrong but runs as fast as the server's.
  request = { id: signIn.id, secret: signIn.secret, number: signIn.number, isSecond, lifetime, endsAt: Date.now() + lifetime };
  sessionStorage.setItem(keptRequest, JSON.stringify({ username, request }));
  wait();
}

function forget() {
  waiting?.abort();
  request = null;
  sessionStorage.removeItem(keptRequest);
}

/** Nobody waits for it any more: the phone need not show it. */
async function withdraw() {
  if (!request) return;
  const { id, secret } = request;
  forget();
  await call("DELETE", `sign-ins/${encodeURIComponent(id)}`, { headers: { "Sign-In-Secret": secret } }).catch(() => {});
}

function showRequest() {
  const which = request.isSecond ? "second" : "first";
  for (const element of root.querySelectorAll(`[data-screen="number"] [data-${which}]`)) element.textContent = element.dataset[which];
  showNumber(byId("number"), request.number);
  byId("number-code").hidden = !request.isSecond;
  byId("number-cant").hidden = request.isSecond;
  // For everybody at the first step: whose name has a phone is told to nobody. After the password there is one.
  byId("number-no-phone").hidden = request.isSecond;
  ring.start(request.endsAt, request.lifetime, (seconds) => {
    const words = seconds === 1 ? text("signInSays.secondLeft") : text("signInSays.secondsLeft", { count: seconds });
    byId("time-left").textContent = words;
    if (seconds === 15) announce(words);
  });
}

const showReached = (isReached) => showConnection(byId("connection-lost"), isReached, screens.current === "number");

async function wait() {
  waiting?.abort();
  const mine = (waiting = new AbortController());
  const current = request;
  try {
    const status = await answerTo(current, mine.signal, showReached);
    if (current === request) await settle(status);
  } catch (problem) {
    if (problem.kind === "stopped" || current !== request) return;
    forget();
    fail(problem);
  }
}

async function settle({ status, reason }) {
  if (status === "approved") return complete();
  const isSeen = screens.current === "number";
  const isSecond = request.isSecond;
  forget();
  // Someone who types a code meanwhile is not disturbed: it goes with a fresh request, and again with the password.
  if (status === "expired" && !isSeen) {
    if (!isSecond || screens.current !== "code" || !codeNeedsPassword()) return;
    showCodePassword(true, true);
    return announce(text("signInSays.passwordAgain"));
  }
  outcome(status === "denied" ? reason : status, { isSecond });
}

async function complete() {
  const { id, secret, isSecond } = request;
  announce(text("signInSays.approved"));
  try {
    // The same key again gets the same reply: a lost one costs nothing.
    const headers = { "Idempotency-Key": `complete-${id}` };
    await persistently(() => call("POST", "session/complete", { body: { id, secret }, headers }), AbortSignal.timeout(completionMax));
    await finish();
  } catch (problem) {
    if (problem.status === 409 || problem.status === 410) {
      forget();
      return outcome("expired", { isSecond });
    }
    if (problem.kind === "offline" || problem.status === 503) return fail(problem, complete);
    forget();
    fail(problem);
  }
}

async function finish() {
  forget();
  otherTabs.postMessage("signedIn");
  screens.go("done", { replace: true });
  if (isRemembered(username)) {
    await call("GET", "me", { signal: AbortSignal.timeout(learningMax) })
      .then(({ body }) => keepFirstOffer(body, "codeAlone" in root.dataset), () => {});
  }
  location.replace(root.dataset.return);
}

// ---- what can go wrong

const outcomes = {
  declined: [...looks.declined, "signInSays.deniedTitle", "signInSays.denied"],
  wrong_number: [...looks.wrong_number, "signInSays.wrongNumberTitle", "signInSays.wrongNumber"],
  reported: [...looks.reported, "signInSays.reportedTitle", "signInSays.reported"],
  expired: [...looks.expired, "signInSays.expiredTitle", "signInSays.expired"],
  canceled: [...looks.canceled, "signInSays.canceledTitle", "signInSays.canceled"],
  replaced: ["warning", "tabs", "signInSays.replacedTitle", "signInSays.replaced"],
  unavailable: ["warning", "alert", "signInSays.unavailableTitle", "signInSays.unavailable"],
  too_many: ["warning", "clock", "signInSays.tooManyTitle", "signInSays.tooMany"],
  offline: ["warning", "offline", "signInSays.offlineTitle", "signInSays.offline"],
  failed: ["bad", "alert", "signInSays.failedTitle", "signInSays.failed"],
};

/** Says what happened and what to do; `retry` is what the button does instead of asking anew. */
function outcome(kind, { isSecond = false, retry = null, retryAfter = 0 } = {}) {
  const [tone, glyph, title, words] = outcomes[kind] ?? outcomes.failed;
  byId("outcome-glyph").className = `glyph large ${tone}`;
  setIcon(byId("outcome-glyph"), glyph);
  byId("outcome-title").textContent = text(title);
  const said = text(words, { time: waitingTime(60 * root.dataset.silenceMinutes) });
  byId("outcome-words").textContent = said;
  byId("outcome-ways").hidden = !username;
  // After a report no phone rings for a while: asking anew would be in vain.
  byId("again").hidden = kind === "reported";
  byId("outcome-code").hidden = kind !== "reported";
  // A password is not kept: whoever needs it again types it again.
  again = retry ?? (() => (isSecond ? screens.go("password", { replace: true }) : username ? begin() : screens.go("name", { replace: true })));
  pauseButton(retryAfter);
  screens.go("outcome", { replace: true });
  announce(`${text(title)}. ${said}`);
}

function pauseButton(seconds) {
  const line = byId("outcome-wait");
  countDown(seconds, (left) => {
    line.hidden = left === 0;
    byId("again").disabled = left > 0;
    line.textContent = text("signInSays.unavailableFor", { time: waitingTime(left) });
  });
}

function fail(problem, retry = null) {
  if (problem.kind === "stopped") return;
  if (!(problem instanceof Problem)) throw problem;
  if (problem.kind === "offline") return outcome("offline", { retry });
  if (problem.status === 429) return outcome("too_many", { retryAfter: problem.retryAfter });
  if (problem.status >= 500) return outcome("unavailable", { retry, retryAfter: problem.retryAfter });
  // Another tab began a request: the browser's mark belongs to that one now.
  if (problem.status === 404 || problem.status === 403) return outcome("replaced");
  outcome("failed");
}

// ---- ways to sign in

/** One browser has one sign-in at a time: the newest. The other tabs hear of it first, while they can still withdraw theirs. */
function ask(body) {
  otherTabs.postMessage("begins");
  return call("POST", "session", { body });
}

/** A request on the phone, by name alone; the other ways where there can be none. */
async function begin() {
  await withdraw();
  if (noPhone) return screens.go("ways", { replace: screens.current === "outcome" });
  try {
    take((await ask({ username })).body.signIn, false);
    screens.go("number", { replace: screens.current === "outcome" });
  } catch (problem) {
    fail(problem, problem.kind === "offline" || problem.status >= 500 ? begin : null);
  }
}

/** What this person is offered first. Only where they chose the phone, or nothing is known of them, does a phone ring. */
async function offer() {
  const screen = { code: "code", push: "password" }[firstOffer(username)];
  if (!screen) return begin();
  await withdraw();
  screens.go(screen);
}

/** A password or a pass: 200 is a session, 202 a number to show. */
async function present(input, credentials) {
  await withdraw();
  try {
    const { status, body } = await ask({ username, ...credentials });
    if (status === 200) return finish();
    take(body.signIn, true);
    screens.go(body.signIn.methods.includes("push") ? "number" : "code");
  } catch (problem) {
    // The same for a name that there is not.
    if (problem.status === 401) return fieldError(input, text(input.id === "pass" ? "signInSays.invalidPass" : "signInSays.invalidPassword"));
    if (problem.status === 429) return hold(input, problem.retryAfter);
    fail(problem, () => screens.go(input.id, { replace: true }));
  }
}

async function submitCode(code, password) {
  const body = codeNeedsPassword() ? { code, password } : { code };
  try {
    if (!isOpen()) take((await ask({ username })).body.signIn, false);
    const { id, secret } = request;
    // The answer that the code gives is taken from here, not from the stream as well.
    waiting?.abort();
    await call("POST", `sign-ins/${encodeURIComponent(id)}/code`, { body, headers: { "Sign-In-Secret": secret } });
    await complete();
  } catch (problem) {
    if (problem.status === 422) fieldError(byId("code"), text(password === "" || !body.password ? "signInSays.invalidCodeOnly" : "signInSays.invalidCode"));
    else if (problem.status === 429) hold(byId("code"), problem.retryAfter);
    else if (problem.status === 409 || problem.status === 410) return wait();
    else return fail(problem);
    byId("code").select();
    if (isOpen()) wait();
  }
}

// ---- what people do

function onSubmit(id, work) {
  const form = byId(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(form.querySelector("button:not([type])"), work);
  });
}

onSubmit("name-form", async () => {
  const name = byId("username").value.trim();
  if (!name) return fieldError(byId("username"), text("signInSays.needUsername"));
  if ([...name].length > 256) return fieldError(byId("username"), text("signInSays.badUsername"));
  fieldError(byId("username"), null);
  username = name;
  if (byId("remember").checked) remember(name);
  else forgetName();
  await offer();
});

onSubmit("password-form", async () => {
  const input = byId("password");
  if (!input.value) return fieldError(input, text("signInSays.needPassword"));
  fieldError(input, null);
  await present(input, { password: input.value });
});

onSubmit("pass-form", async () => {
  const input = byId("pass");
  if (!input.value.trim()) return fieldError(input, text("signInSays.needPass"));
  fieldError(input, null);
  await present(input, { temporaryAccessPass: input.value.trim() });
});

onSubmit("code-form", async () => {
  const [code, password] = [byId("code"), byId("code-password")];
  const digits = code.value.replace(/\s/g, "");
  fieldError(code, null);
  fieldError(password, null);
  if (!codeNeedsPassword()) showCodePassword(false);
  else if (byId("code-password-field").hidden) {
    // The second step ran out while the code was typed.
    showCodePassword(true, true);
    return password.focus();
  } else if (!password.value) return fieldError(password, text("signInSays.needPassword"));
  if (!/^\d{6,8}$/.test(digits)) return fieldError(code, text("signInSays.needCode"));
  await submitCode(digits, password.value);
});

byId("approve")?.addEventListener("click", (event) => (isOpen() && !request.isSecond ? screens.go("number") : busy(event.currentTarget, begin)));
byId("again").addEventListener("click", (event) => busy(event.currentTarget, async () => again()));
otherTabs.addEventListener("message", ({ data }) => {
  if (data === "signedIn") return location.replace(root.dataset.return);
  if (!request) return;
  withdraw();
  outcome("replaced");
});
// A stream that was lost may look open for long: the browser knows first.
addEventListener("offline", () => showReached(false));
addEventListener("online", () => showReached(true));
// A page out of the browser's memory may show what is long over.
addEventListener("pageshow", (event) => event.persisted && location.reload());

function start() {
  byId("username").value = rememberedName() ?? "";
  byId("remember").checked = rememberedName() !== null;
  byId("name-form").querySelector("button").disabled = false;
  const kept = JSON.parse(sessionStorage.getItem(keptRequest) ?? "null");
  if (kept && history.state?.screen && kept.request.endsAt > Date.now()) {
    ({ username, request } = kept);
    wait();
  } else {
    sessionStorage.removeItem(keptRequest);
  }
  screens.uncover();
}

start();
