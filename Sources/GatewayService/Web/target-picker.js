// The dialog that picks people or groups: by the beginning of a name, a few at a time.

import { adminProblem, asAdmin, fill, initials, notice, query, segment } from "./administration.js";
import { announce, busy, byId, copyOf, openDialog, setIcon, text, toast } from "./page.js";
import { whenTyped } from "./typing.js";

const dialog = byId("picker-dialog");
const shownMax = 20;

let turn = 0;
/** What the dialog that is open picks from; an answer that comes when another one is open finds its own here. */
let open = null;

const keyOf = ({ targetType, id }) => `${targetType} ${id}`;

/** `pick({targetType, id, name, detail})` runs for each one that is chosen, and `unpick` for each of these that is pressed again; with
 *  `isOnly` the dialog closes at the first. What `isTaken` stays as it is. */
export function pickTargets({ title, of = ["group", "user"], isTaken = () => false, isOnly = false }, pick, unpick) {
  // What was picked since the dialog was opened, and the rows that are shown now, by `keyOf` each.
  const picked = new Set();
  const mine = { kinds: of, rows: new Map() };
  mine.stateOf = (target) => (picked.has(keyOf(target)) ? "picked" : isTaken(target) ? "taken" : "free");
  mine.press = async (target) => {
    const isBack = mine.stateOf(target) === "picked";
    notice(byId("picker-failed"), null);
    try {
      await (isBack ? unpick : pick)(target);
    } catch (problem) {
      return mine === open ? notice(byId("picker-failed"), adminProblem(problem)) : toast(adminProblem(problem));
    }
    if (isBack) picked.delete(keyOf(target));
    else picked.add(keyOf(target));
    if (mine !== open) return;
    if (isOnly) return dialog.close();
    announce(text(isBack ? "adminPickerSays.removed" : "adminPickerSays.added", { name: target.name }));
    // Another search may have taken the place of the one that it was picked from.
    const row = mine.rows.get(keyOf(target));
    if (row) mark(row, mine.stateOf(target));
  };
  open = mine;
  byId("picker-title").textContent = title;
  byId("picker-search").value = "";
  notice(byId("picker-failed"), null);
  search();
  openDialog(dialog, byId("picker-search"));
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    if (mine === open) open = null;
    resolve();
  }, { once: true }));
}

/** True when what was found is shown now. */
async function search() {
  const [mine, now] = [++turn, open];
  if (!now) return false;
  const words = byId("picker-search").value.trim();
  try {
    const found = (await Promise.all(now.kinds.map((kind) => lists[kind](words)))).flat();
    if (mine !== turn) return false;
    now.rows = new Map(found.map((target) => [keyOf(target), rowOf(target, now)]));
    byId("picker-rows").replaceChildren(...now.rows.values());
    byId("picker-none").hidden = found.length > 0;
    return true;
  } catch (problem) {
    if (mine === turn && problem.kind !== "stopped") notice(byId("picker-failed"), adminProblem(problem));
    return false;
  }
}

const lists = {
  async group(search) {
    const { items } = await asAdmin("GET", `groups${query({ search, limit: shownMax })}`);
    return items.map((group) => groupTarget(group));
  },
  async user(search) {
    const { items } = await asAdmin("GET", `users${query({ search, limit: shownMax })}`);
    return items.map((user) => userTarget(user));
  },
};

function groupTarget({ id, name, memberCount }) {
  return { targetType: "group", id, name, detail: memberCount === 1
    ? text("adminPickerSays.oneMember") : text("adminPickerSays.members", { count: memberCount }) };
}

function userTarget({ id, username, displayName }) {
  return { targetType: "user", id, name: displayName || username, detail: username };
}

/** The name of a target by its id, for those that a document names; one that is gone is called so. */
export async function namedTarget({ targetType, id }) {
  try {
    if (targetType === "group") return groupTarget(await asAdmin("GET", `groups/${segment(id)}`));
    return userTarget(await asAdmin("GET", `users/${segment(id)}`));
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return { targetType, id, name: text("adminPickerSays.gone"), detail: id };
  }
}

/** The glyph of a target: letters for a person, a sign for a group. */
export function targetGlyph(glyph, { targetType, name }) {
  if (targetType === "user") {
    glyph.classList.add("letters");
    glyph.textContent = initials(name);
  } else setIcon(glyph, "people");
}

function rowOf(target, { stateOf, press }) {
  const element = copyOf("picker-row");
  fill(element, { name: target.name, detail: target.detail });
  targetGlyph(element.querySelector(".glyph"), target);
  mark(element, stateOf(target));
  const button = element.querySelector("button");
  // The second click of a double one would take it back.
  button.addEventListener("click", ({ detail }) => detail < 2 && busy(button, () => press(target)));
  return element;
}

function mark(row, state) {
  const button = row.querySelector("button");
  button.disabled = state === "taken";
  button.setAttribute("aria-pressed", String(state !== "free"));
  row.querySelector("[data-taken]").hidden = state === "free";
  const sign = row.querySelector("[data-take]");
  sign.toggleAttribute("hidden", state === "taken");
  setIcon(sign, state === "picked" ? "close" : "plus");
  // For the next name.
  if (state !== "free") byId("picker-search").focus();
}

// Enter takes the only one that is found, and never back what it took.
whenTyped(byId("picker-search"), search, async () => {
  if (!await search()) return;
  const rows = byId("picker-rows").querySelectorAll("button");
  if (rows.length === 1 && rows[0].getAttribute("aria-pressed") === "false") rows[0].click();
});
