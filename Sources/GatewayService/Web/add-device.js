// The dialog that adds a phone: choose, get ready, scan, confirm the number, done.

import { authenticatorAddress, readActivationLink } from "./activation-link.js";
import { persistently, Problem } from "./api.js";
import { announce, busy, byId, copied, openDialog, problemText, setIcon, showConnection, tenant, text, toast } from "./page.js";
import { Ring, showNumber } from "./ring.js";
import { asMe, replyToMe } from "./session.js";

const dialog = byId("add-dialog");
const ring = new Ring(byId("add-ring"));
const lost = byId("add-connection-lost");
const stepsInOrder = ["choose", "start", "scan", "confirm", "done"];
let waiting = null;
/** By the server's clock; until then a confirmation ends only by an answer. */
let confirmedUntil = 0;
/** The id of the device that was added last. */
let added = null;

const keptAs = `countersign.adding.${tenant}`;
/** `{id, link, lifetime}` of the addition that this window waits for, so that a reload goes on with it; null without any. */
const kept = () => JSON.parse(sessionStorage.getItem(keptAs) ?? "null");
const keep = (members) => sessionStorage.setItem(keptAs, JSON.stringify({ ...kept(), ...members }));
const forget = () => sessionStorage.removeItem(keptAs);

/** The server's time at a reply; this browser's where a proxy has taken the Date away. */
const timeOf = (date) => Date.parse(date) || Date.now();

/** True when a phone was added. */
export function addDevice() {
  show("choose");
  return opened(step("choose").querySelector("input"));
}

/** Goes on where a reload has cut an addition off. True when a phone was added, null where there is nothing to go on with. */
export async function resumeAdding() {
  const adding = kept();
  if (!adding) return null;
  let reply;
  try {
    reply = await replyToMe("GET", pathOf(adding.id));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    // Of somebody who was signed in here before. What was not reached is there for the next reload.
    if (problem.status === 404) forget();
    return null;
  }
  if (dialog.open) return null;
  const { body: progress, date } = reply;
  if (progress.state === "waiting") showLink(adding);
  else if (progress.state === "confirming") confirm(progress, date);
  else {
    forget();
    return progress.state === "active" || null;
  }
  follow(adding.id, progress.state);
  return opened(step(progress.state === "waiting" ? "scan" : "confirm").querySelector("h3"));
}

/** Who comes back from the phone may have set it up meanwhile, and needs no hint any more. */
export async function lookAtAdded() {
  const hint = byId("done-hint");
  if (step("done").hidden || !hint) return;
  try {
    const { devices } = await asMe("GET", "me");
    hint.hidden = devices.some(({ id, phoneSignIn }) => id === added && phoneSignIn.createdDateTime !== null);
  } catch (problem) {
    // The hint stays: it is right for most.
    if (!(problem instanceof Problem)) throw problem;
  }
}

const pathOf = (id) => `me/activations/${encodeURIComponent(id)}`;

/** The dialog as it is drawn; resolves when it is closed. */
function opened(focused) {
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const isDone = !step("done").hidden;
      stop();
      resolve(isDone);
    }, { once: true });
    openDialog(dialog, focused);
  });
}

const step = (name) => dialog.querySelector(`[data-step="${name}"]`);

function show(name) {
  for (const section of dialog.querySelectorAll("[data-step]")) section.hidden = section.dataset.step !== name;
  const place = Math.min(stepsInOrder.indexOf(name), 3);
  dialog.querySelector(".steps").hidden = name === "expired";
  [...dialog.querySelectorAll(".steps li")].forEach((mark, index) => mark.classList.toggle("done", index <= place));
  byId("add-failed").hidden = true;
  if (name !== "confirm") ring.stop();
  if (name !== "scan" && name !== "confirm") forget();
  const heading = step(name).querySelector("h3");
  if (dialog.open) heading?.focus({ preventScroll: true });
  dialog.scrollTop = 0;
}

function stop() {
  waiting?.abort();
  forget();
  lost.hidden = true;
  announce("");
  ring.stop();
  // The link in it is a secret: it does not stay in the page.
  byId("qr").removeAttribute("src");
  byId("activation-link").value = "";
  byId("open-link").removeAttribute("href");
  byId("open-browser").removeAttribute("href");
  byId("cant-scan").open = false;
}

async function begin() {
  stop();
  confirmedUntil = 0;
  try {
    const activation = await asMe("POST", "me/activations", { body: { replaceOldest: true } });
    const adding = { id: activation.id, link: activation.activationUri };
    keep(adding);
    showLink(adding);
    follow(adding.id, "waiting");
  } catch (problem) {
    fail(problem);
  }
}

function showLink({ id, link }) {
  byId("qr").src = `/v1/${tenant}/${pathOf(id)}/qr.svg`;
  byId("activation-link").value = link;
  byId("open-link").href = link;
  // A tab of its own each time, by `noopener`: one that is found again by a name has this page as its opener, and begins with a copy of
  // its sessionStorage, in which this link is.
  byId("open-browser").href = authenticatorAddress(readActivationLink(link).server, link);
  show("scan");
}

function showReached(isReached) {
  const isWaiting = dialog.open && (!step("scan").hidden || !step("confirm").hidden);
  if (isWaiting) showConnection(lost, isReached, true);
}

function fail(problem) {
  const known = { too_many_devices: "securityInfoSays.tooManyDevices", too_many_activations: "securityInfoSays.tooManyActivations" };
  byId("add-failed").textContent = problem.code in known ? text(known[problem.code]) : problemText(problem);
  byId("add-failed").hidden = false;
}

/** Waits for the phone, whose steps move the dialog on from `state`. */
async function follow(id, state) {
  const mine = (waiting = new AbortController());
  const ask = async (state) => {
    // At once after a failure: that the server is there again is news.
    const wait = lost.hidden ? 25 : 0;
    try {
      const reply = await replyToMe("GET", `${pathOf(id)}?wait=${wait}&state=${state}`, { signal: mine.signal, wait });
      showReached(true);
      return reply;
    } catch (problem) {
      if (problem.kind === "offline") showReached(false);
      throw problem;
    }
  };
  const over = (date) => showOver(timeOf(date) < confirmedUntil ? "ended" : "late");
  try {
    for (;;) {
      const known = state;
      const { body: progress, date } = await persistently(() => ask(known), mine.signal);
      if (progress.state === state) continue;
      state = progress.state;
      if (state === "confirming") confirm(progress, date);
      if (state === "active") return showDone(progress);
      if (state === "expired") return over(date);
    }
  } catch (problem) {
    if (problem instanceof Problem && problem.kind === "stopped") return;
    if (problem.status === 404 || problem.status === 410) return over(problem.date);
    fail(problem);
  }
}

function showDone({ deviceId }) {
  added = deviceId;
  byId("done-hint")?.removeAttribute("hidden");
  show("done");
}

function showOver(how) {
  for (const words of [byId("add-over-title"), byId("add-over-words")]) words.textContent = words.dataset[how];
  setIcon(step("expired"), how === "late" ? "clock" : "alert");
  show("expired");
}

function confirm({ number, expiresAt }, date) {
  showNumber(byId("add-number"), number);
  show("confirm");
  confirmedUntil = Date.parse(expiresAt);
  const left = Math.max(1000, confirmedUntil - timeOf(date));
  // After a reload the ring goes on from where it was. The link has been used.
  const lifetime = Math.max(left, kept()?.lifetime ?? 0);
  keep({ lifetime, link: undefined });
  ring.start(Date.now() + left, lifetime);
  announce(number);
}

// A request that was lost may look open for long: the browser knows first.
addEventListener("offline", () => showReached(false));
addEventListener("online", () => showReached(true));
for (const button of dialog.querySelectorAll("[data-step-to]")) {
  button.addEventListener("click", () => show(button.dataset.stepTo));
}
byId("add-next").addEventListener("click", (event) => busy(event.currentTarget, begin));
byId("add-again").addEventListener("click", (event) => busy(event.currentTarget, begin));
byId("cant-scan").addEventListener("toggle", () => byId("cant-scan").open && byId("cant-scan").scrollIntoView({ block: "nearest" }));
byId("copy-link").addEventListener("click", async () => {
  if (await copied(byId("activation-link").value)) return;
  byId("activation-link").select();
  toast(text("securityInfoSays.copyFailed"));
});
