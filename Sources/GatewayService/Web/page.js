// What every page's script needs: its texts, icons, announcements, dialogs, and buttons that show work.

const texts = new Map();
for (const element of document.getElementById("texts").content.querySelectorAll("[data-key]")) {
  texts.set(element.dataset.key, element.textContent);
}

export const language = document.documentElement.lang;
// With the region that the person has: it decides how a date is written.
const locale = navigator.languages.find((name) => name.split("-")[0] === language) ?? language;
export const tenant = document.body.dataset.tenant;

export const byId = (id) => document.getElementById(id);

/** The words for a key of the catalogue, with {name} replaced. */
export function text(key, values = {}) {
  return (texts.get(key) ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A time to wait, in words that count. */
export function waitingTime(seconds) {
  if (seconds < 90) return seconds === 1 ? text("says.waitSecond") : text("says.waitSeconds", { count: seconds });
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? text("says.waitMinute") : text("says.waitMinutes", { count: minutes });
}

/** What to say of a call that failed in a way that no page knows better. */
export function problemText(problem) {
  if (problem.kind === "offline") return text("says.offline");
  if (problem.status === 429) return text("says.tooMany", { time: waitingTime(problem.retryAfter) });
  return problem.status >= 500 ? text("says.unavailable") : text("says.failed");
}

export function setIcon(svg, name) {
  svg.querySelector("use").setAttribute("href", `${document.body.dataset.icons}#${name}`);
}

/** Says it to a screen reader only. */
export function announce(words) {
  byId("announcer").textContent = words;
}

/** Shows in `line` that the server is not reached, or hides it, and where `isHeard` says either to a screen reader, too. What waits goes
 *  on by itself once the server is reached again. */
export function showConnection(line, isReached, isHeard) {
  if (line.hidden === isReached) return;
  line.hidden = isReached;
  if (isHeard) announce(isReached ? text("says.connected") : line.textContent);
}

/** Says it to everyone, for some seconds or until what it returns is called: where it is not true any more. */
export function toast(words) {
  const element = document.createElement("p");
  element.className = "toast";
  element.textContent = words;
  byId("toasts").append(element);
  raiseToasts();
  const end = () => {
    if (!element.isConnected) return;
    element.remove();
    if (!byId("toasts").hasChildNodes()) byId("toasts").hidePopover();
  };
  setTimeout(end, 6000);
  return end;
}

/** Above whatever is open: what is beside a modal dialog is neither seen nor read out. */
function raiseToasts() {
  const toasts = byId("toasts");
  const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
  (dialog ?? document.body).append(toasts);
  if (!toasts.hasChildNodes()) return;
  toasts.showPopover();
  dialog?.addEventListener("close", raiseToasts, { once: true });
}

/** Runs the work of a button, which shows it and takes no second click meanwhile. */
export async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** Puts the words on the clipboard and says so. False where that is not allowed. */
export async function copied(words) {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    return false;
  }
  toast(text("says.copied"));
  return true;
}

/** Shows what is wrong with a field, or with null that nothing is. */
export function fieldError(input, words) {
  const error = byId(`${input.id}-error`);
  error.hidden = !words;
  error.textContent = words ?? "";
  if (words) {
    input.setAttribute("aria-invalid", "true");
    input.focus();
  } else {
    input.removeAttribute("aria-invalid");
  }
}

/** A dialog that [data-close], Escape and, unless it has [data-stays], a click beside it close; focus returns to where it was. */
export function openDialog(dialog, focused) {
  if (!dialog.dataset.ready) {
    dialog.dataset.ready = "true";
    for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
    dialog.addEventListener("pointerdown", (event) => {
      if (event.target === dialog && !("stays" in dialog.dataset) && !isInside(event, dialog.getBoundingClientRect())) dialog.close();
    });
  }
  dialog.showModal();
  focused?.focus();
}

function isInside(event, box) {
  return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
}

/** A copy of the first element of a <template>. */
export function copyOf(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** With a capital letter, for words that stand by themselves. */
export function capitalized(words) {
  return words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);
}

/** Facts in one line, those that there are; a dot stays with what is before it. */
export const dotted = (...facts) => facts.filter(Boolean).join("\u00a0· ");

/** A day and time as people say it inside a sentence; today and yesterday by those names. */
export function dayAndTime(value) {
  const date = new Date(value);
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" }).format(date);
  const days = daysSince(date);
  if (days === 0) return text("says.today", { time });
  if (days === 1) return text("says.yesterday", { time });
  return unbroken(new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(date));
}

/** The same without the time, of what is not known to the minute. */
export function dayInWords(value) {
  const days = daysSince(new Date(value));
  if (days === 0) return text("says.todayAlone");
  return days === 1 ? text("says.yesterdayAlone") : day(value);
}

const daysSince = (date) => Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);

/** A date is read in one: a line may end behind a comma alone. */
const unbroken = (date) => date.replaceAll(/([^,]) /g, "$1\u00a0");

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** The moment, to the second, for logs. */
export function moment(value) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(value));
}

/** A whole number, or one with `digits` behind the point. */
export function figure(value, digits = 0) {
  return new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function share(value) {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: value > 0 && value < .1 ? 1 : 0 }).format(value);
}

export function timeOf(value, options) {
  return new Intl.DateTimeFormat(locale, options).format(new Date(value));
}

export function day(value) {
  return unbroken(new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(value)));
}
