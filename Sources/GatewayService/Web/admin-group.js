// One group and who is in it.

import { adminPath, adminProblem, asAdmin, attempt, confirmed, fill, initials, nameWindow, notice, query, segment } from "./administration.js";
import { byId, copyOf, fieldError, figure, openDialog, text, toast } from "./page.js";
import { PagedList } from "./paged-list.js";
import { pickTargets } from "./target-picker.js";

const id = byId("content").dataset.id;
const path = `groups/${segment(id)}`;
let group = null;
const shown = new Set();

function show(document) {
  group = document;
  byId("name").textContent = group.name;
  nameWindow(group.name);
  byId("count").textContent = text(group.memberCount === 1 ? "adminGroupSays.oneMember" : "adminGroupSays.members", { count: figure(group.memberCount) });
  for (const button of ["rename", "delete", "add"]) byId(button).disabled = false;
}

const members = new PagedList(byId("members"), {
  load: (cursor) => asAdmin("GET", `${path}/members${query({ limit: 50, cursor })}`),
  row(person) {
    const name = person.displayName || person.username;
    const row = fill(copyOf("member-row"), { name, username: person.username, initials: initials(name) });
    shown.add(person.id);
    row.querySelector("a").href = adminPath(`/people/${segment(person.id)}`);
    const remove = row.querySelector("[data-remove]");
    remove.setAttribute("aria-label", text("adminGroupSays.remove", { name }));
    remove.addEventListener("click", async () => {
      const question = { title: text("adminGroupSays.removeTitle"), words: text("adminGroupSays.removeWords", { name, group: group.name }), action: text("adminSays.remove") };
      if (!await confirmed(question, () => asAdmin("DELETE", `${path}/members/${segment(person.id)}`))) return;
      shown.delete(person.id);
      await load();
    });
    return row;
  },
});

async function load() {
  try {
    show(await asAdmin("GET", path));
    await members.start();
  } catch (problem) {
    notice(byId("failed"), adminProblem(problem));
  }
}

byId("add").addEventListener("click", async () => {
  await pickTargets({ title: text("adminGroupSays.addTitle", { group: group.name }), of: ["user"], isTaken: ({ id: person }) => shown.has(person) },
    (person) => asAdmin("POST", `${path}/members`, { body: { add: [person.id] } }),
    (person) => asAdmin("POST", `${path}/members`, { body: { remove: [person.id] } }));
  await load();
});

byId("rename").addEventListener("click", () => {
  byId("rename-name").value = group.name;
  fieldError(byId("rename-name"), null);
  notice(byId("rename-failed"), null);
  openDialog(byId("rename-dialog"), byId("rename-name"));
});

byId("rename-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = byId("rename-name").value.trim();
  fieldError(byId("rename-name"), name ? null : text("adminGroupSays.needName"));
  if (!name) return;
  const isDone = await attempt(byId("rename-action"), byId("rename-failed"), async () => show(await asAdmin("PATCH", path, { body: { name } })),
    { already_exists: [byId("rename-name"), text("adminSays.alreadyExists")] });
  if (isDone) {
    byId("rename-dialog").close();
    toast(text("adminSays.saved"));
  }
});

byId("delete").addEventListener("click", async () => {
  const question = { title: text("adminGroupSays.deleteTitle", { group: group.name }), words: text("adminGroupSays.deleteWords"), action: text("adminGroupSays.delete") };
  if (await confirmed(question, () => asAdmin("DELETE", path))) location.assign(adminPath("/groups"));
});

load();
