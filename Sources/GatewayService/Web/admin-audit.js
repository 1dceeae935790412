// The audit log: every change, who made it, and what was before and after.

import { adminPath, asAdmin, fill, query, segment, showFacts } from "./administration.js";
import { FilterForm } from "./filters.js";
import { byId, capitalized, copyOf, dayAndTime, moment, openDialog, text } from "./page.js";
import { PagedList } from "./paged-list.js";

const actions = {
  "tenant.create": "adminAuditSays.tenantCreate", "policy.change": "adminAuditSays.policyChange",
  "settings.change": "adminAuditSays.settingsChange", "client.create": "adminAuditSays.clientCreate",
  "client.delete": "adminAuditSays.clientDelete", "activation.create": "adminAuditSays.activationCreate",
  "codes.lock": "adminAuditSays.codesLock", "codes.unlock": "adminAuditSays.codesUnlock",
  "device.activate": "adminAuditSays.deviceActivate", "device.change": "adminAuditSays.deviceChange",
  "device.discard": "adminAuditSays.deviceDiscard", "device.register": "adminAuditSays.deviceRegister",
  "device.remove": "adminAuditSays.deviceRemove", "group.change": "adminAuditSays.groupChange",
  "group.create": "adminAuditSays.groupCreate", "group.delete": "adminAuditSays.groupDelete",
  "group.members": "adminAuditSays.groupMembers", "pass.issue": "adminAuditSays.passIssue",
  "phone-sign-in.disable": "adminAuditSays.phoneSignInDisable", "phone-sign-in.enable": "adminAuditSays.phoneSignInEnable",
  "session.open": "adminAuditSays.sessionOpen", "user.block": "adminAuditSays.userBlock",
  "user.change": "adminAuditSays.userChange", "user.create": "adminAuditSays.userCreate",
  "user.delete": "adminAuditSays.userDelete", "user.import": "adminAuditSays.userImport",
  "user.default-method": "adminAuditSays.userDefaultMethod", "user.unblock": "adminAuditSays.userUnblock",
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
      what: action(entry), who: [text("adminAuditSays.by", { who: who(entry.actor) }), subject(entry)].filter(Boolean).join(" · "),
      when: capitalized(dayAndTime(entry.at)),
    });
    row.querySelector("time").dateTime = entry.at;
    row.querySelector("button").addEventListener("click", () => details(entry));
    return row;
  },
});

const action = (entry) => (entry.action in actions ? text(actions[entry.action]) : entry.action);
/** What the change concerns, by the name that the change itself knows. */
const subject = ({ before, after }) => after?.username ?? before?.username ?? after?.name ?? before?.name;
const who = ({ kind, name, id }) => text(kinds[kind] ?? "adminAuditSays.byOther", { name: name || id });

function details(entry) {
  const place = { user: "people", group: "groups" }[entry.action.split(".")[0]];
  showFacts(byId("entry-facts"), [
    [text("adminAuditSays.what"), action(entry)],
    [text("adminAuditSays.who"), who(entry.actor)],
    [text("adminAuditSays.when"), moment(entry.at)],
    [text("adminAuditSays.target"), entry.target, place ? adminPath(`/${place}/${segment(entry.target)}`) : null],
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
