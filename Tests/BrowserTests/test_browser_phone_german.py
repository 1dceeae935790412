"""The whole authenticator in German at a phone's width: no English is left, and nothing is cut off."""

import json
import re

from client import Application
from playwright.sync_api import Page, expect

from .pages import other_number
from .phone_page import PhonePage
from .test_every_page import AUDIT, ROOT

WEB = ROOT / "Sources/GatewayService/Web"

# Everything that is read: words, and the names of what has none.
WORDS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest("template,noscript,script");
  const words = [];
  while (walker.nextNode()) if (isShown(walker.currentNode.parentElement)) words.push(walker.currentNode.textContent);
  for (const element of document.querySelectorAll("[aria-label],[title],[placeholder],[alt]")) {
    if (isShown(element)) words.push(...["aria-label", "title", "placeholder", "alt"].map((name) => element.getAttribute(name)));
  }
  return words.map((text) => text?.trim()).filter(Boolean);
}"""

# What does not fit in its box and is hidden there.
CUT = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const style = getComputedStyle(element);
  if (!element.checkVisibility() || element.closest(".out-of-sight,.skip,svg") || style.overflowX !== "hidden") return false;
  return element.scrollWidth > element.clientWidth + 1 && element.textContent.trim();
}).map((element) => element.outerHTML.slice(0, 120))"""


def english_only() -> list[re.Pattern]:
    """Texts of the English catalogue that the German one does not have anywhere."""
    english, german = (json.loads((WEB / f"{language}.json").read_text()) for language in ("en", "de"))
    own = {text for section in german.values() for text in section.values()}
    foreign = {text for section in english.values() for text in section.values()} - own
    return [re.compile("".join(".+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", text)))
            for text in foreign if re.sub(r"\{\w+\}|\W", "", text)]


class German:
    def __init__(self, page: Page):
        self.page, self.foreign, self.seen = page, english_only(), set()

    def read(self) -> None:
        words = self.page.evaluate(WORDS)
        assert words
        self.seen.update(words)
        assert [text for text in words if any(pattern.fullmatch(text) for pattern in self.foreign)] == []
        assert self.page.evaluate(CUT) == []
        assert [fault for fault in self.page.evaluate(AUDIT) if "contrast" not in fault] == []


def test_that_english_would_be_found(open_browser):
    page = open_browser(viewport={"width": 390, "height": 844}).tab()
    PhonePage(page).open()
    foreign = english_only()
    assert sum(any(pattern.fullmatch(text) for pattern in foreign) for text in page.evaluate(WORDS)) > 4


def test_the_whole_authenticator_in_german(open_browser, owner, demo):
    browser = open_browser(locale="de-AT", viewport={"width": 390, "height": 844})
    page = browser.tab()
    phone, german = PhonePage(page).open(), German(page)
    german.read()

    # Activation, with what can go wrong.
    phone.press("Konto hinzufügen")
    german.read()
    phone.press("Link einfügen")
    page.fill("#link", "https://example.org")
    phone.press("Weiter")
    expect(page.locator("#link-error")).to_be_visible()
    german.read()
    activation = owner.session.new_activation()
    page.fill("#link", activation["activationUri"])
    phone.press("Weiter")
    phone.expect_screen("link")
    german.read()
    phone.accept_link()
    phone.confirm("1")
    expect(page.locator("#confirm-number-error")).to_be_visible()
    german.read()
    phone.confirm(owner.session.activation(activation["id"], wait=10, state="waiting")["number"])
    expect(page.locator("#outcome-title")).to_have_text("Ihr Konto ist hinzugefügt")
    german.read()

    # Set-up.
    phone.press("Telefonanmeldung einrichten")
    german.read()
    phone.press("Weiter")
    phone.expect_screen("secret")
    page.fill("#password", "not " + owner.password)
    phone.press("Weiter")
    expect(page.locator("#password-error")).to_be_visible()
    german.read()
    page.locator("#other-secret").click()
    german.read()
    page.locator("#other-secret").click()
    page.fill("#password", owner.password)
    phone.press("Weiter")
    phone.expect_screen("set-up-number")
    german.read()
    page.fill("#set-up-number", page.text_content("#set-up-shown"))
    phone.press("Weiter")
    phone.expect_screen("register")
    german.read()
    phone.press("Registrieren", exact=True)
    phone.expect_screen("finish")
    german.read()
    phone.press("Fertig")

    # Answering.
    application = Application(demo)
    for answer, title in ((lambda number: number, "Bestätigt"), (other_number, "Das war eine andere Zahl")):
        number = application.begin(owner.username).json()["number"]
        expect(phone.requests).to_have_count(1)
        german.read()
        phone.requests.locator("[data-number]").fill(answer(number))
        page.keyboard.press("Enter")
        phone.expect_outcome(title)
        german.read()
        phone.press("OK")
    application.begin(owner.username)
    page.get_by_role("button", name="Das war ich nicht").click()
    german.read()
    page.get_by_role("dialog").get_by_role("button", name="Melden").click()
    phone.expect_outcome("Gemeldet")
    german.read()
    phone.press("OK")

    # Codes, without a network.
    browser.may_be_unreachable = True
    browser.context.set_offline(True)
    expect(page.locator("#unreachable")).to_contain_text("Ihre Codes gelten trotzdem")
    assert re.fullmatch(r"\d{6}", phone.code())
    german.read()
    browser.context.set_offline(False)
    expect(page.locator("#unreachable")).to_be_hidden()

    # The lock.
    page.locator("#settings").click()
    german.read()
    page.get_by_label("Eine PIN für diese App").click()
    page.fill("#new-pin", "2468")
    page.fill("#new-pin-again", "1357")
    phone.press("PIN setzen")
    expect(page.locator("#new-pin-again-error")).to_be_visible()
    german.read()
    page.fill("#new-pin", "2468")
    page.fill("#new-pin-again", "2468")
    phone.press("PIN setzen")
    phone.expect_screen("settings")
    german.read()
    page.reload()
    phone.expect_screen("locked")
    page.fill("#unlock-pin", "1111")
    phone.press("Entsperren", exact=True)
    expect(page.locator("#unlock-pin-error")).to_be_visible()
    german.read()
    phone.press("Ich kann nicht entsperren")
    german.read()
    page.keyboard.press("Escape")
    page.fill("#unlock-pin", "2468")
    phone.press("Entsperren", exact=True)
    phone.expect_screen("settings")
    phone.press("Zurück")

    # Disabling, and removal.
    page.get_by_role("button", name=f"Menü von {owner.username}").click()
    german.read()
    phone.press("Telefonanmeldung abschalten")
    german.read()
    page.get_by_role("dialog").get_by_role("button", name="Abschalten").click()
    expect(page.locator("#account-phone-sign-in")).to_have_text("Aus")
    german.read()
    phone.press("Konto entfernen")
    german.read()
    page.get_by_role("dialog").get_by_role("button", name="Konto entfernen").click()
    expect(page.locator("#no-accounts")).to_be_visible()
    german.read()
    assert len(german.seen) > 120, "all of these screens were read"
