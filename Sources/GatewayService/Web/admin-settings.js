// The tenant's limits: one field a member, its unit and range beside it.

import { adminProblem, attempt, notice, replyToAdmin } from "./administration.js";
import { Draft } from "./drafts.js";
import { byId, fieldError, figure, text, toast } from "./page.js";

const form = byId("settings");
const fields = [...form.querySelectorAll("[data-member]")];
let saved = null;
let etag = "";
const draft = new Draft("settings", () => (saved ? values() : null));

const at = (document, member) => member.split(".").reduce((value, name) => value?.[name], document);

function value(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.type === "number" || field.dataset.member.endsWith("PeriodSeconds")) return field.value === "" ? null : Number(field.value);
  return field.value.trim() || null;
}

function values() { return Object.fromEntries(fields.map((field) => [field.dataset.member, value(field)])); }

function show(members) {
  for (const field of fields) {
    const shown = members[field.dataset.member];
    if (field.type === "checkbox") field.checked = shown;
    else field.value = shown ?? "";
    clear(field);
  }
}

function clear(field) { if (field.getAttribute("aria-invalid")) fieldError(field, null); }

const known = (document) => Object.fromEntries(fields.map((field) => [field.dataset.member, at(document, field.dataset.member)]));

function take(reply) {
  saved = known(reply.body);
  etag = reply.etag;
}

/** The merge patch (RFC 7396) of what was edited. */
function patch() {
  const document = {};
  for (const [member, edited] of Object.entries(values())) {
    if (edited === saved[member]) continue;
    const names = member.split(".");
    const last = names.pop();
    names.reduce((place, name) => (place[name] ??= {}), document)[last] = edited;
  }
  return document;
}

function fault(field) {
  if (field.type !== "number") return null;
  return field.value !== "" && field.checkValidity() ? null : text("adminSays.range", { min: figure(field.min), max: figure(field.max) });
}

/** The field that the server names, in its own words or in ours. */
function showRefusal(problem) {
  const named = problem.members.member;
  const field = fields.find(({ dataset }) => dataset.member === named);
  if (!field) return false;
  const [min, max] = (problem.members.range ?? "").split("-");
  const isVersion = named.startsWith("minimumVersions");
  fieldError(field, max ? text("adminSays.range", { min: figure(min), max: figure(max) }) : isVersion ? text("adminSettingsSays.version") : adminProblem(problem));
  return true;
}

form.addEventListener("input", (event) => {
  clear(event.target);
  draft.show();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const wrong = fields.filter(fault);
  // The first one last, so that it has the focus.
  for (const field of wrong.reverse()) fieldError(field, fault(field));
  if (wrong.length) return;
  const isDone = await attempt(byId("save"), byId("failed"), async () => {
    try {
      take(await replyToAdmin("PATCH", "settings", { body: patch(), headers: { "If-Match": etag } }));
    } catch (problem) {
      if (problem.code === "precondition_failed") return rebase();
      if (problem.kind !== "refused" || !showRefusal(problem)) throw problem;
      return;
    }
    show(saved);
    draft.rest();
    byId("restored").hidden = true;
    toast(text("adminSettingsSays.saved"));
  });
  if (!isDone) byId("failed").scrollIntoView({ block: "center" });
});

/** Somebody else has changed settings: theirs where nothing was edited here, and a word about it before the next Save. */
async function rebase() {
  const mine = Object.fromEntries(Object.entries(values()).filter(([member, edited]) => edited !== saved[member]));
  take(await replyToAdmin("GET", "settings"));
  show(saved);
  draft.rest();
  show({ ...saved, ...mine });
  draft.show();
  notice(byId("failed"), text("adminSettingsSays.conflict"));
  byId("failed").scrollIntoView({ block: "center" });
}

byId("discard").addEventListener("click", () => {
  show(saved);
  draft.show();
  fields[0].focus();
});

async function start() {
  const kept = draft.take();
  try {
    take(await replyToAdmin("GET", "settings"));
    show(saved);
    draft.rest();
    if (kept) {
      show(kept);
      draft.show();
      byId("restored").hidden = false;
    }
    form.hidden = false;
  } catch (problem) {
    notice(byId("failed"), adminProblem(problem));
  }
}

start();
