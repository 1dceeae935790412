// A list that comes page by page: the first at once, the next when asked for.

import { adminProblem } from "./administration.js";
import { announce, busy, text } from "./page.js";
import { whenTyped } from "./typing.js";

/** `root` holds `[data-rows]`, `[data-more]`, `[data-none]` and `[data-failed]` with a button. */
export class PagedList {
  #root;
  #load;
  #row;
  #turn = 0;
  #next = null;

  /** `load(cursor)` gives `{items, next}`; `row(item)` the element of one. */
  constructor(root, { load, row }) {
    this.#root = root;
    this.#load = load;
    this.#row = row;
    this.#at("more").addEventListener("click", (event) => busy(event.currentTarget, () => this.#continue()));
    this.#at("failed").querySelector("button").addEventListener("click", (event) => busy(event.currentTarget, () => this.start()));
  }

  #at(name) { return this.#root.querySelector(`[data-${name}]`); }

  /** From the beginning. Of two that run at once the later one counts. */
  async start() {
    const turn = ++this.#turn;
    this.#root.setAttribute("aria-busy", "true");
    const page = await this.#page(null, turn);
    if (turn !== this.#turn) return;
    this.#root.removeAttribute("aria-busy");
    if (!page) return this.#at("rows").replaceChildren();
    this.#at("rows").replaceChildren(...page.items.map(this.#row));
    this.#at("rows").hidden = page.items.length === 0;
    this.#at("none").hidden = page.items.length > 0 || page.next !== null;
    if (page.items.length === 0) announce(this.#at("none").textContent);
  }

  async #continue() {
    const turn = this.#turn;
    const page = await this.#page(this.#next, turn);
    if (!page || turn !== this.#turn) return;
    const rows = page.items.map(this.#row);
    this.#at("rows").append(...rows);
    this.#at("rows").hidden = false;
    const first = rows[0]?.matches("a,button") ? rows[0] : rows[0]?.querySelector("a,button");
    first?.focus();
    announce(text("adminSays.shown", { count: this.#at("rows").children.length }));
  }

  async #page(cursor, turn) {
    this.#at("failed").hidden = true;
    try {
      const page = await this.#load(cursor);
      if (turn !== this.#turn) return null;
      this.#next = page.next;
      this.#at("more").closest("[data-more-row]").hidden = page.next === null;
      return page;
    } catch (problem) {
      if (problem.kind === "stopped" || turn !== this.#turn) return null;
      this.#at("failed").querySelector("[data-words]").textContent = adminProblem(problem);
      this.#at("failed").hidden = false;
      return null;
    }
  }
}

/** Calls `changed` when somebody stops typing, and keeps what was typed in the address, so that reload and Back find it. */
export function searchBox(input, changed) {
  const address = new URL(location.href);
  input.value = address.searchParams.get("search") ?? "";
  whenTyped(input, () => {
    const words = input.value.trim();
    if (words) address.searchParams.set("search", words);
    else address.searchParams.delete("search");
    history.replaceState(history.state, "", address);
    changed();
  });
}
