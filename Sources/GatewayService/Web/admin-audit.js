// The audit log: every change, who made it, and what was before and after.

import { adminPath, asAdmin, fill, query, segment, showFacts } from "./administration.js";
import { FilterForm } from "./filters.js";
import { byId, capitalized, copyOf, dayAndTime, dotted, figure, moment, openDialog, setIcon, text } from "./page.js";
import { modeKeys } from "./modes.js";
import { PagedList } from "./paged-list.js";
import { policyChanges } from "./policy-changes.js";

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
  "pass.withdraw": "adminAuditSays.passWithdraw",
  "phone-sign-in.disable": "adminAuditSays.phoneSignInDisable", "phone-sign-in.enable": "adminAuditSays.phoneSignInEnable",
  "session.open": "adminAuditSays.sessionOpen", "session.open.credential": "adminAuditSays.sessionOpen",
  "session.end-others": "adminAuditSays.sessionEndOthers", "user.block": "adminAuditSays.userBlock",
  "user.change": "adminAuditSays.userChange", "user.create": "adminAuditSays.userCreate",
  "session.report": "adminAuditSays.sessionReport", "password.refuse": "adminAuditSays.passwordRefuse",
  "user.delete": "adminAuditSays.userDelete", "user.import": "adminAuditSays.userImport",
  "user.default-method": "adminAuditSays.userDefaultMethod", "user.unblock": "adminAuditSays.userUnblock",
};
const icons = {
  user: "person", group: "people", device: "phone", "phone-sign-in": "phone", activation: "phone", pass: "ticket", codes: "code",
  client: "app", policy: "shield", settings: "sliders", session: "key", password: "alert",
};
/** How a session was opened, or was to be. */
const methods = {
  password: "adminAuditSays.byPassword", temporaryAccessPass: "adminAuditSays.byPass", phone: "adminAuditSays.byPhone",
  code: "adminAuditSays.byCode",
};
const standIns = { all_users: "adminAuditSays.allUsers", "00000000-0000-0000-0000-000000000000": "adminAuditSays.nobody" };
const kinds = {
  client: "adminAuditSays.byApplication", person: "adminAuditSays.byPerson", token: "adminAuditSays.byToken",
  operator: "adminAuditSays.byOperator", device: "adminAuditSays.byDevice", service: "adminAuditSays.byService",
  unknown: "adminAuditSays.byUnknown",
};

const filters = new FilterForm(byId("filters"), () => list.start());
const list = new PagedList(byId("entries"), {
  async load(cursor) {
    let { items, next } = await page(cursor, 50);
    // To the end of an import, where that is not too far.
    while (next && items.length < importedMax && isImport(items.at(-1))) {
      const more = await page(next, pageMax);
      items = items.concat(more.items);
      next = more.next;
    }
    return { items: folded(items), next };
  },
  row: (entries) => (entries.length === 1 ? rowOf(entries[0]) : importRow(entries)),
});

const pageMax = 1000;
const importedMax = 5000;
const page = (cursor, limit) => asAdmin("GET", `audit${query({ ...filters.members, limit, cursor })}`);
const isImport = ({ action, requestId }) => action === "user.import" && requestId !== null;

/** Lists of entries: one of each, but what one import changed in one. */
function folded(entries) {
  const lists = new Map();
  for (const entry of entries) {
    const key = isImport(entry) ? `import ${entry.requestId}` : entry.id;
    if (!lists.has(key)) lists.set(key, []);
    lists.get(key).push(entry);
  }
  return [...lists.values()];
}

/** A row of that template; by whom and when `entry` says. */
function rowFrom(template, what, entry) {
  const row = fill(copyOf(template), {
    what, who: text("adminAuditSays.by", { who: who(entry.actor) }), when: capitalized(dayAndTime(entry.at)),
  });
  row.querySelector("time").dateTime = entry.at;
  return row;
}

function rowOf(entry) {
  const row = rowFrom("entry-row", [action(entry), subject(entry)].filter(Boolean).join(": "), entry);
  setIcon(row.querySelector(".glyph"), icons[kindOf(entry)] ?? "list");
  row.querySelector("button").addEventListener("click", () => details(entry));
  return row;
}

/** One line that opens: each change stays provable by itself. */
function importRow(entries) {
  const row = rowFrom("import-row", text("adminAuditSays.imported", { count: figure(entries.length) }), entries[0]);
  const [button, changes] = [row.querySelector("button"), row.querySelector("ul")];
  button.addEventListener("click", () => {
    if (!changes.hasChildNodes()) changes.replaceChildren(...entries.map(rowOf));
    changes.hidden = !changes.hidden;
    button.setAttribute("aria-expanded", String(!changes.hidden));
  });
  return row;
}

const kindOf = (entry) => entry.action.split(".")[0];
const action = (entry) => (entry.action in actions ? text(actions[entry.action]) : entry.action);
/** What the change concerns, by the names that the change itself knows, or that the directory has for it now. */
function subject(entry) {
  const { action, target, before, after } = entry;
  const { username, name, addedUsernames, removedUsernames } = { ...before, ...after };
  if (action === "group.members") {
    const people = [membersText("adminAuditSays.added", addedUsernames), membersText("adminAuditSays.removed", removedUsernames)];
    return dotted(name, ...people);
  }
  if (action === "policy.change") return policySubject(entry);
  if (action === "password.refuse" || action.startsWith("session.open")) {
    const { method, count, ipAddress } = after ?? {};
    const times = count > 1 ? text("adminAuditSays.times", { count: figure(count) }) : null;
    return dotted(username, methods[method] && text(methods[method]), times, ipAddress);
  }
  if (action === "session.end-others") {
    const ended = (key, count) => (count ? text(key, { count: figure(count) }) : null);
    return dotted(username, ended("adminAuditSays.sessions", after?.sessions), ended("adminAuditSays.activations", after?.activations));
  }
  if (username && name) return text("adminAuditSays.deviceOf", { device: name, person: username });
  return username ?? name ?? (action.startsWith("codes.") ? target : undefined);
}

/** What is another in a policy: for whom it is, in which mode, and what it shows. */
function policySubject({ before, after, targets }) {
  const changes = policyChanges(before, after);
  const nameOf = namer({ targets });
  return dotted(
    changes.state && text(after?.state === "enabled" ? "adminAuditSays.turnedOn" : "adminAuditSays.turnedOff"),
    changes.codes && text(after?.isSoftwareOathEnabled ? "adminAuditSays.codesOn" : "adminAuditSays.codesOff"),
    membersText("adminAuditSays.included", changes.included.map(nameOf)),
    membersText("adminAuditSays.notIncluded", changes.notIncluded.map(nameOf)),
    membersText("adminAuditSays.excluded", changes.excluded.map(nameOf)),
    membersText("adminAuditSays.notExcluded", changes.notExcluded.map(nameOf)),
    membersText("adminAuditSays.modes", changes.modes.map(nameOf)),
    changes.order && text("adminAuditSays.reordered"),
    changes.features.length > 0 && text("adminAuditSays.shown"),
  );
}

/** What to call the people and groups that the entry names by id. One that is gone keeps its id, and so does one of two of the same name. */
function namer({ targets }) {
  const known = new Map((targets ?? []).map(({ id, name }) => [id, name]));
  const count = (name) => [...known.values()].filter((other) => other === name).length;
  return ({ id }) => {
    if (id in standIns) return text(standIns[id]);
    const name = known.get(id);
    if (name) return count(name) > 1 ? `${name} (${id})` : name;
    return name === null ? text("adminAuditSays.gone", { id }) : id;
  };
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
  const isPerson = ["user", "pass", "activation", "session", "password"].includes(kindOf(entry));
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
    [text("adminAuditSays.targetId"), subject(entry) ? entry.target : null],
    [text("adminAuditSays.requestId"), entry.requestId],
  ]);
  const rows = differences(entry).map(differenceRow);
  byId("difference-rows").replaceChildren(...rows);
  byId("difference").hidden = rows.length === 0;
  openDialog(byId("entry-dialog"), byId("entry-dialog").querySelector("[data-close]"));
}

function differenceRow([name, before, after]) {
  const row = fill(copyOf("difference-row"), { before, after });
  // A path may go on in the next line behind each of its parts, and nowhere else.
  const parts = name.split(/(?<=\.)|(?=\[)/);
  row.querySelector("[data-name]").append(...parts.flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part])));
  return row;
}

/** The members that are not the same, with their whole path. */
function differences(entry) {
  const nameOf = namer(entry);
  const [old, fresh] = [flat(entry.before, nameOf), flat(entry.after, nameOf)];
  return [...new Set([...old.keys(), ...fresh.keys()])].filter((name) => old.get(name) !== fresh.get(name))
    .map((name) => [name, old.get(name) ?? "–", fresh.get(name) ?? "–"]);
}

/** A mode by the word that the policy's page has for it, anything else as it is. */
const wordOf = (value, name) => (name.endsWith("authenticationMode") && value in modeKeys ? text(modeKeys[value]) : String(value));

const isTarget = (value) => typeof value?.targetType === "string" && typeof value.id === "string";

/** Each member by its path; people and groups by their names, wherever in a list they are. */
function flat(value, nameOf, name = "", into = new Map()) {
  if (isTarget(value)) {
    into.set(name, nameOf(value));
    return into;
  }
  if (Array.isArray(value) && value.length > 0 && value.every(isTarget)) {
    into.set(name, value.map(nameOf).join(", "));
    for (const { targetType, id, ...rest } of value) {
      if (Object.keys(rest).length > 0) flat(rest, nameOf, `${name}[${nameOf({ targetType, id })}]`, into);
    }
    return into;
  }
  if (value === null || typeof value !== "object") {
    if (value !== null || name) into.set(name, wordOf(value, name));
    return into;
  }
  // The names of the same groups, and of the same person, stand beside.
  const members = Object.entries(value).filter(([key]) => !(key === "groups" && value.groupNames) && !(key === "user" && value.username));
  if (members.length === 0) into.set(name, Array.isArray(value) ? "[]" : "{}");
  for (const [key, member] of members) flat(member, nameOf, Array.isArray(value) ? `${name}[${key}]` : name ? `${name}.${key}` : key, into);
  return into;
}

list.start();
