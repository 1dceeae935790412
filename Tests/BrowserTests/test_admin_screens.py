"""Every screen of administration: how it reads, how it looks, what it weighs; pictures are kept in var/screenshots."""

import re

import pytest
from playwright.sync_api import Page, expect

from .pages import signed_in, unique
from .test_every_page import AUDIT, first_paint, look


def screens(page: Page, someone):
    """Every screen, one after the other: its name, once it is there."""

    def at(path: str, ready: str) -> None:
        page.goto("/demo/admin" + path)
        expect(page.locator(ready).first).to_be_visible()

    def closed() -> None:
        page.keyboard.press("Escape")

    at("?range=hour", "#outcomes rect")
    yield "overview"
    at("/policy", "#include li")
    yield "policy"
    page.locator("#add-exclude").click()
    page.fill("#picker-search", someone.username)
    expect(page.locator("#picker-rows li")).to_have_count(1)
    yield "policy-picker"
    page.locator("#picker-rows button").click()
    closed()
    page.locator("#include [data-configure]").first.click()
    yield "policy-configure"
    closed()
    page.locator("#review").click()
    expect(page.locator("#save")).to_be_enabled()
    yield "policy-review"
    closed()
    page.locator("#discard").click()
    at("/people", "#people a")
    yield "people"
    page.locator("#add").click()
    yield "people-add"
    closed()
    page.locator("#import").click()
    page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": b"username\n,\n"}])
    yield "people-import"
    page.locator("#import-action").click()
    expect(page.locator("#report")).to_be_visible()
    yield "people-report"
    at(f"/people/{someone.user['id']}", "#rules li")
    yield "person"
    page.locator("#pass").click()
    yield "person-pass"
    page.locator("#pass-action").click()
    expect(page.locator("#secret-value")).to_be_visible()
    yield "person-secret"
    at("/groups", "#groups li")
    yield "groups"
    page.locator("#groups a").first.click()
    expect(page.locator("#rename")).to_be_enabled()
    yield "group"
    page.locator("#delete").click()
    yield "group-delete"
    at("/applications", "#applications [data-name]")
    yield "applications"
    page.locator("#add").click()
    yield "applications-add"
    at("/sign-ins", "#entries button.item")
    yield "sign-ins"
    page.locator("#entries button.item").first.click()
    yield "sign-ins-details"
    at("/audit?action=user", "#entries button.item")
    yield "audit"
    page.locator("#entries button.item").first.click()
    yield "audit-details"
    at("/settings", "#numberDigits")
    page.fill("#numberDigits", "9")
    page.get_by_role("button", name=re.compile("Save|Speichern")).click()
    yield "settings"
    page.locator("#discard").click()


@pytest.fixture
def furnished(administrator, application, someone):
    """Something on every screen."""
    administrator.call("POST", "/groups", json={"name": unique("Staff")})
    application.begin(someone.username)
    administrator.issue_pass(someone.user["id"])
    return someone


def test_every_screen_of_administration(browser, admin, furnished):
    page = admin()
    for name in screens(page, furnished):
        look(page, f"admin-{name}")


def test_every_screen_of_administration_in_german(open_browser, demo, furnished):
    page = signed_in(open_browser(locale="de-AT"), demo)
    faults = []
    for name in screens(page, furnished):
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            faults += [f"{name} at {width}: {fault}" for fault in page.evaluate(AUDIT) if "contrast" not in fault]
    assert not faults, "\n".join(dict.fromkeys(faults))


def test_the_first_paint_of_each_page_is_light(browser, admin, administrator, someone):
    group = administrator.call("POST", "/groups", json={"name": unique("Staff")}).json()
    administrator.call("POST", f"/groups/{group['id']}/members", json={"add": [someone.user["id"]]})
    admin()
    for path in ("", "/policy", "/people", f"/people/{someone.user['id']}", "/groups", f"/groups/{group['id']}", "/applications", "/sign-ins", "/audit", "/settings"):
        first_paint(browser, "/demo/admin" + path)
