// The applications that may ask for sign-ins.

import { asAdmin, attempt, confirmed, fill, openForm, query, segment, showSecret } from "./administration.js";
import { byId, copyOf, day, dotted, fieldError, text, toast } from "./page.js";
import { PagedList } from "./paged-list.js";

const list = new PagedList(byId("applications"), {
  load: (cursor) => asAdmin("GET", `clients${query({ limit: 50, cursor })}`),
  row(client) {
    const shown = client.anyApplication ? text("adminApplicationsSays.anyName")
      : client.applications.length ? text("adminApplicationsSays.names", { names: client.applications.join(", ") }) : text("adminApplicationsSays.ownName");
    const row = fill(copyOf("application-row"), {
      name: client.name, facts: dotted(shown, text("adminApplicationsSays.added", { date: day(client.createdAt) })),
      client: text("adminApplicationsSays.id", { id: client.id }),
    });
    row.querySelector("[data-admin]").hidden = !client.roles.includes("admin");
    const remove = row.querySelector("[data-remove]");
    remove.setAttribute("aria-label", text("adminApplicationsSays.delete", { name: client.name }));
    remove.addEventListener("click", async () => {
      const question = {
        title: text("adminApplicationsSays.deleteTitle", { name: client.name }), words: text("adminApplicationsSays.deleteWords"),
        action: text("adminSays.delete"),
      };
      if (!await confirmed(question, () => asAdmin("DELETE", `clients/${segment(client.id)}`))) return;
      toast(text("adminApplicationsSays.deleted", { name: client.name }));
      byId("add").focus();
      await list.start();
    });
    return row;
  },
});

byId("add").addEventListener("click", () => openForm("add", byId("new-name")));

byId("add-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = byId("new-name").value.trim();
  fieldError(byId("new-name"), name ? null : text("adminApplicationsSays.needName"));
  if (!name) return;
  let client;
  const isDone = await attempt(byId("add-action"), byId("add-failed"), async () => {
    const applications = byId("new-shown").value.split("\n").map((line) => line.trim()).filter(Boolean);
    const roles = byId("new-admin").checked ? ["signIn", "admin"] : ["signIn"];
    client = await asAdmin("POST", "clients", { body: { name, applications, anyApplication: byId("new-any").checked, roles } });
  });
  if (!isDone) return;
  byId("add-dialog").close();
  list.start();
  await showSecret({
    title: text("adminApplicationsSays.ready", { name: client.name }), words: text("adminApplicationsSays.readyWords"),
    label: text("adminApplicationsSays.secret"), secret: client.secret, facts: text("adminApplicationsSays.id", { id: client.id }),
  });
});

list.start();
