// A time to wait before the next attempt. It is seen to pass; a screen reader hears when it begins and when it is over, not each second.

import { announce, byId, fieldError, text, waitingTime } from "./page.js";

let timer = 0;
/** The field that waits. */
let held = null;

/** Calls `show` with the seconds that are left: at once, each second, and with 0 when the time is over. There is one at a time. */
export function countDown(seconds, show) {
  release();
  clearInterval(timer);
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    if (left === 0) clearInterval(timer);
    show(left);
  };
  timer = setInterval(tick, 1000);
  tick();
}

/** Too many attempts: says at the field how long to wait, and lets its form be sent again when the time is over. */
export function hold(input, seconds) {
  const words = (left) => text("says.tooMany", { time: waitingTime(left) });
  const wait = Math.max(1, seconds);
  fieldError(input, words(wait));
  countDown(wait, (left) => {
    if (left > 0) {
      byId(`${input.id}-error`).textContent = words(left);
      return;
    }
    release();
    announce(text("signInSays.waitOver"));
    if (document.activeElement === input) input.select();
  });
  held = input;
  enable(input, false);
}

/** The field that waits waits no more. */
export function release() {
  if (!held) return;
  clearInterval(timer);
  enable(held, true);
  byId(`${held.id}-error`).hidden = true;
  held.removeAttribute("aria-invalid");
  held = null;
}

/** It keeps the focus meanwhile. */
function enable(input, isEnabled) {
  input.readOnly = !isEnabled;
  input.form.querySelector("button:not([type])").disabled = !isEnabled;
}
