"""Temporary Access Passes, as an administrator issues and withdraws them."""

import re
import secrets

from client import Person, Phone, register, set_up_phone_sign_in
from playwright.sync_api import expect

from .pages import POLICY, signed_in
from .test_every_page import look


def test_a_pass_is_shown_once_and_brings_a_person_without_a_phone_in(open_browser, demo, administrator):
    username = "n" + secrets.token_hex(6)
    browser = open_browser(permissions=["clipboard-read", "clipboard-write"])
    page = signed_in(browser, demo, "/people")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("User name").fill(username)
    page.locator("#new-name").fill("New Person")
    page.locator("#add-action").click()
    expect(page.get_by_role("heading", name="New Person")).to_be_visible()
    expect(page).to_have_title("New Person · Demo")
    page.get_by_role("button", name="Issue a pass").click()
    page.get_by_label("Lifetime").fill("5")
    page.get_by_role("button", name="Issue", exact=True).click()
    expect(page.get_by_text("Enter a whole number from 10 to 43,200")).to_be_visible()
    page.get_by_label("Lifetime").fill("30")
    page.get_by_role("button", name="Issue", exact=True).click()
    shown = page.locator("#secret-value")
    expect(shown).to_have_text(re.compile(r"^\S{8,}$"))
    access_pass = shown.text_content()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == access_pass
    expect(page.locator("dialog:modal .toasts:popover-open .toast")).to_have_text("Copied")
    page.keyboard.press("Escape")
    expect(page.locator("#secret-warning")).to_contain_text("cannot be shown again")
    expect(shown).to_have_text(access_pass)
    page.get_by_role("button", name="Done").click()
    expect(shown).to_have_text("")
    assert access_pass not in page.content(), "the pass is gone with its dialog"

    person = Person(demo["base"], demo["tenant"])
    assert person.sign_in(username, temporaryAccessPass=access_pass).status_code == 200
    phone = register(person, Phone())
    set_up_phone_sign_in(phone)
    page.reload()
    expect(page.locator("#devices")).to_contain_text("Phone sign-in on")
    page.get_by_role("button", name="Remove Test phone").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove device").click()
    expect(page.get_by_text("No phone is registered.")).to_be_visible()
    assert phone.call("GET", "/challenges").status_code == 401


def test_a_pass_that_is_out_is_shown_without_it_and_can_be_withdrawn(admin, administrator, someone, demo):
    page = admin(f"/people/{someone.user['id']}")
    out, path = page.locator("#pass-out"), f"/users/{someone.user['id']}/temporary-access-pass"
    expect(page.locator("#devices")).to_contain_text("Phone sign-in on")
    expect(out).to_be_hidden()
    page.get_by_role("button", name="Issue a pass").click()
    page.get_by_label("Good for one sign-in only").uncheck()
    page.get_by_role("button", name="Issue", exact=True).click()
    expect(page.locator("#secret-value")).to_have_text(re.compile(r"^\S{8,}$"))
    access_pass = page.locator("#secret-value").text_content()
    page.get_by_role("button", name="Done").click()
    expect(out).to_contain_text("Good several times, until")
    page.reload()
    expect(out).to_contain_text("Good several times, until")
    assert access_pass not in page.content() and access_pass not in str(administrator.get(path))
    look(page, "admin-person-pass-out")

    def sign_in() -> int:
        return Person(demo["base"], demo["tenant"]).sign_in(someone.username, temporaryAccessPass=access_pass).status_code

    assert sign_in() == 200
    out.get_by_role("button", name="Withdraw").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It signs nobody in any more.")
    dialog.get_by_role("button", name="Cancel").click()
    assert sign_in() == 200
    out.get_by_role("button", name="Withdraw").click()
    dialog.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".toast").last).to_have_text("The pass is withdrawn")
    expect(out).to_be_hidden()
    assert sign_in() == 401
    assert administrator.get(path) == dict.fromkeys(("id", "issuedAt", "expiresAt", "usableOnce")) | {"outstanding": False}
    assert administrator.call("DELETE", path).status_code == 204, "harmless where none is out"
    entries = administrator.get(f"/audit?action=pass&target={someone.user['id']}")["items"]
    assert [entry["action"] for entry in entries] == ["pass.withdraw", "pass.issue"]
    assert entries[0]["actor"]["name"] == demo["admin"]["username"]


def test_a_pass_that_was_used_meanwhile_is_gone_from_a_page_that_is_drawn_anew(admin, administrator, someone, demo):
    access_pass = administrator.issue_pass(someone.user["id"], usableOnce=True)
    page = admin(f"/people/{someone.user['id']}")
    out = page.locator("#pass-out")
    expect(out).to_contain_text("Good once, until")
    assert Person(demo["base"], demo["tenant"]).sign_in(someone.username, temporaryAccessPass=access_pass).status_code == 200
    page.get_by_role("button", name="Block").click()
    page.get_by_role("dialog").get_by_role("button", name="Block").click()
    expect(page.locator("#blocked")).to_be_visible()
    expect(out).to_be_hidden()


def test_the_dialog_says_where_a_pass_brings_no_phone(admin, administrator, someone):
    path = POLICY
    page = admin(f"/people/{someone.user['id']}")
    warning, button = page.locator("#pass-refused"), page.get_by_role("button", name="Issue a pass")
    expect(page.locator("#devices")).to_contain_text("Phone sign-in on")
    button.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(warning).to_be_hidden()
    before = administrator.get(path)["excludeTargets"]
    try:
        administrator.change(path, {"excludeTargets": [*before, {"targetType": "user", "id": someone.user["id"]}]})
        page.reload()
        expect(page.locator("#explain-facts")).to_contain_text("May not use the app")
        button.click()
        name = someone.user["displayName"]
        expect(warning).to_have_text(f"{name} may not use the Authenticator now: with this pass they can sign in, but add no phone.")
        look(page, "admin-person-pass-refused")
    finally:
        administrator.change(path, {"excludeTargets": before})
