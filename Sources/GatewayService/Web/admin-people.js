// The people of the directory: find one, add one, or import many.

import { adminPath, asAdmin, attempt, fill, initials, isPasswordAccepted, openForm, query, segment } from "./administration.js";
import "./admin-import.js";
import { byId, copyOf, fieldError, text, toast } from "./page.js";
import { PagedList, searchBox } from "./paged-list.js";

const list = new PagedList(byId("people"), {
  load: (cursor) => asAdmin("GET", `users${query({ search: byId("search").value.trim(), limit: 50, cursor })}`),
  row,
});

function row(person) {
  const element = copyOf("person-row");
  const name = person.displayName || person.username;
  fill(element, { name, username: person.username, initials: initials(name) });
  element.querySelector("a").href = adminPath(`/people/${segment(person.id)}`);
  element.querySelector("[data-administrator]").hidden = !person.roles.includes("administrator");
  element.querySelector("[data-blocked]").hidden = !person.blocked;
  return element;
}

byId("add").addEventListener("click", () => {
  fieldError(byId("new-password"), null);
  openForm("add", byId("new-username"));
});

byId("add-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const username = byId("new-username").value.trim();
  fieldError(byId("new-username"), username ? null : text("adminPeopleSays.needUsername"));
  if (!username || !isPasswordAccepted(byId("new-password"))) return;
  let person;
  const isDone = await attempt(byId("add-action"), byId("add-failed"), async () => {
    const body = { username, roles: byId("new-administrator").checked ? ["administrator"] : [] };
    if (byId("new-name").value.trim()) body.displayName = byId("new-name").value.trim();
    if (byId("new-password").value) body.password = byId("new-password").value;
    person = await asAdmin("POST", "users", { body });
  }, {
    already_exists: [byId("new-username"), text("adminSays.usernameTaken")],
    invalid_username: [byId("new-username"), text("adminSays.invalidUsername")],
  });
  if (isDone) location.assign(adminPath(`/people/${segment(person.id)}`));
});

addEventListener("peopleimported", () => {
  toast(text("adminPeopleSays.imported"));
  list.start();
});
searchBox(byId("search"), () => list.start());
list.start();
