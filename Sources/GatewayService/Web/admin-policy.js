// The method policy: who may use the authenticator, and how. What is edited here is saved at once, after a look at what it means.

import { adminProblem, asAdmin, attempt, fill, notice, query, replyToAdmin } from "./administration.js";
import { byId, copyOf, dayAndTime, dotted, figure, openDialog, text, toast } from "./page.js";
import { Draft } from "./drafts.js";
import { may, modeKeys } from "./modes.js";
import { allUsers, features, isEqual, isSame, policyChanges } from "./policy-changes.js";
import { namedTarget, pickTargets, targetGlyph } from "./target-picker.js";

const path = "policies/authenticator";
const nobody = { targetType: "group", id: "00000000-0000-0000-0000-000000000000" };

/** The document as the server has it, and as it is edited. */
let saved = null;
let edited = null;
let etag = "";
/** Names by `type id`, as far as they are known. */
const names = new Map();
const draft = new Draft("policy", () => edited);

const key = ({ targetType, id }) => `${targetType} ${id}`;

// ---- names

async function learn(document) {
  const targets = [
    ...document.includeTargets, ...document.excludeTargets,
    ...features.flatMap((name) => [document.featureSettings[name].includeTarget, document.featureSettings[name].excludeTarget]),
  ].filter((target) => !isSame(target, allUsers) && !isSame(target, nobody) && !names.has(key(target)));
  const unknown = [...new Map(targets.map((target) => [key(target), target])).values()];
  // A few at a time: a policy may name hundreds.
  const next = async () => {
    for (let target = unknown.pop(); target; target = unknown.pop()) names.set(key(target), await namedTarget(target));
  };
  await Promise.all([next(), next(), next(), next()]);
}

function named(target) {
  if (isSame(target, allUsers)) return { ...target, name: text("adminPolicySays.allUsers"), detail: text("adminPolicySays.allUsersDetail") };
  if (isSame(target, nobody)) return { ...target, name: text("adminPolicySays.nobody"), detail: "" };
  return names.get(key(target)) ?? { ...target, name: target.id, detail: "" };
}

const nameOf = (target) => named(target).name;

// ---- the page

async function load() {
  const reply = await replyToAdmin("GET", path);
  saved = reply.body;
  etag = reply.etag;
  edited = structuredClone(saved);
  await learn(saved);
}

function show() {
  byId("enabled").checked = edited.state === "enabled";
  byId("codes").checked = edited.isSoftwareOathEnabled;
  for (const name of ["enabled", "codes"]) byId(`${name}-words`).textContent = text(byId(name).checked ? "adminSays.yes" : "adminSays.no");
  const hasAll = edited.includeTargets.some((target) => isSame(target, allUsers));
  byId("scope-all").checked = hasAll;
  byId("scope-selected").checked = !hasAll;
  showTargets("include", edited.includeTargets);
  showTargets("exclude", edited.excludeTargets);
  for (const name of features) showFeature(name);
  draft.show();
}

function showTargets(list, targets) {
  byId(list).replaceChildren(...targets.map((target, index) => targetRow(list, targets, target, index)));
  byId(`${list}-none`).hidden = targets.length > 0;
}

function targetRow(list, targets, target, index) {
  const row = copyOf("target-row");
  const { name, detail } = named(target);
  targetGlyph(row.querySelector(".glyph"), named(target));
  const kind = target.targetType === "user" ? text("adminPolicySays.person") : text("adminPolicySays.group");
  fill(row, { name, detail: isSame(target, allUsers) ? detail : dotted(kind, detail) });
  const mode = row.querySelector("[data-mode]");
  const configure = row.querySelector("[data-configure]");
  mode.hidden = configure.hidden = list === "exclude";
  if (list === "include") {
    mode.textContent = text(modeKeys[target.authenticationMode]);
    configure.setAttribute("aria-label", text("adminPolicySays.configure", { name }));
    configure.addEventListener("click", () => askForMode(target));
  }
  showEarlier(row.querySelector("[data-earlier]"), list, targets, target, index);
  const remove = row.querySelector("[data-remove]");
  remove.hidden = isSame(target, allUsers) && list === "include";
  remove.setAttribute("aria-label", text("adminPolicySays.remove", { name }));
  remove.addEventListener("click", () => {
    targets.splice(index, 1);
    show();
    byId(`add-${list}`).focus();
  });
  return row;
}

/** Between two groups the first decides, so that their order can be changed. */
function showEarlier(button, list, targets, target, index) {
  const isGroup = (other) => other.targetType === "group" && !isSame(other, allUsers);
  const before = targets.slice(0, index).findLastIndex(isGroup);
  button.hidden = list === "exclude" || !isGroup(target) || before < 0;
  button.querySelector("[data-earlier-words]").textContent = text("adminPolicySays.earlier", { name: nameOf(target) });
  button.addEventListener("click", () => {
    targets.splice(index, 1);
    targets.splice(before, 0, target);
    show();
    byId("include").children[before].querySelector("[data-configure]").focus();
  });
}

function showFeature(name) {
  const section = document.querySelector(`[data-feature="${name}"]`);
  const feature = edited.featureSettings[name];
  section.querySelector("[data-state]").value = feature.state;
  section.querySelector("[data-include]").textContent = nameOf(feature.includeTarget);
  section.querySelector("[data-exclude]").textContent = nameOf(feature.excludeTarget);
  section.querySelector('[data-reset="includeTarget"]').hidden = isSame(feature.includeTarget, allUsers);
  section.querySelector('[data-reset="excludeTarget"]').hidden = isSame(feature.excludeTarget, nobody);
}

// ---- editing

byId("enabled").addEventListener("change", () => {
  edited.state = byId("enabled").checked ? "enabled" : "disabled";
  show();
});
byId("codes").addEventListener("change", () => {
  edited.isSoftwareOathEnabled = byId("codes").checked;
  show();
});
byId("scope-all").addEventListener("change", () => {
  // As it was, where it was there before.
  const place = saved.includeTargets.findIndex((target) => isSame(target, allUsers));
  const entry = { ...allUsers, isRegistrationRequired: false, authenticationMode: "any", ...saved.includeTargets[place] };
  edited.includeTargets.splice(place < 0 ? edited.includeTargets.length : place, 0, entry);
  show();
});
byId("scope-selected").addEventListener("change", () => {
  edited.includeTargets = edited.includeTargets.filter((target) => !isSame(target, allUsers));
  show();
});

for (const list of ["include", "exclude"]) {
  byId(`add-${list}`).addEventListener("click", () => pickTargets({
    title: text(list === "include" ? "adminPolicySays.addInclude" : "adminPolicySays.addExclude"),
    isTaken: (target) => edited[`${list}Targets`].some((other) => isSame(other, target)),
  }, (target) => {
    names.set(key(target), target);
    const entry = { targetType: target.targetType, id: target.id };
    if (list === "include") Object.assign(entry, { isRegistrationRequired: false, authenticationMode: "any" });
    const targets = edited[`${list}Targets`];
    const last = targets.findIndex((other) => isSame(other, allUsers));
    targets.splice(last < 0 ? targets.length : last, 0, entry);
    show();
  }, (target) => {
    edited[`${list}Targets`] = edited[`${list}Targets`].filter((other) => !isSame(other, target));
    show();
  }));
}

function askForMode(target) {
  const dialog = byId("configure-dialog");
  byId("configure-name").textContent = nameOf(target);
  const choice = dialog.querySelector(`input[value="${target.authenticationMode}"]`);
  choice.checked = true;
  byId("configure-done").onclick = () => {
    target.authenticationMode = dialog.querySelector("input:checked").value;
    const place = edited.includeTargets.indexOf(target);
    dialog.close();
    show();
    byId("include").children[place].querySelector("[data-configure]").focus();
  };
  openDialog(dialog, choice);
}

for (const name of features) {
  const section = document.querySelector(`[data-feature="${name}"]`);
  const title = section.querySelector("h3").textContent;
  section.querySelector("[data-state]").addEventListener("change", (event) => {
    edited.featureSettings[name].state = event.currentTarget.value;
    show();
  });
  for (const button of section.querySelectorAll("[data-choose]")) {
    const end = button.dataset.choose;
    button.setAttribute("aria-label", text(end === "includeTarget" ? "adminPolicySays.chooseInclude" : "adminPolicySays.chooseExclude", { feature: title }));
    button.addEventListener("click", () => pickTargets({ title: button.getAttribute("aria-label"), of: ["group"], isOnly: true }, (target) => {
      names.set(key(target), target);
      edited.featureSettings[name][end] = { targetType: target.targetType, id: target.id };
      show();
    }));
  }
  for (const button of section.querySelectorAll("[data-reset]")) {
    const end = button.dataset.reset;
    button.addEventListener("click", () => {
      edited.featureSettings[name][end] = end === "includeTarget" ? allUsers : nobody;
      show();
      section.querySelector(`[data-choose="${end}"]`).focus();
    });
  }
}

byId("discard").addEventListener("click", () => {
  edited = structuredClone(saved);
  show();
  byId("enabled").focus();
});

// ---- what changes

const featureNames = { [features[0]]: "adminPolicySays.memberApplication", [features[1]]: "adminPolicySays.memberLocation" };
/** The members that can be edited: where they are, and what to call them. */
const members = [
  { get: (document) => document.state, patch: (state) => ({ state }), name: "adminPolicySays.memberState" },
  { get: (document) => document.isSoftwareOathEnabled, patch: (isSoftwareOathEnabled) => ({ isSoftwareOathEnabled }), name: "adminPolicySays.memberCodes" },
  { get: (document) => document.includeTargets, patch: (includeTargets) => ({ includeTargets }), name: "adminPolicySays.memberInclude" },
  { get: (document) => document.excludeTargets, patch: (excludeTargets) => ({ excludeTargets }), name: "adminPolicySays.memberExclude" },
  ...features.map((feature) => ({
    get: (document) => document.featureSettings[feature], patch: (value) => ({ featureSettings: { [feature]: value } }), name: featureNames[feature],
  })),
];

const changedMembers = (before, after) => members.filter(({ get }) => !isEqual(get(before), get(after)));

/** The merge patch (RFC 7396) that turns one document into the other. */
function patchOf(before, after) {
  return changedMembers(before, after).reduce((patch, { get, patch: part }) => {
    const { featureSettings, ...rest } = part(get(after));
    if (featureSettings) patch.featureSettings = { ...patch.featureSettings, ...featureSettings };
    return Object.assign(patch, rest);
  }, {});
}

function changes(before, after) {
  const changed = policyChanges(before, after);
  const mode = ({ authenticationMode: mode }) => mode && text(modeKeys[mode]);
  const each = (key, targets) => targets.map((target) => text(key, { name: nameOf(target), mode: mode(target) }));
  const words = [
    changed.state && text(after.state === "enabled" ? "adminPolicySays.turnsOn" : "adminPolicySays.turnsOff"),
    changed.codes && text(after.isSoftwareOathEnabled ? "adminPolicySays.codesOn" : "adminPolicySays.codesOff"),
    ...each("adminPolicySays.included", changed.included),
    ...each("adminPolicySays.modeChanged", changed.modes),
    ...each("adminPolicySays.notIncluded", changed.notIncluded),
    changed.order && text("adminPolicySays.reordered"),
    ...each("adminPolicySays.excluded", changed.excluded),
    ...each("adminPolicySays.notExcluded", changed.notExcluded),
    ...changed.features.map((name) => featureChange(name, after.featureSettings[name])),
  ].filter(Boolean);
  return words.length > 0 ? words : [text("adminPolicySays.unseen")];
}

function featureChange(name, { state, includeTarget, excludeTarget }) {
  const key = state === "disabled" ? "adminPolicySays.feature"
    : isSame(excludeTarget, nobody) ? "adminPolicySays.featureShown" : "adminPolicySays.featureExcept";
  return text(key, {
    feature: text(featureNames[name]), state: document.querySelector(`[data-state] option[value="${state}"]`).textContent,
    include: nameOf(includeTarget), exclude: nameOf(excludeTarget),
  });
}

// ---- what it means

/** In words, and whether somebody loses something. */
function consequences({ modes: pairs }) {
  const sum = (isCounted, member) => pairs.filter(isCounted).reduce((total, pair) => total + pair[member], 0);
  const words = [];
  let takesAway = false;
  const say = (isAllowed, codeBefore, codeAfter, [loses, gains], member) => {
    for (const [key, isCounted] of [
      [loses, (pair) => isAllowed(pair.before, codeBefore) && !isAllowed(pair.after, codeAfter)],
      [gains, (pair) => !isAllowed(pair.before, codeBefore) && isAllowed(pair.after, codeAfter)],
    ]) {
      const people = sum(isCounted, "people");
      if (people === 0) continue;
      takesAway ||= key === loses;
      words.push(text(people === 1 ? key.one : key.many, { count: figure(people), ready: figure(sum(isCounted, member)) }));
    }
  };
  say((mode) => may.phoneSignIn(mode), true, true, [
    { one: "adminPolicySays.losesPhoneSignIn", many: "adminPolicySays.losePhoneSignIn" },
    { one: "adminPolicySays.gainsPhoneSignIn", many: "adminPolicySays.gainPhoneSignIn" },
  ], "withPhoneSignIn");
  say((mode) => may.push(mode), true, true, [
    { one: "adminPolicySays.losesPush", many: "adminPolicySays.losePush" },
    { one: "adminPolicySays.gainsPush", many: "adminPolicySays.gainPush" },
  ], "withDevice");
  // Whoever has a phone is asked for it after a password: where that may not be approved on it, a code is what is left. Phone sign-in
  // is another matter.
  const isStranded = (pair) => may.push(pair.before) && !may.push(pair.after);
  const stranded = sum(isStranded, "withDevice");
  if (stranded > 0) {
    const [one, many] = edited.isSoftwareOathEnabled
      ? ["adminPolicySays.needsCode", "adminPolicySays.needCode"] : ["adminPolicySays.needsPass", "adminPolicySays.needPass"];
    words.push(text(stranded === 1 ? one : many, { count: figure(stranded) }));
  }
  // While there are codes before and after, whoever has a phone keeps them for the step after the password.
  const areKept = saved.isSoftwareOathEnabled && edited.isSoftwareOathEnabled;
  say((mode, areAllowed) => areAllowed && (mode !== null || areKept), saved.isSoftwareOathEnabled, edited.isSoftwareOathEnabled, [
    { one: "adminPolicySays.losesCodes", many: "adminPolicySays.loseCodes" },
    { one: "adminPolicySays.gainsCodes", many: "adminPolicySays.gainCodes" },
  ], "withDevice");
  return { words: words.length ? words : [text("adminPolicySays.nothingForAnyone")], takesAway };
}

function bullets(list, words) {
  list.replaceChildren(...words.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  }));
}

byId("review").addEventListener("click", async () => {
  bullets(byId("review-changes"), changes(saved, edited));
  bullets(byId("review-consequences"), []);
  notice(byId("review-failed"), null);
  byId("review-counted").hidden = true;
  byId("review-waiting").hidden = false;
  byId("save").disabled = true;
  openDialog(byId("review-dialog"), byId("review-dialog").querySelector("[data-close]"));
  try {
    const preview = await asAdmin("POST", `${path}:preview`, { body: patchOf(saved, edited), wait: 20 });
    const { words, takesAway } = consequences(preview);
    bullets(byId("review-consequences"), words);
    byId("review-counted").textContent = text("adminPolicySays.counted", { people: figure(preview.people) });
    byId("review-counted").hidden = false;
    byId("save").disabled = false;
    if (byId("review-dialog").open && !takesAway) byId("save").focus();
  } catch (problem) {
    notice(byId("review-failed"), adminProblem(problem));
    // What cannot be counted may still be right: only a change that the server refuses cannot be saved.
    byId("save").disabled = problem.kind === "refused" && problem.status < 500;
  } finally {
    byId("review-waiting").hidden = true;
  }
});

byId("save").addEventListener("click", async (event) => {
  let isStale = false;
  const isDone = await attempt(event.currentTarget, byId("review-failed"), async () => {
    try {
      const reply = await replyToAdmin("PATCH", path, { body: patchOf(saved, edited), headers: { "If-Match": etag } });
      saved = reply.body;
      etag = reply.etag;
      edited = structuredClone(saved);
    } catch (problem) {
      if (problem.code !== "precondition_failed") throw problem;
      isStale = true;
    }
  });
  if (!isDone) return;
  byId("review-dialog").close();
  if (isStale) return askAboutConflict();
  draft.rest();
  show();
  byId("restored").hidden = true;
  toast(text("adminPolicySays.saved"));
});

// ---- somebody else was faster

async function askAboutConflict() {
  const mine = { before: saved, after: edited };
  try {
    const [theirs, audit] = await Promise.all([
      replyToAdmin("GET", path), asAdmin("GET", `audit${query({ action: "policy.change", limit: 1 })}`),
    ]);
    await learn(theirs.body);
    const [entry] = audit.items;
    byId("conflict-words").textContent = entry
      ? text("adminPolicySays.conflict", { name: entry.actor.name || entry.actor.id, time: dayAndTime(entry.at) }) : text("adminPolicySays.conflictUnknown");
    const both = changedMembers(mine.before, mine.after).filter(({ get }) => !isEqual(get(mine.before), get(theirs.body)));
    byId("conflict-both").hidden = both.length === 0;
    byId("conflict-both").textContent = text("adminPolicySays.conflictBoth", { members: both.map(({ name }) => text(name)).join(", ") });
    const take = (document) => {
      saved = theirs.body;
      etag = theirs.etag;
      edited = document;
      draft.rest();
      byId("conflict-dialog").close();
    };
    byId("take-theirs").onclick = () => {
      take(structuredClone(theirs.body));
      show();
    };
    byId("keep-mine").onclick = () => {
      take(structuredClone(theirs.body));
      for (const member of changedMembers(mine.before, mine.after)) put(edited, member.patch(structuredClone(member.get(mine.after))));
      show();
      byId("review").focus();
    };
    openDialog(byId("conflict-dialog"), byId("keep-mine"));
  } catch (problem) {
    notice(byId("failed"), adminProblem(problem));
  }
}

function put(document, { featureSettings, ...rest }) {
  Object.assign(document, rest);
  Object.assign(document.featureSettings, featureSettings);
}

// ---- the start

async function start() {
  const kept = draft.take();
  try {
    await load();
    draft.rest();
    if (kept) {
      edited = kept;
      await learn(kept);
      byId("restored").hidden = false;
    }
    show();
    byId("policy").hidden = false;
  } catch (problem) {
    notice(byId("failed"), adminProblem(problem));
  }
}

start();
