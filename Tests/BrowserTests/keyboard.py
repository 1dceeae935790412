"""Hands that have a keyboard and nothing else: the focus must be seen wherever it comes, and must come everywhere."""

from playwright.sync_api import Page

# The control that has the focus: what it is called, and whether one sees that it has it.
FOCUSED = """() => {
  const element = document.activeElement;
  // A heading has the focus when its screen has come: where Tab goes on from, and no control.
  if (!element.matches("a,button,input,select,textarea,summary,[tabindex='0']")) return { name: "", isMarked: true, isInside: true, isWithin: false };
  const byIds = (ids) => (ids ?? "").split(/\\s+/).filter(Boolean).map((id) => document.getElementById(id)?.textContent).join(" ");
  const name = element.getAttribute("aria-label") || byIds(element.getAttribute("aria-labelledby"))
    || [...(element.labels ?? [])].map((label) => label.textContent).join(" ") || element.innerText || "";
  const isMarked = [element, element.closest("label")].some((one) => {
    const style = one && getComputedStyle(one);
    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const box = (element.matches("input[type=radio]") ? element.closest("label") ?? element : element).getBoundingClientRect();
  const isInside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const dialog = document.querySelector("dialog[open]");
  return { name: name.trim().replace(/\\s+/g, " "), isMarked, isInside, isWithin: !dialog || dialog.contains(element) };
}"""

# What Tab should come to: of radios with one name, one.
EXPECTED = """() => {
  const scope = document.querySelector("dialog[open]") ?? document.body;
  const all = [...scope.querySelectorAll("a[href],button,input,select,textarea,summary,[tabindex='0']")].filter((element) =>
    element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0 && !element.disabled && element.tabIndex >= 0);
  const radios = new Set(all.filter((element) => element.type === "radio").map((element) => element.name));
  return all.filter((element) => element.type !== "radio").length + radios.size;
}"""

POSITIVE = "[...document.querySelectorAll('[tabindex]')].filter((element) => element.tabIndex > 0).map((element) => element.outerHTML)"
STOPS_MAX = 120


class Keyboard:
    def __init__(self, page: Page):
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)

    def _step(self, key: str) -> str:
        self.page.keyboard.press(key)
        found = self.page.evaluate(FOCUSED)
        assert found["isMarked"], f"the focus on {found['name']!r} cannot be seen"
        assert found["isInside"], f"{found['name']!r} has the focus outside of the window"
        assert found["name"] == "" or found["isWithin"], f"the focus left the dialog for {found['name']!r}"
        return found["name"]

    def reach(self, name: str, key: str = "Tab") -> None:
        """Presses Tab until a control of this name has the focus."""
        if name in self.page.evaluate(FOCUSED)["name"]:
            return
        seen = []
        for _ in range(STOPS_MAX):
            seen.append(self._step(key))
            if name in seen[-1]:
                return
        raise AssertionError(f"Tab never comes to {name!r}, only to {list(dict.fromkeys(seen))}")

    def use(self, name: str, key: str = "Enter") -> None:
        self.reach(name)
        self.press(key)

    def walk(self) -> None:
        """Once round the page or its dialog: every control is come to, none holds the focus, and the order is that of the page."""
        assert self.page.evaluate(POSITIVE) == []
        expected = self.page.evaluate(EXPECTED)
        # A dialog that scrolls is a stop of its own, so that its arrow keys work; a field for a time has one for each of its parts.
        mark = """() => {
          const element = document.activeElement;
          if (element.matches("body,dialog") || element.type === "datetime-local" && element === globalThis.stops.at(-1)) return -1;
          return globalThis.stops.includes(element) ? -2 : globalThis.stops.push(element);
        }"""
        self.page.evaluate("() => { globalThis.stops = []; }")
        # A list may have hundreds of rows, as the audit log beside an import; a field for a time takes seven presses.
        for _ in range(2 * expected + 20):
            self._step("Tab")
            if self.page.evaluate(mark) == -2:
                break
        else:
            raise AssertionError(f"Tab never comes round: {expected} controls, {self.page.evaluate('stops.length')} come to")
        stops = self.page.evaluate("stops.map((stop) => stop.outerHTML.slice(0, 120))")
        assert len(stops) == expected, f"Tab comes to {len(stops)} of {expected} controls: {stops}"
