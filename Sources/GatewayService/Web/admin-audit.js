// The audit log: every change, who made it, and what was before and after.

import { adminPath, asAdmin, fill, query, segment, showFacts } from "./administration.js";
import { FilterForm } from "./filters.js";
import { byId, capitalized, copyOf, dayAndTime, moment, openDialog, setIcon, text } from "./page.js";
import { PagedList } from "./paged-list.js";

const actions = {
  "tenant.create": "adminAuditSays.tenantCreate", "policy.change": "adminAuditSays.policyChange",
  "settings.change": "adminAuditSays.settingsChange", "client.create": "adminAuditSays.clientCreate",
  "client.delete": "adminAuditSays.clientDelete", "activation.create": "adminAuditSays.activationCreate",
  "codes.lock": "adminAuditSays.codesLock", "codes.unlock": "adminAuditSays.codesUnlock",
  "device.activate": "adminAuditSays.deviceActivate", "device.change": "adminAuditSays.deviceChange",
  "device.discard": "adminAuditSays.deviceDiscard", "device.drop-push-address": "adminAuditSays.deviceDropPushAddress",
  "device.register": "adminAuditSays.deviceRegister",
  "device.remove": "adminAuditSays.deviceRemove", "group.change": "adminAuditSays.groupChange",
  "group.create": "adminAuditSays.groupCreate", "group.delete": "adminAuditSays.groupDelete",
  "group.members": "adminAuditSays.groupMembers", "pass.issue": "adminAuditSays.passIssue",
  "phone-sign-in.disable": "adminAuditSays.phoneSignInDisable", "phone-sign-in.enable": "adminAuditSays.phoneSignInEnable",
  "session.open": "adminAuditSays.sessionOpen", "session.end-others": "adminAuditSays.sessionEndOthers", "user.block": "adminAuditSays.userBlock",
  "user.change": "adminAuditSays.userChange", "user.create": "adminAuditSays.userCreate",
  "user.delete": "adminAuditSays.userDelete", "user.import": "adminAuditSays.userImport",
  "user.default-method": "adminAuditSays.userDefaultMethod", "user.unblock": "adminAuditSays.userUnblock",
};
const icons = {
  user: "person", group: "people", device: "phone", "phone-sign-in": "phone", activation: "phone", pass: "ticket", codes: "code",
  client: "app", policy: "shield", settings: "sliders", session: "key",
};
const kinds = {
  client: "adminAuditSays.byApplication", person: "adminAuditSays.byPerson", token: "adminAuditSays.byToken",
  operator: "adminAuditSays.byOperator", device: "adminAuditSays.byDevice", service: "adminAuditSays.byService",
};

const filters = new FilterForm(byId("filters"), () => list.start());
const list = new PagedList(byId("entries"), {
  load: (cursor) => asAdmin("GET", `audit${query({ ...filters.members, limit: 50, cursor })}`),
  row(entry) {
    const row = fill(copyOf("entry-row"), {
      what: [action(entry), subject(entry)].filter(Boolean).join(": "), who: text("adminAuditSays.by", { who: who(entry.actor) }),
      when: capitalized(dayAndTime(entry.at)),
    });
    setIcon(row.querySelector(".glyph"), icons[kindOf(entry)] ?? "list");
    row.querySelector("time").dateTime = entry.at;
    row.querySelector("button").addEventListener("click", () => details(entry));
    return row;
  },
});

const kindOf = (entry) => entry.action.split(".")[0];
const action = (entry) => (entry.action in actions ? text(actions[entry.action]) : entry.action);
/** What the change concerns, by the names that the change itself knows. */
function subject({ action, target, before, after }) {
  const { username, name, addedUsernames, removedUsernames } = { ...before, ...after };
  if (action === "group.members") {
    const people = [membersText("adminAuditSays.added", addedUsernames), membersText("adminAuditSays.removed", removedUsernames)];
    return [name, ...people].filter(Boolean).join(" · ");
  }
  if (username && name) return text("adminAuditSays.deviceOf", { device: name, person: username });
  return username ?? name ?? (action.startsWith("codes.") ? target : undefined);
}

const namedMax = 3;

function membersText(key, names = []) {
  if (names.length === 0) return null;
  const shown = names.slice(0, namedMax).join(", ");
  const people = names.length <= namedMax ? shown : text("adminAuditSays.andMore", { names: shown, count: names.length - namedMax });
  return text(key, { people });
}

/** The page of the person or group that it concerns. */
function placeOf(entry) {
  const { target, before, after } = entry;
  if (kindOf(entry) === "group") return adminPath(`/groups/${segment(target)}`);
  const isPerson = ["user", "pass", "activation", "session"].includes(kindOf(entry));
  const person = { ...before, ...after }.user ?? (isPerson ? target : null);
  return person && adminPath(`/people/${segment(person)}`);
}
const who = ({ kind, name, id }) => text(kinds[kind] ?? "adminAuditSays.byOther", { name: name || id });

function details(entry) {
  showFacts(byId("entry-facts"), [
    [text("adminAuditSays.what"), action(entry)],
    [text("adminAuditSays.who"), who(entry.actor)],
    [text("adminAuditSays.when"), moment(entry.at)],
    [text("adminAuditSays.target"), subject(entry) || entry.target, placeOf(entry)],
    [text("adminAuditSays.targetId"), entry.target],
    [text("adminAuditSays.requestId"), entry.requestId],
  ]);
  const rows = differences(entry.before, entry.after).map(([name, before, after]) => fill(copyOf("difference-row"), { name, before, after }));
  byId("difference-rows").replaceChildren(...rows);
  byId("difference").hidden = rows.length === 0;
  openDialog(byId("entry-dialog"), byId("entry-dialog").querySelector("[data-close]"));
}

/** The members that are not the same, with their whole path. */
function differences(before, after) {
  const [old, fresh] = [flat(before), flat(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])].filter((name) => old.get(name) !== fresh.get(name))
    .map((name) => [name, old.get(name) ?? "–", fresh.get(name) ?? "–"]);
}

function flat(value, name = "", into = new Map()) {
  if (value === null || typeof value !== "object") {
    if (value !== null || name) into.set(name, value === null ? "null" : String(value));
    return into;
  }
  const members = Object.entries(value);
  if (members.length === 0) into.set(name, Array.isArray(value) ? "[]" : "{}");
  for (const [key, member] of members) flat(member, Array.isArray(value) ? `${name}[${key}]` : name ? `${name}.${key}` : key, into);
  return into;
}

list.start();
