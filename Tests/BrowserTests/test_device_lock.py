"""The device's own lock as the lock of the phone in a browser: WebAuthn, by authenticators that Chromium makes for tests."""

import pytest
from client import Application
from playwright.sync_api import expect
from stack import Gateway

from .conftest import Watched
from .pages import verified
from .phone_page import Owner, PhonePage


@pytest.fixture(scope="module")
def base(stack):
    """WebAuthn needs a name, so a gateway of that name."""
    base = f"http://localhost:{stack.first_port + 36}"
    gateway = Gateway(stack, 3, f"--http.externalURL={base}")
    yield base
    gateway.stop()


@pytest.fixture
def browser(chromium, base):
    browser = Watched(chromium, base)
    yield browser
    browser.close()


class Device:
    """A phone page, and what its device can say of its owner."""

    def __init__(self, browser, **options):
        self.phone = PhonePage(browser.tab())
        self.devtools = browser.context.new_cdp_session(self.phone.page)
        self.devtools.send("WebAuthn.enable")
        usual = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        made = self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**usual, **options}})
        self.authenticator = {"authenticatorId": made["authenticatorId"]}

    def verifies(self, is_verified: bool) -> None:
        self.devtools.send("WebAuthn.setUserVerified", {**self.authenticator, "isUserVerified": is_verified})

    @property
    def credentials(self) -> list:
        return self.devtools.send("WebAuthn.getCredentials", self.authenticator)["credentials"]

    def lock(self) -> None:
        self.phone.page.locator("#settings").click()
        self.phone.page.get_by_label("The lock of this device").click()


@pytest.fixture
def locked(browser, base, demo):
    """Somebody, and their device whose lock the phone page has."""
    owner, device = Owner(demo, base=base), Device(browser)
    device.phone.add(owner.session)
    device.lock()
    expect(device.phone.page.locator("#lock-minutes")).to_be_visible()
    return owner, device


def test_the_lock_of_the_device(locked, base, demo):
    owner, device = locked
    phone = device.phone
    phone.page.reload()
    phone.expect_screen("locked")
    device.verifies(False)
    phone.press("Unlock", exact=True)
    expect(phone.page.get_by_text("Not confirmed: nothing was sent.")).to_be_visible()
    device.verifies(True)
    phone.press("Unlock", exact=True)
    phone.expect_screen("settings")
    phone.press("Back")
    application = Application({**demo, "base": base})
    begun = application.begin(owner.username, factor="secondFactor").json()
    phone.answer(begun["number"])
    phone.expect_outcome("Approved")
    assert verified(application, begun) is True


def test_an_approval_that_the_device_does_not_verify_is_not_sent(locked, base, demo):
    owner, device = locked
    phone = device.phone
    phone.press("Back")
    application = Application({**demo, "base": base})
    begun = application.begin(owner.username, factor="secondFactor").json()
    expect(phone.requests).to_have_count(1)
    # The proof that has just set the lock is older than the request.
    device.verifies(False)
    phone.answer(begun["number"])
    expect(phone.page.locator(".toast")).to_have_text("Not confirmed: nothing was sent.")
    assert application.status(begun)["status"] == "pending"
    device.verifies(True)
    phone.answer(begun["number"])
    phone.expect_outcome("Approved")
    assert verified(application, begun) is True
    # Nobody who finds the app open takes its lock away.
    device.verifies(False)
    phone.page.locator("#settings").click()
    phone.page.get_by_label("No lock").click()
    expect(phone.page.get_by_label("The lock of this device")).to_be_checked()
    phone.page.reload()
    phone.expect_screen("locked")


def test_a_lock_that_the_person_breaks_off_is_none(browser, base, demo):
    device = Device(browser, isUserVerified=False)
    device.phone.open()
    device.lock()
    expect(device.phone.page.locator(".toast")).to_have_text("The device’s lock could not be used.")
    expect(device.phone.page.get_by_label("No lock")).to_be_checked()
    device.phone.page.reload()
    device.phone.expect_screen("settings")
    assert device.credentials == []


def test_a_device_that_verifies_nobody_is_offered_a_pin_only(browser):
    device = Device(browser, hasUserVerification=False, isUserVerified=False)
    device.phone.open()
    device.phone.page.locator("#settings").click()
    expect(device.phone.page.get_by_label("A PIN for this app")).to_be_visible()
    expect(device.phone.page.locator("#device-lock-choice")).to_be_hidden()
