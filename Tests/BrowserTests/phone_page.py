"""The authenticator in the browser as a person uses it."""

import re
import secrets

from client import Administrator, Person
from playwright.sync_api import Locator, Page, expect


class PhonePage:
    def __init__(self, page: Page):
        self.page = page

    def open(self, link: str | None = None) -> "PhonePage":
        self.page.goto("/authenticator" + (f"#{link}" if link else ""))
        expect(self.page.locator("[data-screen]:not([hidden])")).to_be_visible()
        return self

    def expect_screen(self, name: str) -> None:
        expect(self.page.locator(f'[data-screen="{name}"]')).to_be_visible()

    def press(self, name: str, **options) -> None:
        self.page.locator("[data-screen]:not([hidden])").get_by_role("button", name=name, **options).click()

    # adding

    def paste(self, link: str) -> None:
        self.page.locator('[data-screen="home"] [data-go="add"]:visible').click()
        self.press("Paste the link")
        self.page.fill("#link", link)
        self.press("Next")

    def accept_link(self) -> None:
        self.expect_screen("link")
        self.page.locator("#link-form button").click()
        self.expect_screen("confirm")

    def confirm(self, number: str) -> None:
        self.page.fill("#confirm-number", number)
        self.page.locator("#confirm-form button").click()

    def add(self, person) -> None:
        """J3 with a person's session: by link, until the account is there."""
        activation = person.new_activation()
        self.open(activation["activationUri"])
        self.accept_link()
        self.confirm(person.activation(activation["id"], wait=10, state="waiting")["number"])
        expect(self.page.locator("#outcome-title")).to_have_text(re.compile("Your account is added|Ihr Konto ist hinzugefügt"))
        self.page.locator("#outcome-home").click()

    # the account

    def menu(self, username: str) -> None:
        self.page.get_by_role("button", name=f"Menu of {username}").click()
        self.expect_screen("account")

    def set_up_phone_sign_in(self, password: str) -> None:
        """J4, from the account's menu."""
        self.press("Set up phone sign-in")
        self.press("Continue")
        self.expect_screen("secret")
        self.page.fill("#password", password)
        self.press("Next")
        self.finish_set_up()

    def finish_set_up(self) -> None:
        self.expect_screen("set-up-number")
        self.page.fill("#set-up-number", self.page.text_content("#set-up-shown"))
        self.press("Next")
        self.expect_screen("register")
        self.press("Register", exact=True)
        self.expect_screen("finish")
        self.press("Finish")
        self.expect_screen("home")

    def disable_phone_sign_in(self) -> None:
        """J10, from the account's menu."""
        self.press("Disable phone sign-in")
        self.page.get_by_role("dialog").get_by_role("button", name="Disable").click()
        expect(self.page.locator("#account-phone-sign-in")).to_have_text("Off")

    def code(self) -> str:
        expect(self.page.locator("[data-code]").first).to_have_text(re.compile(r"\d{3,4} \d{3,4}"))
        return self.page.locator("[data-code]").first.text_content().replace(" ", "")

    # requests

    @property
    def requests(self) -> Locator:
        return self.page.locator("#requests > li")

    def answer(self, number: str) -> None:
        card = self.requests.first
        card.locator("[data-number]").fill(number)
        card.get_by_role("button", name="Approve").click()

    def expect_outcome(self, title: str) -> None:
        expect(self.requests.first.locator("[data-outcome-title]")).to_have_text(title)

    # the lock

    def lock_by_pin(self, pin: str) -> None:
        self.page.locator("#settings").click()
        self.page.get_by_label("A PIN for this app").click()
        self.expect_screen("pin")
        self.page.fill("#new-pin", pin)
        self.page.fill("#new-pin-again", pin)
        self.press("Set PIN")
        self.expect_screen("settings")


class Owner:
    """A person of a test's own, with a session and no phone yet."""

    def __init__(self, demo: dict, administrator: Administrator | None = None, base: str | None = None, as_pass: bool = False, username: str | None = None):
        self.administrator = administrator or Administrator(demo)
        self.username, self.password = username or "b" + secrets.token_hex(5), secrets.token_urlsafe(12)
        self.user = self.administrator.create_user(self.username, self.password)
        self.session = Person(base or demo["base"], self.administrator.tenant)
        self.sign_in(as_pass)

    def sign_in(self, as_pass: bool = False) -> None:
        credentials = {"temporaryAccessPass": self.new_pass()} if as_pass else {"password": self.password}
        assert self.session.sign_in(self.username, **credentials).status_code == 200

    def new_pass(self) -> str:
        return self.administrator.issue_pass(self.user["id"])
