// One person: devices, what the policy says and why, groups, and what an administrator may do.

import { adminPath, adminProblem, asAdmin, attempt, confirmed, fill, initials, isPasswordAccepted, nameWindow, notice, query, segment, showFacts, showSecret } from "./administration.js";
import { may, modeKeys } from "./modes.js";
import { byId, copyOf, day, dayAndTime, dayInWords, dotted, fieldError, figure, openDialog, setIcon, text, toast } from "./page.js";
import { namedTarget, pickTargets } from "./target-picker.js";

const id = byId("content").dataset.id;
const path = `users/${segment(id)}`;
const platforms = {
  ios: "adminPersonSays.ios", android: "adminPersonSays.android", web: "adminPersonSays.web", cli: "adminPersonSays.cli",
};
let person = null;
/** What the policy lets the person do; null for nothing, undefined until it is known. */
let mode;

// ---- the person

function show(document) {
  person = document;
  const name = person.displayName || person.username;
  byId("name").textContent = name;
  nameWindow(name);
  byId("initials").textContent = initials(name);
  byId("username").textContent = person.username;
  byId("administrator").hidden = !person.roles.includes("administrator");
  byId("blocked").hidden = !person.blocked;
  byId("block").textContent = person.blocked ? text("adminPersonSays.unblock") : text("adminPersonSays.block");
  byId("block").disabled = byId("pass").disabled = false;
  byId("sign-ins").href = adminPath(`/sign-ins${query({ user: person.username })}`);
}

/** Everything that is shown, as it is now: what changes one part of it may change the others. */
async function load() {
  notice(byId("failed"), null);
  try {
    show(await asAdmin("GET", path));
    // A server of an earlier version does not know: the rest of the page is there all the same.
    const pass = loadPass().catch((problem) => notice(byId("failed"), adminProblem(problem)));
    await Promise.all([explain().then(loadDevices), loadGroups(), pass]);
    byId("person").hidden = false;
  } catch (problem) {
    notice(byId("failed"), adminProblem(problem));
  }
}

// ---- devices

async function loadDevices() {
  const { items } = await asAdmin("GET", `${path}/devices`);
  const devices = items.filter((device) => device.state !== "removed");
  byId("devices").replaceChildren(...devices.map(deviceRow));
  byId("no-devices").hidden = devices.length > 0;
  // Whether they are locked nobody tells; without a device there are none.
  byId("codes").hidden = devices.length === 0;
}

function deviceRow(device) {
  const row = copyOf("device-row");
  const isOn = device.phoneSignIn.createdDateTime !== null;
  setIcon(row.querySelector(".glyph"), device.platform === "web" || device.platform === "cli" ? "laptop" : "phone");
  const [tone, state] =
    device.state === "awaitingConfirmation" ? ["warning", "adminPersonSays.awaiting"]
    : person.blocked || !mode ? ["warning", "adminPersonSays.notAllowed"]
    : isOn && !may.phoneSignIn(mode) ? ["warning", "adminPersonSays.phoneSignInRefused"]
    : isOn ? ["good", "adminPersonSays.phoneSignInOn"] : ["", "adminPersonSays.phoneSignInOff"];
  fill(row, {
    name: device.name, state: text(state),
    facts: dotted(
      text(platforms[device.platform], { version: device.osVersion }), text("adminPersonSays.app", { version: device.appVersion }),
      text("adminPersonSays.added", { date: day(device.createdAt) }),
      device.lastUsedAt ? text("adminPersonSays.lastUsed", { date: dayInWords(device.lastUsedAt) }) : null,
    ),
  });
  if (tone) row.querySelector("[data-state]").classList.add(tone);
  const remove = row.querySelector("[data-remove]");
  remove.setAttribute("aria-label", text("adminPersonSays.removeDevice", { device: device.name }));
  remove.addEventListener("click", async () => {
    const question = {
      title: text("adminPersonSays.removeTitle"), words: text("adminPersonSays.removeWords", { device: device.name }),
      action: text("adminPersonSays.removeAction"),
    };
    if (await confirmed(question, () => asAdmin("DELETE", `${path}/devices/${segment(device.id)}`))) {
      toast(text("adminPersonSays.removed", { device: device.name }));
      await loadDevices();
    }
  });
  return row;
}

// ---- what the policy says

const rules = {
  state: "adminPersonSays.ruleState", excludeTargets: "adminPersonSays.ruleExclude", "includeTargets.user": "adminPersonSays.ruleUser",
  "includeTargets.group": "adminPersonSays.ruleGroup", "includeTargets.all_users": "adminPersonSays.ruleAll",
};
const results = {
  "no match": "adminPersonSays.noMatch", enabled: "adminPersonSays.enabled", disabled: "adminPersonSays.disabled",
};

async function explain() {
  const [said, policy] = await Promise.all([
    asAdmin("GET", `policies/authenticator/explain${query({ user: person.username })}`), asAdmin("GET", "policies/authenticator"),
  ]);
  mode = said.mode;
  const target = policy.state === "disabled" ? text("adminPersonSays.rule", { name: text("adminPersonSays.ruleState"), result: text("adminPersonSays.disabled") })
    : said.decidingTarget === null ? text("adminPersonSays.nobodyDecides")
    : said.decidingTarget.id === "all_users" ? text("adminPersonSays.allUsers") : (await namedTarget(said.decidingTarget)).name;
  const yes = (value) => text(value ? "adminSays.yes" : "adminSays.no");
  showFacts(byId("explain-facts"), [
    [text("adminPersonSays.mode"), said.mode ? text(modeKeys[said.mode]) : text("adminPersonSays.noMode")],
    [text("adminPersonSays.decidingTarget"), target],
    // Who may not use the app has no other second step.
    [text("adminPersonSays.codes"), !said.mode && policy.isSoftwareOathEnabled ? text("adminPersonSays.afterPassword") : yes(said.features.offlineCodes)],
    // What a phone shows is of no account where no request reaches it.
    [text("adminPersonSays.showsApplication"), said.mode && yes(said.features.displayAppInformation)],
    [text("adminPersonSays.showsLocation"), said.mode && yes(said.features.displayLocationInformation)],
  ]);
  byId("rules").replaceChildren(...said.rules.map(({ rule, result }, index) => ruleItem(rule, result, index === said.rules.length - 1, target)));
}

function ruleItem(rule, result, isLast, target) {
  const item = document.createElement("li");
  const name = rule in rules ? text(rules[rule]) : rule;
  const said = result in results ? text(results[result]) : isLast ? text("adminPersonSays.decides", { target }) : result;
  item.textContent = text("adminPersonSays.rule", { name, result: said });
  return item;
}

// ---- groups

async function loadGroups() {
  const groups = await Promise.all(person.groups.map((group) => namedTarget({ targetType: "group", id: group })));
  byId("groups").replaceChildren(...groups.map(groupRow));
  byId("no-groups").hidden = groups.length > 0;
}

function groupRow(group) {
  const row = fill(copyOf("group-row"), { name: group.name });
  row.querySelector("a").href = adminPath(`/groups/${segment(group.id)}`);
  const remove = row.querySelector("[data-remove]");
  remove.setAttribute("aria-label", text("adminPersonSays.leave", { group: group.name }));
  remove.addEventListener("click", async () => {
    const question = {
      title: text("adminPersonSays.leaveTitle"), words: text("adminPersonSays.leaveWords", { group: group.name }),
      action: text("adminSays.remove"),
    };
    if (await confirmed(question, () => asAdmin("DELETE", `groups/${segment(group.id)}/members/${segment(id)}`))) await load();
  });
  return row;
}

byId("add-group").addEventListener("click", async () => {
  await pickTargets({
    title: text("adminPersonSays.addGroupTitle"), of: ["group"], isTaken: (group) => person.groups.includes(group.id),
  }, (group) => asAdmin("POST", `groups/${segment(group.id)}/members`, { body: { add: [id] } }),
  (group) => asAdmin("POST", `groups/${segment(group.id)}/members`, { body: { remove: [id] } }));
  await load();
});

// ---- a pass that is out

const loadPass = async () => showPass(await asAdmin("GET", `${path}/temporary-access-pass`));

const passFacts = ({ usableOnce, expiresAt }) => text(usableOnce ? "adminPersonSays.passOnce" : "adminPersonSays.passSeveral", { time: dayAndTime(expiresAt) });

function showPass(pass) {
  byId("pass-out").hidden = !pass.outstanding;
  byId("pass-out-facts").textContent = pass.outstanding ? passFacts(pass) : "";
}

byId("withdraw").addEventListener("click", async () => {
  const question = {
    title: text("adminPersonSays.withdrawTitle"), words: text("adminPersonSays.withdrawWords"), action: text("adminPersonSays.withdraw"),
  };
  if (!await confirmed(question, () => asAdmin("DELETE", `${path}/temporary-access-pass`))) return;
  toast(text("adminPersonSays.withdrawn"));
  await loadPass();
  byId("pass").focus();
});

// ---- what may be done

byId("block").addEventListener("click", async () => {
  const name = person.displayName || person.username;
  const question = person.blocked
    ? { title: text("adminPersonSays.unblockTitle", { name }), words: text("adminPersonSays.unblockWords"), action: text("adminPersonSays.unblock"), isDangerous: false }
    : { title: text("adminPersonSays.blockTitle", { name }), words: text("adminPersonSays.blockWords"), action: text("adminPersonSays.block") };
  const isDone = await confirmed(question, async () => show(await asAdmin("POST", `${path}:${person.blocked ? "unblock" : "block"}`)));
  if (!isDone) return;
  toast(person.blocked ? text("adminPersonSays.isBlocked", { name }) : text("adminPersonSays.isUnblocked", { name }));
  await load();
});

byId("pass").addEventListener("click", () => {
  notice(byId("pass-failed"), null);
  const name = person.displayName || person.username;
  notice(byId("pass-refused"), mode === null && !person.blocked ? text("adminPersonSays.passRefused", { name }) : null);
  fieldError(byId("lifetime"), null);
  openDialog(byId("pass-dialog"), byId("lifetime"));
});

byId("pass-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const lifetime = byId("lifetime");
  const fault = lifetime.checkValidity() && lifetime.value ? null : text("adminSays.range", { min: figure(lifetime.min), max: figure(lifetime.max) });
  fieldError(lifetime, fault);
  if (fault) return;
  let pass;
  const isDone = await attempt(byId("pass-action"), byId("pass-failed"), async () => {
    const body = { lifetimeMinutes: lifetime.valueAsNumber, usableOnce: byId("once").checked };
    pass = await asAdmin("POST", `${path}/temporary-access-pass`, { body });
  });
  if (!isDone) return;
  byId("pass-dialog").close();
  showPass({ ...pass, outstanding: true });
  await showSecret({
    title: text("adminPersonSays.passReady"), words: text("adminPersonSays.passWords"), label: text("adminPersonSays.passLabel"),
    secret: pass.temporaryAccessPass, facts: passFacts(pass),
  });
});

byId("edit").addEventListener("click", () => {
  byId("edit-form").reset();
  byId("edit-name").value = person.displayName;
  byId("edit-administrator").checked = person.roles.includes("administrator");
  fieldError(byId("edit-password"), null);
  notice(byId("edit-failed"), null);
  openDialog(byId("edit-dialog"), byId("edit-name"));
});

byId("edit-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!isPasswordAccepted(byId("edit-password"))) return;
  const others = person.roles.filter((role) => role !== "administrator");
  const body = { displayName: byId("edit-name").value.trim(), roles: byId("edit-administrator").checked ? [...others, "administrator"] : others };
  if (byId("edit-password").value) body.password = byId("edit-password").value;
  if (await attempt(byId("edit-action"), byId("edit-failed"), async () => show(await asAdmin("PATCH", path, { body })))) {
    byId("edit-dialog").close();
    toast(text("adminSays.saved"));
    await load();
  }
});

byId("unlock").addEventListener("click", async () => {
  const question = {
    title: text("adminPersonSays.unlockTitle"), words: text("adminPersonSays.unlockWords"), action: text("adminPersonSays.unlock"), isDangerous: false,
  };
  if (await confirmed(question, () => asAdmin("POST", `${path}:unlock-codes`))) toast(text("adminPersonSays.unlocked"));
});

byId("delete").addEventListener("click", async () => {
  const question = {
    title: text("adminPersonSays.deleteTitle", { name: person.displayName || person.username }), words: text("adminPersonSays.deleteWords"),
    action: text("adminPersonSays.delete"),
  };
  if (await confirmed(question, () => asAdmin("DELETE", path))) location.assign(adminPath("/people"));
});

load();
