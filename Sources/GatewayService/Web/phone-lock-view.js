// The lock as people see it: the locked screen, the question before an approval, the settings.

import { busy, byId, fieldError, openDialog, text, toast, waitingTime } from "./page.js";
import { allAccounts, forget, remove } from "./phone-accounts.js";
import { here } from "./phone-clock.js";
import {
  currentLock, hasDeviceLock, loadLock, lockAfter, pinPattern, pinWait, removeLock, setDeviceLock, setPin, spendVerification, tryDeviceLock, tryPin,
} from "./phone-lock.js";

const minutesAtFirst = 5;
const touches = ["pointerdown", "keydown"];

let screens = null;
let onLocked = () => {};
let onUnlocked = () => {};
let isCovered = false;
let touchedAt = Date.now();
let idle = 0;

export const isLocked = () => isCovered;

/** Locks at once where there is a lock. `locked` and `unlocked` are called when the rest is to hide and to come back. */
export async function startLock(page, { locked, unlocked }) {
  [screens, onLocked, onUnlocked] = [page, locked, unlocked];
  for (const touch of touches) addEventListener(touch, () => { touchedAt = Date.now(); }, { passive: true, capture: true });
  document.addEventListener("visibilitychange", lockWhenIdle);
  if (await loadLock()) lockNow();
}

function lockNow() {
  isCovered = true;
  clearTimeout(idle);
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  const isPin = currentLock().kind === "pin";
  byId("locked-words").textContent = isPin ? byId("locked-words").dataset.pin : byId("locked-words").dataset.device;
  byId("unlock-pin-field").hidden = !isPin;
  byId("unlock-pin").value = "";
  byId("unlock-failed").hidden = true;
  fieldError(byId("unlock-pin"), null);
  onLocked();
  screens.cover("locked");
}

/** Now, or when the time without a touch will be over. */
function lockWhenIdle() {
  clearTimeout(idle);
  const lock = currentLock();
  if (!lock || isCovered) return;
  const left = touchedAt + lock.minutes * 60_000 - Date.now();
  if (left <= 0) lockNow();
  else idle = setTimeout(lockWhenIdle, left);
}

function unlock() {
  isCovered = false;
  touchedAt = Date.now();
  lockWhenIdle();
  onUnlocked();
  screens.uncover();
}

/** True when the PIN in the field is right; says otherwise what is wrong. */
async function isRight(input) {
  const pin = input.value;
  input.value = "";
  if (!pinPattern.test(pin) && (await pinWait()) === 0) {
    fieldError(input, text("phoneSays.needPin"));
    return false;
  }
  const { isRight, wait } = await tryPin(pin);
  if (isRight) fieldError(input, null);
  else fieldError(input, wait > 0 ? text("phoneSays.waitForPin", { time: waitingTime(Math.ceil(wait / 1000)) }) : text("phoneSays.wrongPin"));
  return isRight;
}

byId("unlock-form").addEventListener("submit", (event) => {
  event.preventDefault();
  busy(event.target.querySelector("button"), async () => {
    const isPin = currentLock().kind === "pin";
    if (isPin ? await isRight(byId("unlock-pin")) : await tryDeviceLock()) return unlock();
    if (isPin) return;
    byId("unlock-failed").textContent = text("phoneSays.notVerified");
    byId("unlock-failed").hidden = false;
  });
});

// ---- before an approval

/** `{mayGoOn, isVerified}`: with a lock, the person proves themself once for each answer; to have unlocked for this very request
 *  counts. Without one nobody is asked, and the answer says so. */
export async function verification(request) {
  if (!currentLock()) return { mayGoOn: true, isVerified: false };
  const isVerified = spendVerification(here(request.expiresAt - request.lifetime)) || await verifiedNow();
  return { mayGoOn: isVerified, isVerified };
}

async function verifiedNow() {
  const isVerified = currentLock().kind === "pin" ? await askPin() : await tryDeviceLock();
  if (isVerified) spendVerification(0);
  else toast(text("phoneSays.notVerified"));
  return isVerified;
}

function askPin() {
  const [dialog, form, input] = [byId("verify-dialog"), byId("verify-form"), byId("verify-pin")];
  return new Promise((resolve) => {
    let isVerified = false;
    form.onsubmit = (event) => {
      event.preventDefault();
      busy(form.querySelector(".primary"), async () => {
        isVerified = await isRight(input);
        if (isVerified) dialog.close();
      });
    };
    dialog.addEventListener("close", () => resolve(isVerified), { once: true });
    fieldError(input, null);
    input.value = "";
    openDialog(dialog, input);
  });
}

// ---- settings

export async function drawSettings() {
  byId("device-lock-choice").hidden = !(await hasDeviceLock()) && currentLock()?.kind !== "device";
  const kind = currentLock()?.kind ?? "none";
  for (const choice of document.querySelectorAll('[name="lock"]')) choice.checked = choice.value === kind;
  byId("lock-minutes-field").hidden = kind === "none";
  byId("lock-minutes").value = String(currentLock()?.minutes ?? minutesAtFirst);
}

async function choose(kind) {
  const minutes = currentLock()?.minutes ?? minutesAtFirst;
  // Whoever finds the app open shall not take its lock away.
  if (currentLock() && !(await verifiedNow())) return drawSettings();
  if (kind === "pin") {
    await drawSettings();
    return screens.go("pin");
  }
  if (kind === "none") await removeLock();
  else if (!(await setDeviceLock("Countersign", minutes))) toast(text("phoneSays.lockFailed"));
  await drawSettings();
  lockWhenIdle();
}

for (const choice of document.querySelectorAll('[name="lock"]')) choice.addEventListener("change", () => choose(choice.value));

byId("lock-minutes").addEventListener("change", async (event) => {
  await lockAfter(Number(event.target.value));
  lockWhenIdle();
});

byId("pin-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const [pin, again] = [byId("new-pin"), byId("new-pin-again")];
  fieldError(again, null);
  if (!pinPattern.test(pin.value)) return fieldError(pin, text("phoneSays.badPin"));
  fieldError(pin, null);
  if (pin.value !== again.value) return fieldError(again, text("phoneSays.otherPin"));
  busy(event.target.querySelector("button"), async () => {
    await setPin(pin.value, currentLock()?.minutes ?? minutesAtFirst);
    pin.value = again.value = "";
    lockWhenIdle();
    toast(text("phoneSays.pinSet"));
    // To the settings that led here: a second entry of them would make Back do nothing.
    screens.back();
  });
});

// ---- a forgotten PIN

byId("forgotten").addEventListener("click", () => openDialog(byId("erase-dialog"), byId("erase-dialog").querySelector("[data-close]")));

byId("erase-confirm").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  // A server that cannot be told now keeps a device that can do nothing any more: its key goes with the accounts.
  for (const account of allAccounts()) await remove(account).catch(() => forget(account.id));
  await removeLock();
  byId("erase-dialog").close();
  unlock();
  screens.go("home", { replace: true, details: {} });
}));
