// The groups of the directory.

import { adminPath, asAdmin, attempt, fill, openForm, query, segment } from "./administration.js";
import { byId, copyOf, fieldError, figure, text } from "./page.js";
import { PagedList, searchBox } from "./paged-list.js";

const list = new PagedList(byId("groups"), {
  load(cursor) {
    const search = byId("search").value.trim();
    const none = byId("groups").querySelector("[data-none]");
    none.textContent = search ? text("adminGroupsSays.noneFound") : none.dataset.none;
    return asAdmin("GET", `groups${query({ search, limit: 50, cursor })}`);
  },
  row({ id, name, memberCount }) {
    const row = copyOf("group-row");
    const members = text(memberCount === 1 ? "adminGroupsSays.oneMember" : "adminGroupsSays.members", { count: figure(memberCount) });
    fill(row, { name, members });
    row.querySelector("a").href = adminPath(`/groups/${segment(id)}`);
    return row;
  },
});

byId("add").addEventListener("click", () => openForm("add", byId("new-name")));

byId("add-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = byId("new-name").value.trim();
  fieldError(byId("new-name"), name ? null : text("adminGroupsSays.needName"));
  if (!name) return;
  let group;
  const isDone = await attempt(byId("add-action"), byId("add-failed"), async () => { group = await asAdmin("POST", "groups", { body: { name } }); },
    { already_exists: [byId("new-name"), text("adminSays.alreadyExists")] });
  if (isDone) location.assign(adminPath(`/groups/${segment(group.id)}`));
});

searchBox(byId("search"), () => list.start());
list.start();
