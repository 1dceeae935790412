// The security-info page: methods, devices, recent sign-ins.

import { addDevice, lookAtAdded, resumeAdding } from "./add-device.js";
import { looks, outcomeLook } from "./outcomes.js";
import {
  busy, byId, capitalized, copyOf, day, dayAndTime, dayInWords, dotted, openDialog, problemText, setIcon, text, toast, waitingTime,
} from "./page.js";
import { isUsable, keepFirstOffer } from "./remembered.js";
import { asMe, signOut } from "./session.js";

const glyphs = { phoneSignIn: "phone", push: "phone", code: "code", password: "key", temporaryAccessPass: "ticket" };
const methodNames = {
  phoneSignIn: ["securityInfoSays.phoneSignIn", "securityInfoSays.phoneSignInHint"],
  push: ["securityInfoSays.push", "securityInfoSays.pushHint"],
  code: ["securityInfoSays.code", "securityInfoSays.codeHint"],
  password: ["securityInfoSays.password", null],
  temporaryAccessPass: ["securityInfoSays.temporaryAccessPass", "securityInfoSays.temporaryAccessPassHint"],
};
/** Those that a sign-in can begin with. */
const defaults = ["phoneSignIn", "push", "code"];
const platforms = {
  ios: "securityInfoSays.ios", android: "securityInfoSays.android", web: "securityInfoSays.web", cli: "securityInfoSays.cli",
};

const page = byId("content").dataset;
const isCodeEnough = "codeAlone" in page;
let nextPage = null;
/** What is on the page, so that asking again touches only what has changed. */
let shown = { me: "", signIns: "", passwords: "" };
/** The ids of the person's devices. */
let deviceIds = new Set();

// ---- methods and devices

/** All that the document of `GET me` says. */
function showMe(me) {
  if (JSON.stringify(me) === shown.me) return;
  shown.me = JSON.stringify(me);
  deviceIds = new Set(me.devices.map(({ id }) => id));
  byId("person").hidden = false;
  byId("person").querySelector("[data-person]").textContent = me.person.displayName || me.person.username;
  showMethods(me);
  byId("devices").replaceChildren(...me.devices.map((device) => deviceRow(device, me)));
  byId("devices").hidden = me.devices.length === 0;
  byId("no-devices").hidden = me.devices.length > 0;
  byId("add").disabled = false;
}

function showMethods(document) {
  const me = { ...document, methods: document.methods.filter((name) => isUsable(name, document.methods, isCodeEnough)) };
  const canChoose = me.methods.filter((name) => defaults.includes(name)).length > 1;
  byId("methods").replaceChildren(...(me.methods.length ? me.methods.map((name) => methodRow(name, me, canChoose)) : [noMethods()]));
  byId("default-hint").hidden = !canChoose;
  keepFirstOffer(document, isCodeEnough);
}

/** What comes after the password: whoever has a phone is asked for it, or for its code where no request may reach it. */
function passwordHint({ methods, devices }) {
  if (methods.includes("push")) return "securityInfoSays.passwordThenPhone";
  if (devices.some(({ state }) => state === "active")) return "securityInfoSays.passwordThenCode";
  return "notAllowed" in page ? "securityInfoSays.passwordAlone" : "securityInfoSays.passwordHint";
}

function methodRow(name, me, canChoose) {
  const row = copyOf("method-row");
  const [title, usualHint] = methodNames[name] ?? [name, name];
  const hint = name === "password" ? passwordHint(me) : usualHint;
  setIcon(row, glyphs[name] ?? "key");
  row.querySelector("[data-name]").textContent = text(title);
  row.querySelector("[data-hint]").textContent = text(hint);
  row.querySelector("[data-default]").hidden = name !== me.defaultMethod;
  const choose = row.querySelector("[data-choose]");
  choose.hidden = !canChoose || name === me.defaultMethod || !defaults.includes(name);
  choose.setAttribute("aria-label", text("securityInfoSays.chooseMethod", { method: text(title) }));
  choose.addEventListener("click", () => busy(choose, () => makeDefault(name, text(title))));
  return row;
}

async function makeDefault(name, title) {
  try {
    showMe(await asMe("PATCH", "me", { body: { defaultMethod: name } }));
  } catch (problem) {
    return toast(problemText(problem));
  }
  byId("methods-title").focus();
  toast(text("securityInfoSays.chosen", { method: title }));
}

function noMethods() {
  const row = document.createElement("li");
  row.className = "item quiet";
  row.textContent = text("securityInfoSays.noMethods");
  return row;
}

function deviceRow(device, { methods, devices }) {
  const row = copyOf("device-row");
  const isOn = device.phoneSignIn.createdDateTime !== null;
  const [tone, state] =
    device.state === "awaitingConfirmation" ? ["warning", "securityInfoSays.awaiting"]
    : device.state !== "active" ? ["bad", "securityInfoSays.disabled"]
    : "notAllowed" in page ? ["warning", "securityInfoSays.notAllowed"]
    : isOn && !methods.includes("phoneSignIn") ? ["warning", "securityInfoSays.phoneSignInRefused"]
    : isOn ? ["good", "securityInfoSays.phoneSignInOn"] : ["", "securityInfoSays.phoneSignInOff"];
  setIcon(row, device.platform === "web" || device.platform === "cli" ? "laptop" : "phone");
  row.querySelector("[data-name]").textContent = device.name;
  row.querySelector("[data-facts]").textContent = deviceFacts(device);
  const hint = row.querySelector("[data-hint]");
  if (isOn) hint.textContent = text("securityInfoSays.since", { date: day(device.phoneSignIn.createdDateTime) });
  else if (device.state === "awaitingConfirmation") hint.textContent = text("securityInfoSays.awaitingHint");
  else if (!("noPhoneSignIn" in page)) hint.textContent = text("securityInfoSays.turnOn");
  hint.hidden = !hint.textContent;
  row.querySelector("[data-state]").textContent = text(state);
  row.querySelector("[data-state]").className = `badge ${tone}`;
  const remove = row.querySelector("[data-remove]");
  remove.setAttribute("aria-label", text("securityInfoSays.removeDevice", { device: device.name }));
  remove.addEventListener("click", () => askToRemove(device, devices.length === 1));
  return row;
}

function deviceFacts(device) {
  const used = device.lastUsedAt
    ? text("securityInfoSays.lastUsed", { date: dayInWords(device.lastUsedAt) }) : text("securityInfoSays.neverUsed");
  return dotted(text(platforms[device.platform], { version: device.osVersion }), text("securityInfoSays.added", { date: day(device.createdAt) }), used);
}

// ---- removal

let leaving = null;

function askToRemove(device, isOnly) {
  leaving = device;
  const words = byId("remove-words");
  words.textContent = words.dataset.words.replace("{device}", device.name);
  byId("remove-last").hidden = !isOnly;
  byId("remove-failed").hidden = true;
  openDialog(byId("remove-dialog"), byId("remove-dialog").querySelector("[data-close]"));
}

async function removeDevice(id) {
  try {
    await asMe("DELETE", `me/devices/${encodeURIComponent(id)}`);
  } catch (problem) {
    // Gone already is what was wanted.
    if (problem.status !== 404) throw problem;
  }
}

byId("remove-confirm").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  try {
    await removeDevice(leaving.id);
  } catch (problem) {
    byId("remove-failed").textContent = problemText(problem);
    byId("remove-failed").hidden = false;
    return;
  }
  byId("remove-dialog").close();
  toast(text("securityInfoSays.removed", { device: leaving.name }));
  byId("add").focus();
  await load();
}));

// ---- recent sign-ins

async function loadSignIns(cursor) {
  const { items, next } = await asMe("GET", `me/sign-ins?limit=10${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  if (!cursor && JSON.stringify(items) === shown.signIns) return [];
  if (!cursor) shown.signIns = JSON.stringify(items);
  const rows = items.map(signInRow);
  const older = cursor ? [] : olderRows(items);
  if (cursor) byId("recent").append(...rows);
  else byId("recent").replaceChildren(...rows, ...older);
  if (older.length === 0) nextPage = next;
  byId("more-row").hidden = !nextPage;
  byId("recent").hidden = byId("recent").children.length === 0;
  byId("no-recent").hidden = !byId("recent").hidden || nextPage !== null;
  return rows;
}

/** What is shown below the newest page, which More has appended: it stays while nothing is missing between the two. */
function olderRows(items) {
  const [ids, rows] = [new Set(items.map(({ id }) => id)), [...byId("recent").children]];
  const last = rows.findLastIndex((row) => ids.has(row.dataset.id));
  return last < 0 ? [] : rows.slice(last + 1);
}

/** What no phone was asked about. */
async function loadPasswords() {
  const { items } = await asMe("GET", "me/password-sign-ins");
  if (JSON.stringify(items) === shown.passwords) return;
  shown.passwords = JSON.stringify(items);
  byId("passwords").replaceChildren(...items.map(passwordRow));
  byId("passwords-card").hidden = items.length === 0;
}

function passwordRow(entry) {
  const isPass = entry.method === "temporaryAccessPass";
  const what = text(isPass ? "securityInfoSays.passedPass" : "securityInfoSays.passedPassword");
  const row = entryRow(entry, entry.reported ? alsoReported(what) : what, [entry.ipAddress]);
  mark(row, entry.reported ? looks.reported : ["", isPass ? "ticket" : "key"]);
  offerReport(row, { what, when: dayAndTime(entry.at) }, entry.reported ? null : () => ({
    words: "securityInfoSays.reportPassedText", hadPassword: !isPass, send: () => asMe("POST", `me/password-sign-ins/${encodeURIComponent(entry.id)}:report`),
  }));
  return row;
}

function signInRow(entry) {
  const device = entry.deviceName ? text("securityInfoSays.onDevice", { device: entry.deviceName }) : null;
  const what = outcomeText(entry);
  const row = entryRow(entry, what, [entry.application, device, entry.ipAddress]);
  row.dataset.id = entry.id;
  mark(row, outcomeLook(entry));
  offerReport(row, { what, when: dayAndTime(entry.at) }, canBeReported(entry) ? () => ({
    ...reportOf(entry), renew: () => row.replaceWith(signInRow({ ...entry, reason: "reported" })),
  }) : null);
  return row;
}

const isSignIn = ({ purpose }) => ["signIn", "secondFactor"].includes(purpose);
const canBeReported = (entry) => entry.reason !== "reported" && (isSignIn(entry) || entry.status === "approved");

/** How to say of an entry that it was somebody else, and what else is to be done. */
function reportOf(entry) {
  const send = () => asMe("POST", `me/sign-ins/${encodeURIComponent(entry.id)}:report`);
  if (isSignIn(entry)) return { words: "securityInfoSays.reportText", hadPassword: entry.purpose === "secondFactor", send };
  if (!entry.deviceId) return { words: "securityInfoSays.reportPassedText", hadPassword: false, send };
  const isKnown = deviceIds.has(entry.deviceId);
  return {
    words: isKnown ? "securityInfoSays.reportPhoneText" : "securityInfoSays.reportPassedText", hadPassword: false,
    device: isKnown ? entry.deviceName : null,
    // The phone first: nothing that it approves meanwhile may outlive the sessions that then end.
    async send() {
      await removeDevice(entry.deviceId);
      await send();
    },
  };
}

function entryRow(entry, what, where) {
  const row = copyOf("sign-in-row");
  row.querySelector("[data-what]").textContent = what;
  row.querySelector("[data-where]").textContent = dotted(...where);
  const when = row.querySelector("[data-when]");
  when.dateTime = entry.at;
  when.textContent = capitalized(dayAndTime(entry.at));
  return row;
}

function mark(row, [tone, glyph]) {
  setIcon(row, glyph);
  if (tone) row.querySelector(".glyph").classList.add(tone);
}

function offerReport(row, named, report) {
  const button = row.querySelector("[data-report]");
  button.hidden = report === null;
  button.setAttribute("aria-label", text("securityInfoSays.reportOf", named));
  button.addEventListener("click", () => askToReport(report(), named));
}

let doubted = null;

function askToReport(report, { what, when }) {
  doubted = report;
  byId("report-words").textContent = text(report.words, { what, when, time: waitingTime(60 * page.silenceMinutes), device: report.device });
  byId("report-confirm").textContent = text(report.device ? "securityInfoSays.reportRemove" : "securityInfoSays.reportConfirm");
  byId("report-password").hidden = !report.hadPassword;
  byId("report-failed").hidden = true;
  openDialog(byId("report-dialog"), byId("report-dialog").querySelector("[data-close]"));
}

byId("report-confirm").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  try {
    await doubted.send();
  } catch (problem) {
    byId("report-failed").textContent = problemText(problem);
    byId("report-failed").hidden = false;
    return;
  }
  // It may stand below the page that is loaded again.
  doubted.renew?.();
  byId("report-dialog").close();
  toast(text("securityInfoSays.reportDone"));
  await load();
}));

const outcomeKeys = {
  declined: "securityInfoSays.declined", reported: "securityInfoSays.reported", wrong_number: "securityInfoSays.wrong_number",
  denied: "securityInfoSays.denied", expired: "securityInfoSays.expired", canceled: "securityInfoSays.canceled",
  pending: "securityInfoSays.pending", registration: "securityInfoSays.registration",
  phoneSignInSetup: "securityInfoSays.phoneSignInSetup",
};

const isApproved = ({ status }) => status === "approved" || status === "redeemed";

/** What a phone's own request was for, which was not approved. */
const purposeKeys = { registration: "securityInfoSays.adding", phoneSignInSetup: "securityInfoSays.settingUp" };

/** What was reported afterwards: that it had let somebody in is what matters most. */
const alsoReported = (what) => dotted(what, text(outcomeKeys.reported));

function outcomeText(entry) {
  const isReported = entry.reason === "reported";
  // Refused by the report itself, on the phone: there is nothing else to say.
  if (isReported && entry.status === "denied") return text(outcomeKeys.reported);
  const outcome = text(outcomeKey({ ...entry, reason: isReported ? null : entry.reason }));
  const purpose = isApproved(entry) ? undefined : purposeKeys[entry.purpose];
  const what = dotted(purpose && text(purpose), outcome);
  return isReported ? alsoReported(what) : what;
}

function outcomeKey(entry) {
  if (isApproved(entry)) {
    if (outcomeKeys[entry.purpose]) return outcomeKeys[entry.purpose];
    return entry.method === "code" ? "securityInfoSays.approvedCode" : "securityInfoSays.approvedPush";
  }
  return outcomeKeys[entry.reason] ?? outcomeKeys[entry.status] ?? "securityInfoSays.denied";
}

byId("more").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  try {
    const rows = await loadSignIns(nextPage);
    rows[0]?.setAttribute("tabindex", "-1");
    rows[0]?.focus();
  } catch (problem) {
    toast(problemText(problem));
  }
}));

// ---- the page

async function load() {
  byId("failed").hidden = true;
  try {
    await Promise.all([asMe("GET", "me").then(showMe), loadSignIns(null), loadPasswords()]);
  } catch (problem) {
    byId("failed-words").textContent = `${byId("failed").dataset.words} ${problemText(problem)}`;
    byId("failed").hidden = false;
    shown = { me: "", signIns: "", passwords: "" };
    for (const skeleton of document.querySelectorAll(".skeleton")) skeleton.closest("li").remove();
  }
}

let looking = null;

/** Focus and visibility come back together: that is one look. */
function lookAgain() {
  looking ??= look().finally(() => { looking = null; });
}

/** What is done in a dialog is loaded when it closes, and that leads back to where it was opened. */
async function look() {
  if (document.querySelector("dialog[open]")) return lookAtAdded();
  const name = document.activeElement.getAttribute("aria-label");
  await load();
  if (name && document.activeElement === document.body) document.querySelector(`[aria-label="${CSS.escape(name)}"]`)?.focus();
}

/** `adding` is true when a phone was added, null where nothing was begun. */
async function afterAdding(adding) {
  const isAdded = await adding;
  if (isAdded) toast(text("securityInfoSays.addedDevice"));
  if (isAdded !== null) await load();
}

for (const button of document.querySelectorAll("#add, [data-add]")) button.addEventListener("click", () => afterAdding(addDevice()));
byId("reload").addEventListener("click", (event) => busy(event.currentTarget, load));
byId("sign-out").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  try {
    await signOut();
  } catch (problem) {
    toast(problemText(problem));
  }
}));
addEventListener("pageshow", (event) => event.persisted && location.reload());
// Whoever comes back from the phone, or from its tab, sees what was done there.
addEventListener("focus", lookAgain);
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") lookAgain(); });

load();
afterAdding(resumeAdding());
