// One screen after the other in one page: each is a history entry, so that Back works.

/** Shows the <section data-screen> elements of `root`, one at a time. */
export class Screens {
  #root;
  #arrive;
  #home;
  #shown = () => {};
  #covered = false;

  /** `home` is the first screen. `arrive(screen)` says which screen to show where one that was left is come back to: itself, or
   *  another that makes sense. Nothing is shown before `uncover`. */
  constructor(root, home, arrive) {
    this.#root = root;
    this.#home = home;
    this.#arrive = arrive;
    addEventListener("popstate", () => this.#restore());
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.go) this.go(button.dataset.go);
      if (button && "back" in button.dataset) this.back();
    });
  }

  /** Calls back with each screen that is shown, before it has the focus. */
  onShown(shown) {
    this.#shown = shown;
  }

  get current() {
    return history.state?.screen ?? this.#home;
  }

  /** What the entry remembers besides its screen. */
  get details() {
    return history.state?.details ?? {};
  }

  go(screen, { replace = false, details = this.details } = {}) {
    const isSame = this.current === screen;
    history[replace || isSame ? "replaceState" : "pushState"]({ screen, details, depth: (history.state?.depth ?? 0) + (replace || isSame ? 0 : 1) }, "");
    if (!this.#covered) this.#show(screen);
  }

  /** To the screen before, or home where this is the first one. */
  back() {
    if (history.state?.depth) history.back();
    else this.go(this.#home, { replace: true });
  }

  /** A screen in the place of all others, until `uncover`; Back does not lead past it. */
  cover(screen) {
    this.#covered = true;
    this.#show(screen);
  }

  uncover() {
    this.#covered = false;
    this.#restore();
  }

  /** What a reload or Back comes to. */
  #restore() {
    if (this.#covered) return;
    const screen = this.#arrive(this.current);
    if (screen === this.current && history.state) this.#show(screen);
    else this.go(screen, { replace: true });
  }

  #show(screen) {
    for (const section of this.#root.querySelectorAll("[data-screen]")) section.hidden = section.dataset.screen !== screen;
    this.#shown(screen);
    const section = this.#root.querySelector(`[data-screen="${screen}"]`);
    const input = [...section.querySelectorAll("form input:not([tabindex])")].find((field) => !field.closest("[hidden]"));
    (input ?? section.querySelector("h1")).focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}
