// A phone in the browser: accounts with codes that need no network, and the requests that wait for an answer.

import { busy, byId, problemText, text, toast, waitingTime } from "./page.js";
import { accountOf, allAccounts, loadAccounts, onAccounts } from "./phone-accounts.js";
import { arriveAtAccount, redrawMenu, showAccount, startAccounts } from "./phone-account-view.js";
import { arriveAtAdding, isConfirming, linkOfAddress, showAdding, startAdding, takeLinkOfAddress } from "./phone-add.js";
import { drawAccounts, drawRequests, dropCards, endRequest, listedRequests } from "./phone-cards.js";
import { clockError } from "./phone-clock.js";
import { appVersion } from "./phone-facts.js";
import { drawSettings, isLocked, startLock } from "./phone-lock-view.js";
import { clearNotifications, keepPush } from "./phone-push.js";
import { askAll, isReachable, onRequests, takeOver } from "./phone-requests.js";
import { Screens } from "./screens.js";

const screens = new Screens(byId("phone"), "home", (screen) => arriveAtAccount(arriveAtAdding(screen)));
let installation = null;
/** Takes back that nothing waits. */
let unsayNoneWaits = () => {};

// ---- drawing

function draw() {
  byId("locked-waiting").hidden = !isLocked() || listedRequests().length === 0;
  if (isLocked()) return;
  drawAccounts();
  drawRequests({ isConfirming });
  redrawMenu();
  for (const element of document.querySelectorAll("[data-with-accounts]")) {
    if (element.id !== "no-requests") element.hidden = !byId("no-accounts").hidden;
  }
  drawState();
}

/** What the person should know of network, clock and requests that wait while they are elsewhere in the app. */
function drawState() {
  const hasAccounts = byId("no-accounts").hidden;
  byId("unreachable").hidden = isReachable() || !hasAccounts;
  const error = clockError();
  byId("wrong-clock").hidden = error === 0;
  byId("wrong-clock").querySelector("span").textContent =
    error === 0 ? "" : text(error > 0 ? "phoneSays.clockFast" : "phoneSays.clockSlow", { time: waitingTime(60 * Math.round(Math.abs(error) / 60_000)) });
  const waits = listedRequests().some(({ purpose, account }) => purpose !== "registration" || !isConfirming(account));
  byId("waiting").hidden = isLocked() || screens.current === "home" || !waits;
}

screens.onShown((screen) => {
  byId("settings").hidden = isLocked() || screen === "settings";
  showAdding(screen);
  showAccount(screen);
  if (screen === "settings") drawSettings();
  if (!isLocked()) draw();
});

document.addEventListener("click", (event) => {
  const menu = event.target.closest("[data-menu]");
  if (menu) screens.go("account", { details: { account: menu.dataset.account } });
});

// ---- what happens

onAccounts(() => {
  keepPushSoon();
  // Gone from another tab, or at the server: what is on the screen may be about it.
  if (screens.details.account && !accountOf(screens.details.account) && ["account", "confirm"].includes(screens.current)) {
    screens.go("home", { replace: true, details: {} });
  }
  draw();
});

onRequests(({ arrived, ended, status }) => {
  if (arrived) unsayNoneWaits();
  if (ended && !isLocked()) endRequest(ended, status);
  draw();
  const count = listedRequests().length;
  document.title = document.title.replace(/^(\(\d+\) )?/, count > 0 ? `(${count}) ` : "");
});

/** An account that has become active is to be woken, too. */
let activeBefore = "";
function keepPushSoon() {
  const active = allAccounts().filter(({ state }) => state === "active").map(({ id }) => id).join();
  if (active === activeBefore) return;
  activeBefore = active;
  keepPush().catch(() => {});
}

let isWaking = false;
/** The page is looked at again: what happened meanwhile may not have come. Several events say so at once. */
async function wake() {
  if (document.visibilityState !== "visible" || isWaking) return;
  isWaking = true;
  takeOver();
  clearNotifications();
  await askAll().finally(() => { isWaking = false; });
}

document.addEventListener("visibilitychange", wake);
// A window beside another is seen all the time; whoever turns to it wants to know how things are now.
addEventListener("focus", wake);
addEventListener("online", wake);
// A page out of the browser's memory may show what is long over, and would not be locked.
addEventListener("pageshow", (event) => event.persisted && location.reload());

/** Requests that are silenced do not ring: they come to whoever asks. */
byId("check").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  const problem = await askAll();
  if (problem) toast(problemText(problem));
  else if (listedRequests().length === 0) unsayNoneWaits = toast(text("phoneSays.noneWaits"));
}));

// ---- installation

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installation = event;
  byId("install").hidden = false;
});

byId("install").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  const { outcome } = await installation.prompt();
  installation = null;
  byId("install").hidden = true;
  if (outcome === "accepted") toast(text("phoneSays.installed"));
}));

// ---- start

/** One that imports is woken by pushes; where workers cannot, one that keeps the files is better than none. */
async function startWorker() {
  const options = { scope: "/authenticator" };
  const workers = navigator.serviceWorker;
  await workers?.register("/authenticator/service-worker.js", { ...options, type: "module" })
    .catch(() => workers.register("/authenticator/service-worker-plain.js", options)).catch(() => {});
  workers?.addEventListener("message", () => askAll());
  workers?.startMessages();
}

async function start() {
  // Keys and the service worker need a secure context, and a private window may have no store.
  if (!isSecureContext || !globalThis.indexedDB) {
    byId("unsupported").hidden = false;
    return;
  }
  const link = linkOfAddress();
  startWorker();
  byId("version").textContent = appVersion;
  startAdding(screens);
  startAccounts(screens);
  try {
    await startLock(screens, { locked: dropCards, unlocked: draw });
    await loadAccounts();
  } catch {
    byId("unsupported").hidden = false;
    return;
  }
  if (!isLocked()) screens.uncover();
  if (link) takeLinkOfAddress(link);
  takeOver();
  await askAll();
  clearNotifications();
}

addEventListener("hashchange", () => {
  const link = linkOfAddress();
  if (link) takeLinkOfAddress(link);
});

start();
