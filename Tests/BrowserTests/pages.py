"""The pages as a person uses them: what is on the screen, and what to press."""

import json
import re
import secrets

from client import Application, unb64u
from playwright.sync_api import Page, expect

POLICY = "/policies/authenticator"


class SignInPage:
    def __init__(self, page: Page, tenant: str = "demo"):
        self.page, self.tenant = page, tenant

    def open(self, query: str = "") -> "SignInPage":
        self.page.goto(f"/{self.tenant}/sign-in{query}")
        expect(self.page.locator("#name-form button")).to_be_enabled()
        return self

    @property
    def screen(self) -> str:
        return self.page.evaluate("document.querySelector('[data-screen]:not([hidden])').dataset.screen")

    def expect_screen(self, name: str, timeout: float = 10_000) -> None:
        expect(self.page.locator(f'[data-screen="{name}"]')).to_be_visible(timeout=timeout)

    def next(self, username: str) -> str:
        """The number that is shown."""
        self.page.fill("#username", username)
        self.page.get_by_role("button", name="Next").click()
        return self.number()

    def number(self) -> str:
        self.expect_screen("number")
        expect(self.page.locator("#number")).to_have_text(re.compile(r"^[1-9]\d+$"))
        return self.page.text_content("#number")

    def ways(self, name: str) -> None:
        self.page.get_by_role("button", name="Other ways to sign in").click()
        self.page.locator('[data-screen="ways"]').get_by_role("button", name=name).click()

    def give_password(self, password: str) -> None:
        """From the number on: by Other ways to what follows a password."""
        self.ways("Use my password")
        self.page.fill("#password", password)
        self.page.get_by_role("button", name="Next").click()

    def give_code(self, password: str, code: str) -> None:
        """From the number on: by Other ways to the code, with the password beside it."""
        self.ways("Use a verification code")
        self.page.fill("#code-password", password)
        self.page.fill("#code", code)
        self.page.get_by_role("button", name="Sign in", exact=True).click()

    def expect_outcome(self, title: str, timeout: float = 10_000) -> None:
        self.expect_screen("outcome", timeout)
        expect(self.page.locator("#outcome-title")).to_have_text(title)

    def try_again(self) -> None:
        self.page.get_by_role("button", name="Try again").click()

    def expect_signed_in(self, path: str | None = None) -> None:
        self.page.wait_for_url("**" + (path or f"/{self.tenant}/security-info"))
        self.page.wait_for_load_state()


def only_challenge(phone) -> dict:
    challenges = phone.challenges()
    assert len(challenges) == 1, challenges
    return challenges[0]


def approve(someone, number: str) -> None:
    """With the number that the page shows: the request is there by then."""
    assert someone.phone.answer(only_challenge(someone.phone), number=number).json()["status"] == "approved"


def newest_challenge(phone) -> dict:
    return max(phone.challenges(), key=lambda challenge: challenge["expiresAt"])


def other_number(number: str) -> str:
    return "11" if number != "11" else "12"


def sign_in(browser, someone, query: str = "") -> Page:
    """A tab of a person who has just signed in by number."""
    page = SignInPage(browser.tab()).open(query)
    number = page.next(someone.username)
    assert someone.phone.answer(only_challenge(someone.phone), number=number).status_code == 200
    page.expect_signed_in()
    return page.page


def signed_in(browser, demo, path: str = "") -> Page:
    """A tab of the administrator below `/admin`, without the way there."""
    credentials = {"username": demo["admin"]["username"], "password": demo["admin"]["password"]}
    reply = browser.context.request.post("/v1/demo/session", data=json.dumps(credentials), headers={"Content-Type": "application/json"})
    assert reply.status == 200, reply.text()
    return browser.tab("/demo/admin" + path)


def unique(what: str) -> str:
    return f"{what} {secrets.token_hex(4)}"


def verified(application: Application, begun: dict) -> bool:
    """Whether the phone says, signed, that its person had proven themself."""
    return json.loads(unb64u(application.redeem(begun).json()["receipt"].split(".")[1]))["uv"]
