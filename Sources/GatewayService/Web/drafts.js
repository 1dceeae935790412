// What was edited and is not saved: a bar says so, leaving asks, and an ended session does not lose it.

import { byId, tenant } from "./page.js";

/** `current()` is what the page holds now, as JSON; `restore(draft)` puts a kept one back. */
export class Draft {
  #name;
  #current;
  #saved = "";

  constructor(name, current) {
    this.#name = `countersign.draft.${tenant}.${name}`;
    this.#current = current;
    addEventListener("beforeunload", (event) => { if (this.isChanged) event.preventDefault(); });
    // The way leads to sign-in and back: kept for then, and nothing to ask about.
    addEventListener("sessionended", () => {
      if (this.isChanged) sessionStorage.setItem(this.#name, JSON.stringify(this.#current()));
      this.rest();
    });
  }

  get isChanged() { return JSON.stringify(this.#current()) !== this.#saved; }

  /** What is there now counts as saved. */
  rest() {
    this.#saved = JSON.stringify(this.#current());
    this.show();
  }

  show() { byId("save-bar").hidden = !this.isChanged; }

  /** What was kept when the session ended, once; null without any. */
  take() {
    const kept = sessionStorage.getItem(this.#name);
    sessionStorage.removeItem(this.#name);
    return kept === null ? null : JSON.parse(kept);
  }
}
