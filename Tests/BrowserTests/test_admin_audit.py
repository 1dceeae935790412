"""The audit log: what is said of each change, and what of it can be picked out."""

import re
import secrets
import time

from client import Person, Phone, register
from playwright.sync_api import expect

from .pages import POLICY, signed_in, unique


def test_the_audit_log_shows_what_was_before_and_after(admin, administrator, someone):
    administrator.call("POST", f"/users/{someone.user['id']}:block")
    page = admin("/audit")
    page.get_by_label("Concerning").fill(someone.user["id"])
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#entries li").first).to_contain_text("Person blocked")
    page.get_by_label("What").select_option("user")
    page.get_by_label("Who").fill("First administrator")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#entries li")).to_have_count(2)
    page.locator("#entries li button").first.click()
    assert page.locator("#difference-rows td, #difference-rows th").all_text_contents() == ["blocked", "false", "true"]


def test_a_change_of_policy_is_shown_by_the_names_of_people_and_groups(admin, administrator, someone):
    path = POLICY
    name, gone = unique("Staff"), unique("Gone")
    groups = [administrator.call("POST", "/groups", json={"name": each}).json()["id"] for each in (name, gone)]
    before = administrator.get(path)
    try:
        administrator.change(path, {
            "includeTargets": [{"targetType": "group", "id": id, "authenticationMode": "push"} for id in groups] + before["includeTargets"],
            "excludeTargets": before["excludeTargets"] + [{"targetType": "user", "id": someone.user["id"]}]})
    finally:
        administrator.change(path, {name: before[name] for name in ("includeTargets", "excludeTargets")})
    administrator.call("DELETE", f"/groups/{groups[1]}")
    page = admin("/audit?action=policy")
    person = someone.user["displayName"]
    row = page.locator("#entries li").nth(1)
    lost = f"{groups[1]} (no longer there)"
    expect(row).to_contain_text(f"Policy changed: included: {name}, {lost} · excluded: {person}")
    expect(page.locator("#entries li").first).to_contain_text(f"Policy changed: no longer included: {name}, {lost} · no longer excluded: {person}")
    row.locator("button").click()
    rows = page.locator("#difference-rows tr")
    expect(rows.filter(has_text="includeTargets").first).to_contain_text(f"{name}, {lost}, All users")
    expect(rows.filter(has_text=f"includeTargets[{name}].authenticationMode")).to_contain_text("Push")
    expect(page.locator("#difference-rows")).to_contain_text(person)
    assert groups[0] not in page.inner_text("#difference-rows"), "the names stand for the ids"


# What is broken over two lines in mid-word, though a column may be wide enough for it.
BROKEN = r"""(rows) => [...rows.querySelectorAll("th, td")].flatMap((cell) => {
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const room = parseFloat(getComputedStyle(cell).maxWidth) || 320;
  const broken = [];
  while (walker.nextNode()) {
    for (const { 0: word, index } of walker.currentNode.data.matchAll(/[^\s-]+/g)) {
      range.setStart(walker.currentNode, index);
      range.setEnd(walker.currentNode, index + word.length);
      const boxes = [...range.getClientRects()];
      if (boxes.length > 1 && boxes.reduce((width, box) => width + box.width, 32) < room) broken.push(word);
    }
  }
  return broken;
})"""


def test_another_order_and_another_display_are_named_too(admin, administrator):
    path = POLICY
    groups = [administrator.call("POST", "/groups", json={"name": unique("Staff")}).json()["id"] for _ in range(2)]
    before = administrator.get(path)
    feature = "displayLocationInformationRequiredState"
    others = {"enabled": "disabled", "disabled": "enabled", "default": "disabled"}

    def change(ids: list[str], state: str) -> None:
        targets = [{"targetType": "group", "id": id, "authenticationMode": "any"} for id in ids]
        administrator.change(path, {"includeTargets": targets + before["includeTargets"], "featureSettings": {feature: {"state": state}}})

    state = before["featureSettings"][feature]["state"]
    try:
        change(groups, state)
        change(groups[::-1], others[state])
    finally:
        change([], state)
    page = admin("/audit?action=policy")
    expect(page.locator("#entries li").nth(1)).to_contain_text("Policy changed: groups in another order · another display on the phone")


def test_what_a_change_says_is_read_in_whole_words(open_browser, demo, administrator, someone):
    path = POLICY
    before = administrator.get(path)
    target = {"targetType": "user", "id": someone.user["id"], "isRegistrationRequired": False}
    try:
        for mode in ("any", "deviceBasedPush"):
            administrator.change(path, {"includeTargets": [target | {"authenticationMode": mode}, *before["includeTargets"]]})
    finally:
        administrator.change(path, {"includeTargets": before["includeTargets"]})
    for locale, words in [("en-GB", ("Any", "Passwordless")), ("de-AT", ("Beliebig", "Ohne Passwort"))]:
        page = signed_in(open_browser(locale=locale), demo, "/audit?action=policy")
        changed = {"en-GB": "another mode", "de-AT": "anderer Modus"}[locale]
        expect(page.locator("#entries li").nth(1)).to_contain_text(f"{changed}: {someone.user['displayName']}")
        page.locator("#entries li button").nth(1).click()
        cells = page.locator("#difference-rows tr").filter(has_text="authenticationMode").locator("td")
        expect(cells).to_have_text(list(words))
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.locator("#difference-rows").evaluate(BROKEN) == [], (locale, width)
            hidden = page.locator("#difference").evaluate("(frame) => frame.scrollWidth - frame.clientWidth")
            assert hidden == 0, (locale, width, "a part of what was and what is lies beyond the edge")
        page.keyboard.press("Escape")
        # With a long path, and with what was not there before.
        page.locator("#entries li button").nth(2).click()
        expect(page.locator("#difference-rows")).to_contain_text(f"[{someone.user['displayName']}].isRegistrationRequired")
        assert page.locator("#difference-rows").evaluate(BROKEN) == [], locale


def test_refused_passwords_are_in_the_audit_log_and_can_be_picked_out(admin, administrator, demo):
    username = "w" + secrets.token_hex(6)
    user = administrator.create_user(username, "right password")
    assert Person(demo["base"], demo["tenant"]).sign_in(username, password="wrong password").status_code == 401
    # The entry waits for a second, so that a burst is one.
    deadline = time.monotonic() + 10
    while not administrator.get(f"/audit?action=password&target={user['id']}")["items"]:
        assert time.monotonic() < deadline
    page = admin()
    page.goto("/demo/admin/audit")
    page.get_by_label("What").select_option("Refused passwords")
    page.get_by_label("Concerning").fill(user["id"])
    page.get_by_role("button", name="Apply").click()
    row = page.locator("#entries li")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"Password or pass refused: {username} · password · 127.0.0.1")
    expect(row).to_contain_text("somebody unknown")


def test_what_a_first_phone_ended_is_in_the_audit_log(admin, administrator, demo):
    username = "f" + secrets.token_hex(6)
    user = administrator.create_user(username, "right password")
    own, *others = [Person(demo["base"], demo["tenant"]) for _ in range(3)]
    for browser in (own, *others):
        assert browser.sign_in(username, password="right password").status_code == 200
    others[0].new_activation()
    register(own, Phone())
    assert [other.call("GET", "/me").status_code for other in others] == [401, 401]
    page = admin(f"/audit?action=session&target={user['id']}")
    row = page.locator("#entries li", has_text="Signed out everywhere else")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"Signed out everywhere else: {username} · sessions: 2 · additions of phones: 1")
    expect(row).to_contain_text("by Test phone (device)")


def test_the_audit_log_names_whom_and_what_it_concerns(admin, administrator, someone):
    name = unique("Staff")
    group = administrator.call("POST", "/groups", json={"name": name}).json()
    administrator.call("POST", f"/groups/{group['id']}/members", json={"add": [someone.user["id"]]})
    device = administrator.get(f"/users/{someone.user['id']}/devices")["items"][0]
    administrator.call("DELETE", f"/users/{someone.user['id']}/devices/{device['id']}")
    page = admin(f"/audit?target={group['id']}")
    expect(page.locator("#entries li").first).to_contain_text(f"Members of a group changed: {name} · added: {someone.username}")
    page.goto(f"/demo/admin/audit?target={device['id']}")
    rows = page.locator("#entries li")
    expect(rows.first).to_contain_text("Device removed: ")
    for row in rows.all():
        expect(row).to_contain_text(f"{device['name']} of {someone.username}")
    rows.first.locator("button").click()
    page.get_by_role("dialog").get_by_role("link", name=f"{device['name']} of {someone.username}").click()
    expect(page.get_by_role("heading", name=someone.username)).to_be_visible()


def test_an_import_is_one_line_that_opens_to_each_change(admin, administrator):
    name = "a" + secrets.token_hex(6)
    lines = ["username", *(f"{name}{number:03}" for number in range(120))]
    reply = administrator.call("POST", "/users:import", data="\n".join(lines), headers={"Content-Type": "text/csv"})
    assert reply.json()["created"] == 120, reply.text
    administrator.call("POST", "/groups", json={"name": name})
    page = admin("/audit")
    rows = page.locator("#entries > ul > li")
    imported = rows.filter(has_text="120 people imported")
    expect(imported).to_have_count(1)
    expect(rows.filter(has_text=name)).to_have_text([re.compile(f"Group added: {name}")])
    button = imported.locator("> button")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    changes = imported.locator("ul > li")
    expect(changes).to_have_count(120)
    changes.first.locator("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("Person imported")
    expect(page.locator("#difference-rows")).to_contain_text(name)
    page.keyboard.press("Escape")
    button.click()
    expect(changes.first).to_be_hidden()
