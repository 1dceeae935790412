"""A person with as many devices as a tenant may allow, on a phone's width and by the keyboard alone."""

import pytest
from client import Phone, register
from playwright.sync_api import expect

from .keyboard import Keyboard
from .pages import sign_in, signed_in
from .test_every_page import look

DEVICES_MAX = 15


@pytest.fixture
def many(someone, settings):
    settings(devicesPerPerson=DEVICES_MAX)
    for number in range(2, DEVICES_MAX + 1):
        phone = Phone()
        phone.facts = {**phone.facts, "name": f"Telephone number {number} of a person who never throws one away"[:64]}
        register(someone.browser, phone)
    return someone


def test_they_are_listed_and_removed_by_the_keyboard_alone(open_browser, many):
    page = sign_in(open_browser(viewport={"width": 390, "height": 844}), many)
    devices = page.locator("#devices li")
    expect(devices).to_have_count(DEVICES_MAX)
    keys = Keyboard(page)
    keys.walk()
    last = devices.last.locator("h3").text_content()
    keys.use(f"Remove {last}")
    keys.use("Remove device")
    expect(devices).to_have_count(DEVICES_MAX - 1)
    expect(page.locator("#add")).to_be_focused()
    # One more is added, and none beyond that.
    keys.use("Add method")
    keys.use("Add", "Enter")
    keys.use("Next")
    register_by_link(page)
    keys.use("Done")
    expect(devices).to_have_count(DEVICES_MAX)
    keys.use("Add method")
    keys.use("Add")
    keys.use("Next")
    expect(page.get_by_text("You have as many devices as are allowed. Remove one first.")).to_be_visible()
    keys.press("Escape")
    look(page, "security-info-many-devices")


def register_by_link(page) -> None:
    expect(page.locator("#qr")).to_be_visible()
    phone = Phone()
    assert phone.activate(page.input_value("#activation-link")).status_code == 201
    expect(page.locator("#add-number")).to_be_visible()
    assert phone.answer(phone.challenges()[0], number=page.text_content("#add-number")).json()["status"] == "approved"
    expect(page.get_by_role("heading", name="Your phone is ready")).to_be_visible()


def test_an_administrator_sees_them_all(open_browser, demo, many):
    page = signed_in(open_browser(viewport={"width": 390, "height": 844}), demo, f"/people/{many.user['id']}")
    expect(page.locator("#devices li")).to_have_count(DEVICES_MAX)
    Keyboard(page).walk()
    look(page, "admin-person-many-devices")
