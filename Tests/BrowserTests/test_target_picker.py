"""The dialog that picks people and groups, where answers come late."""

import re

from playwright.sync_api import expect

from .pages import unique


def test_what_was_picked_stays_chosen_when_a_search_comes_in_late(admin, administrator, someone):
    group = unique("Picked")
    administrator.call("POST", "/groups", json={"name": group})
    page = admin(f"/people/{someone.user['id']}")
    page.get_by_role("button", name="Add to groups").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search").fill(group[:-1])
    row = dialog.get_by_role("button", name=group)
    expect(row).to_be_visible()
    held = []
    page.route(re.compile(r"/admin/groups\?"), lambda route: held.append(route))
    with page.expect_request(re.compile(r"/admin/groups\?")):
        dialog.get_by_label("Search").fill(group)
    row.click()
    expect(dialog.locator("[data-taken]:visible")).to_have_text("Chosen")
    row.evaluate("row => { row.dataset.before = '' }")
    held[0].continue_()
    expect(dialog.locator("[data-before]")).to_have_count(0)
    expect(dialog.locator("[data-taken]:visible")).to_have_text("Chosen")
    expect(row).to_have_attribute("aria-pressed", "true")


def test_what_was_picked_by_mistake_is_taken_back_where_it_was_picked(admin, administrator, someone):
    group = unique("Mistaken")
    identity = administrator.call("POST", "/groups", json={"name": group}).json()["id"]

    def members() -> int:
        return administrator.get(f"/groups/{identity}")["memberCount"]

    page = admin(f"/people/{someone.user['id']}")
    page.get_by_role("button", name="Add to groups").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search").fill(group)
    row, chosen = dialog.get_by_role("button", name=group), dialog.locator("[data-taken]:visible")
    row.dblclick()
    expect(chosen).to_have_text("Chosen")
    assert members() == 1, "a double click is one"
    expect(dialog.get_by_label("Search")).to_be_focused()
    row.click()
    expect(chosen).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text(f"{group} is removed")
    assert members() == 0
    # Enter in the search takes what is found, and twice is not back again.
    dialog.get_by_label("Search").focus()
    for _ in range(2):
        page.keyboard.press("Enter")
        expect(chosen).to_have_count(1)
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("#groups")).to_contain_text(group)
    # What was so before the dialog was opened stays so.
    page.get_by_role("button", name="Add to groups").click()
    dialog.get_by_label("Search").fill(group)
    expect(row).to_be_disabled()
    expect(chosen).to_have_text("Chosen")


def test_a_policy_forgets_what_was_picked_and_taken_back(admin, someone):
    page = admin("/policy")
    page.locator("#add-exclude").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search").fill(someone.username)
    row = dialog.get_by_role("button", name=someone.username)
    for picked in (True, False):
        row.click()
        expect(row).to_have_attribute("aria-pressed", str(picked).lower())
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("#save-bar")).to_be_hidden()


def test_an_answer_that_comes_late_leaves_the_next_dialog_alone(admin, administrator, someone):
    group = unique("Late")
    administrator.call("POST", "/groups", json={"name": group})
    page = admin(f"/people/{someone.user['id']}")
    dialog, row = page.get_by_role("dialog"), page.get_by_role("dialog").get_by_role("button", name=group)
    held = []
    page.route(re.compile(r"/members$"), lambda route: held.append(route))
    for _ in range(2):
        page.get_by_role("button", name="Add to groups").click()
        dialog.get_by_label("Search").fill(group)
        expect(row).to_be_visible()
        if held:
            break
        with page.expect_request(re.compile(r"/members$")):
            row.click()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    held[0].fulfill(status=409, json={"code": "already_exists", "title": "Conflict", "status": 409})
    expect(page.locator(".toast")).to_be_visible()
    expect(dialog.locator("#picker-failed")).to_be_hidden()
    expect(row).to_be_enabled()
