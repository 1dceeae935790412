// What every page of administration shares: the calls, what went wrong in words, the question before something is done, and a
// secret that is shown once.

import { Problem } from "./api.js";
import { busy, byId, copied, copyOf, fieldError, openDialog, problemText, tenant, text, toast } from "./page.js";
import { replyToMe, signOut } from "./session.js";

/** The body of a reply of the admin API. Whoever has lost the role meanwhile sees the page that says so. */
export async function asAdmin(method, path, options) {
  return (await replyToAdmin(method, path, options)).body;
}

/** With the status and the entity tag. */
export async function replyToAdmin(method, path, options) {
  try {
    return await replyToMe(method, `admin/${path}`, options);
  } catch (problem) {
    if (problem.status === 403) location.reload();
    throw problem;
  }
}

export const adminPath = (path) => `/${tenant}/admin${path}`;
export const segment = encodeURIComponent;

/** A query of those members that have a value, with its question mark; empty without any. */
export function query(members) {
  const given = Object.entries(members).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

const known = {
  already_exists: "adminSays.alreadyExists", not_found: "adminSays.notFound", unknown_target: "adminSays.unknownTarget",
  too_large: "adminSays.tooLarge", invalid_username: "adminSays.invalidUsername", conflict: "adminSays.conflict",
  precondition_failed: "adminSays.changedMeanwhile", unsupported_media_type: "adminSays.unsupported",
};

/** What to say of a call that failed. */
export function adminProblem(problem) {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.code in known) return text(known[problem.code]);
  // The server's own sentence names the member and what it may be.
  const said = problem.kind === "refused" && problem.status < 500 && problem.status !== 429 ? problem.members.detail : null;
  return said ? text("adminSays.refused", { detail: said }) : problemText(problem);
}

/** Shows in a notice what is wrong, or hides it with null. */
export function notice(element, words) {
  element.hidden = !words;
  element.textContent = words ?? "";
}

/** Runs the work of a form's button, which shows it, and says in `failed` what went wrong, or at its field where `fields` has
 *  `[input, words]` for the problem's code. True when nothing did. */
export async function attempt(button, failed, work, fields = {}) {
  let isDone = false;
  await busy(button, async () => {
    notice(failed, null);
    try {
      await work();
      isDone = true;
    } catch (problem) {
      if (problem.kind === "stopped") return;
      if (problem.code in fields) fieldError(...fields[problem.code]);
      else notice(failed, adminProblem(problem));
    }
  });
  return isDone;
}

const passwordCharactersMin = 8;

/** Whether the password in `input`, if there is one, can be set; the field says why not. Characters are code points, as for the server. */
export function isPasswordAccepted(input) {
  const count = [...input.value].length;
  const isAccepted = count === 0 || count >= passwordCharactersMin;
  fieldError(input, isAccepted ? null : text("adminSays.passwordShort", { count: passwordCharactersMin }));
  return isAccepted;
}

/** Opens the dialog of the form `name`, empty, without the faults of the last time and with the focus in `first`. */
export function openForm(name, first) {
  byId(`${name}-form`).reset();
  fieldError(first, null);
  notice(byId(`${name}-failed`), null);
  openDialog(byId(`${name}-dialog`), first);
}

/** Asks before something is done, and does it. True when it was done. */
export function confirmed({ title, words, action, isDangerous = true }, work) {
  const dialog = byId("confirm-dialog");
  const button = byId("confirm-action");
  byId("confirm-title").textContent = title;
  byId("confirm-words").textContent = words;
  button.textContent = action;
  button.className = `button ${isDangerous ? "danger" : "primary"}`;
  notice(byId("confirm-failed"), null);
  return new Promise((resolve) => {
    let isDone = false;
    button.onclick = async () => {
      isDone = await attempt(button, byId("confirm-failed"), work);
      if (isDone) dialog.close();
    };
    dialog.addEventListener("close", () => resolve(isDone), { once: true });
    openDialog(dialog, dialog.querySelector("[data-close]"));
  });
}

/** Shows a secret that nobody can show again. Resolves when the dialog is closed and the secret is gone from the page. */
export function showSecret({ title, words, label, secret, facts = "" }) {
  const dialog = byId("secret-dialog");
  byId("secret-title").textContent = title;
  byId("secret-words").textContent = words;
  byId("secret-label").textContent = label;
  byId("secret-facts").textContent = facts;
  const value = byId("secret-value");
  value.textContent = secret;
  value.classList.toggle("long", secret.length > 20);
  byId("secret-copy").onclick = async () => {
    if (await copied(secret)) return;
    getSelection().selectAllChildren(value);
    toast(text("says.copyFailed"));
  };
  notice(byId("secret-warning"), null);
  // Escape is pressed by mistake: the first one asks.
  const ask = (event) => {
    if (byId("secret-warning").hidden) event.preventDefault();
    notice(byId("secret-warning"), text("adminSays.onceMore"));
  };
  dialog.addEventListener("cancel", ask);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.removeEventListener("cancel", ask);
      value.textContent = "";
      byId("secret-copy").onclick = null;
      resolve();
    }, { once: true });
    openDialog(dialog, byId("secret-copy"));
  });
}

const place = document.title.slice(document.title.indexOf(" · "));

/** The window is called after what it shows. */
export function nameWindow(name) {
  document.title = name + place;
}

/** Two letters that stand for a name. */
export function initials(name) {
  const words = name.trim().split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0] ?? "?"];
  return letters.map((word) => [...word][0]).join("").toLocaleUpperCase();
}

/** Fills `[data-name]` places of a row. */
export function fill(row, values) {
  for (const [name, value] of Object.entries(values)) row.querySelector(`[data-${name}]`).textContent = value ?? "";
  return row;
}

/** Shows what is known of one thing: `[name, value, href]`, those that have a value. */
export function showFacts(list, facts) {
  list.replaceChildren(...facts.filter(([, value]) => value).map(([name, value, href]) => {
    const fact = fill(copyOf("fact"), { name, value });
    if (href) {
      const link = document.createElement("a");
      link.href = href;
      link.textContent = value;
      fact.querySelector("[data-value]").replaceChildren(link);
    }
    return fact;
  }));
}

byId("sign-out").addEventListener("click", (event) => busy(event.currentTarget, signOut));
addEventListener("pageshow", (event) => event.persisted && location.reload());
// On a narrow screen the marked entry may be outside of what is seen.
const here = document.querySelector(".rail [aria-current]");
const rail = here.closest("ul");
rail.scrollLeft = here.offsetLeft - rail.offsetLeft - (rail.clientWidth - here.offsetWidth) / 2;
