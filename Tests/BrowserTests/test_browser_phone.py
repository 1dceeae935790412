"""A phone in the browser: every step of the journey that a phone takes part in, and what browsers do to it."""

import json
import re
import secrets

import pyotp
import pytest
from client import Administrator, Person
from playwright.sync_api import expect

from .pages import SignInPage, other_number
from .phone_page import PhonePage


class Owner:
    """A person of a test's own, with a session and no phone yet."""

    def __init__(self, demo: dict, tenant: str | None = None):
        self.administrator = Administrator(demo, tenant=tenant)
        self.username, self.password = "b" + secrets.token_hex(5), secrets.token_urlsafe(12)
        self.user = self.administrator.create_user(self.username, self.password)
        self.session = Person(demo["base"], tenant or demo["tenant"])
        assert self.session.sign_in(self.username, password=self.password).status_code == 200


@pytest.fixture
def owner(demo):
    return Owner(demo)


def phone_of(browser, owner, phone_sign_in: bool = True) -> PhonePage:
    phone = PhonePage(browser.tab())
    phone.add(owner.session)
    if phone_sign_in:
        phone.menu(owner.username)
        phone.set_up_phone_sign_in(owner.password)
    return phone


def begin(open_browser, owner) -> tuple[SignInPage, str]:
    """A sign-in in a browser of its own, and its number."""
    page = SignInPage(open_browser().tab()).open()
    return page, page.next(owner.username)


def test_a_phone_is_added_set_up_and_signs_in(open_browser, owner):
    phone = phone_of(open_browser(), owner)
    expect(phone.page.locator("#accounts [data-state]")).to_have_text("Phone sign-in on")
    page, number = begin(open_browser, owner)
    card = phone.requests.first
    expect(card.get_by_role("heading", name="Are you signing in?")).to_be_visible()
    expect(card.locator('[data-fact="device"] dd')).to_have_text("Chrome on Linux")
    expect(card.locator('[data-fact="location"] dd')).to_contain_text("127.0.0.1")
    expect(card.locator("[data-number]")).to_be_focused()
    phone.answer(number)
    phone.expect_outcome("Approved")
    page.expect_signed_in()
