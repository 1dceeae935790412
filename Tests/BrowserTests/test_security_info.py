"""A person's own methods, devices and sign-ins."""

import contextlib
import re
import secrets
import sqlite3

import pytest
from client import Person, Phone, register
from playwright.sync_api import expect
from stack import Stack

from .pages import POLICY, SignInPage, approve, only_challenge, sign_in, signed_in


def begin_to_add(page) -> str:
    """Until the QR code is there; the link that it stands for."""
    page.locator("#add").click()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#qr")).to_be_visible()
    return page.input_value("#activation-link")


def add_phone(page, phone=None):
    phone = phone or Phone()
    link = begin_to_add(page)
    expect(page.get_by_role("link", name="Use this browser as the authenticator")).to_be_visible()
    page.get_by_text("Can’t scan the code?").click()
    assert phone.activate(link).status_code == 201
    expect(page.get_by_role("heading", name="Enter this number on your phone")).to_be_visible()
    return phone


def test_a_first_phone_is_added_by_the_page(browser, administrator):
    person = Someone(administrator)
    page = browser.tab()
    start = SignInPage(page).open()
    start.next(person.username)
    start.give_password(person.password)
    start.expect_signed_in()
    expect(page.get_by_role("heading", name="No phone yet")).to_be_visible()
    phone = add_phone(page)
    natural = page.evaluate("document.querySelector('#qr').naturalWidth")
    assert natural > 0, "the QR code is an image that loads"
    reply = phone.answer(phone.challenges()[0], number=page.text_content("#add-number"))
    assert reply.json()["status"] == "approved"
    expect(page.get_by_role("heading", name="Your phone is ready")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    device = page.locator("#devices li")
    expect(device).to_have_count(1)
    expect(device).to_contain_text("Test phone")
    expect(device).to_contain_text("Second step and codes")
    expect(page.locator("#methods")).to_contain_text("Verification code")


class Someone:
    def __init__(self, administrator):
        self.username, self.password = "q" + secrets.token_hex(6), secrets.token_urlsafe(12)
        administrator.create_user(self.username, self.password)


def test_a_wrong_number_ends_the_addition(browser, someone):
    page = sign_in(browser, someone)
    phone = add_phone(page)
    number = page.text_content("#add-number")
    phone.answer(phone.challenges()[0], number="11" if number != "11" else "12")
    expect(page.get_by_role("heading", name="That was another number")).to_be_visible()
    page.get_by_role("button", name="Start again").click()
    expect(page.locator("#qr")).to_be_visible()
    page.locator("#cant-scan summary").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Close")).to_be_in_viewport()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.reload()
    expect(page.locator("#recent li").first).to_contain_text("Adding a phone · Wrong number")


def test_a_reload_goes_on_with_the_addition(browser, someone):
    page = sign_in(browser, someone)
    link, phone, dialog = begin_to_add(page), Phone(), page.locator("#add-dialog")
    page.reload()
    expect(page.locator("#qr")).to_be_visible()
    expect(page.locator("#activation-link")).to_have_value(link)
    expect(page.locator("#qr")).to_have_js_property("complete", True)
    assert page.evaluate("document.querySelector('#qr').naturalWidth") > 0
    assert phone.activate(link).status_code == 201
    number = page.locator("#add-number")
    expect(number).to_be_visible()
    shown = number.text_content()
    assert link not in page.evaluate("JSON.stringify(sessionStorage)"), "it has been used"
    page.reload()
    expect(number).to_have_text(shown)
    expect(dialog.get_by_role("heading", name="Enter this number on your phone")).to_be_focused()
    reply = phone.answer(phone.challenges()[0], number=shown)
    assert reply.json()["status"] == "approved"
    expect(page.get_by_role("heading", name="Your phone is ready")).to_be_visible()
    page.reload()
    expect(page.locator("#devices li")).to_have_count(2)
    expect(dialog).to_be_hidden()


def test_an_addition_that_was_given_up_or_ended_does_not_come_back(browser, someone):
    page = sign_in(browser, someone)
    dialog, phone = page.locator("#add-dialog"), Phone()
    begin_to_add(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert phone.activate(begin_to_add(page)).status_code == 201
    expect(page.locator("#add-number")).to_be_visible()
    # What became of it while the page was away.
    page.goto("/demo/sign-in?prompt=login")
    phone.answer(phone.challenges()[0], decision="decline")
    page.goto("/demo/security-info")
    expect(page.locator("#devices li")).to_have_count(1)
    expect(dialog).to_be_hidden()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_server_that_is_lost_while_the_phone_is_waited_for_is_said(browser, someone):
    page = sign_in(browser, someone)
    phone = add_phone(page)
    lost = page.locator("#add-connection-lost")
    expect(lost).to_be_hidden()
    browser.may_be_unreachable = True
    browser.context.set_offline(True)
    expect(lost).to_contain_text("goes on by itself")
    expect(page.locator("#announcer")).to_have_text(lost.text_content())
    reply = phone.answer(phone.challenges()[0], number=page.text_content("#add-number"))
    assert reply.json()["status"] == "approved"
    browser.context.set_offline(False)
    expect(page.get_by_role("heading", name="Your phone is ready")).to_be_visible()
    expect(lost).to_be_hidden()


def test_the_time_that_is_left_is_shown_where_a_proxy_takes_the_date_away(browser, someone):
    page = sign_in(browser, someone)
    page.evaluate("""() => {
      const get = Headers.prototype.get;
      Headers.prototype.get = function (name) { return name.toLowerCase() === "date" ? null : get.call(this, name); };
    }""")
    add_phone(page)
    offset = float(page.locator("#add-ring .left").get_attribute("stroke-dashoffset"))
    assert 0 <= offset < 100, "not NaN, which compares as neither"


def test_phone_sign_in_and_the_default_method_are_shown(browser, someone):
    page = sign_in(browser, someone)
    expect(page.locator("#devices")).to_contain_text("Phone sign-in on")
    default = page.locator("#methods li", has=page.locator("[data-default]:visible"))
    expect(default).to_have_count(1)
    expect(default).to_contain_text("Phone sign-in")


def test_a_sign_in_is_when_the_phone_was_last_used(open_browser, demo, someone, administrator, stack):
    """What is known well enough is not written again, so the phone is made to have been used two days ago."""
    path = f"/users/{someone.user['id']}/devices"
    with contextlib.closing(sqlite3.connect(stack.var / "registration/registration.sqlite", timeout=10)) as database, database:
        database.execute("UPDATE device SET last_used_at = last_used_at - 172800000 WHERE id = ?", (someone.phone.id,))
    (before,) = administrator.get(path)["items"]
    admin = signed_in(open_browser(), demo, f"/people/{someone.user['id']}").locator("#devices [data-facts]")
    # No time of day: uses within a quarter of an hour are one.
    expect(admin).to_have_text(re.compile(r"last used \d[^,:]+$"))
    page = sign_in(open_browser(), someone)
    Stack.wait_for(lambda: administrator.get(path)["items"][0]["lastUsedAt"] > before["lastUsedAt"], 10, "the use of the phone")
    used = re.compile("last used (today|yesterday)$")
    page.reload()
    expect(page.locator("#devices [data-facts]")).to_have_text(used)
    admin.page.reload()
    expect(admin).to_have_text(used)
    german = signed_in(open_browser(locale="de-AT"), demo, f"/people/{someone.user['id']}")
    expect(german.locator("#devices [data-facts]")).to_have_text(re.compile("zuletzt verwendet (heute|gestern)$"))


def test_whom_the_policy_excludes_sees_it_and_is_offered_nothing_in_vain(browser, someone, administrator):
    page = sign_in(browser, someone)
    path = POLICY
    before = administrator.get(path)["excludeTargets"]
    administrator.change(path, {"excludeTargets": [*before, {"targetType": "user", "id": someone.user["id"]}]})
    try:
        page.reload()
        expect(page.locator("#content .notice.warning")).to_contain_text("does not let you use the Authenticator app")
        expect(page.locator("#devices .badge")).to_have_text("Not allowed now")
        expect(page.locator("#add")).to_be_hidden()
        expect(method(page, "Password")).to_contain_text("Followed by a verification code")
    finally:
        administrator.change(path, {"excludeTargets": before})


def test_without_a_password_no_way_is_offered_that_follows_one(browser, administrator):
    username = "n" + secrets.token_hex(6)
    user = administrator.create_user(username)
    page = SignInPage(browser.tab()).open()
    page.next(username)
    page.page.get_by_role("button", name="I can’t use my app right now").click()
    page.page.get_by_role("button", name="My phone is lost, broken or new").click()
    page.page.fill("#pass", administrator.issue_pass(user["id"]))
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_signed_in()
    phone = add_phone(page.page)
    phone.answer(phone.challenges()[0], number=page.page.text_content("#add-number"))
    page.page.get_by_role("button", name="Done").click()
    expect(page.page.locator("#devices li")).to_have_count(1)
    expect(page.page.locator("#methods")).not_to_contain_text("after your password")
    expect(page.page.locator("#methods")).not_to_contain_text("Verification code")


def test_what_was_done_on_the_phone_is_seen_when_the_page_is_looked_at_again(browser, someone):
    page = sign_in(browser, someone)
    expect(page.locator("#devices")).to_contain_text("Phone sign-in on")
    assert someone.phone.call("DELETE", "/phone-sign-in").status_code == 204
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#devices")).to_contain_text("Second step and codes")


def method(page, name: str):
    return page.locator("#methods li", has=page.get_by_role("heading", name=name, exact=True))


def choose(page, name: str) -> None:
    page.get_by_role("button", name=f"Use as default: {name}").click()
    expect(method(page, name).locator("[data-default]")).to_be_visible()
    expect(page.locator("[data-default]:visible")).to_have_count(1)


def test_the_default_method_is_chosen_and_kept(browser, someone):
    page = sign_in(browser, someone)
    choose(page, "Verification code")
    expect(page.locator(".toast")).to_have_text("Verification code is your default method now")
    page.reload()
    expect(method(page, "Verification code").locator("[data-default]")).to_be_visible()
    assert someone.browser.call("GET", "/me").json()["defaultMethod"] == "code"
    expect(method(page, "Password").get_by_role("button")).to_have_count(0)
    assert someone.browser.call("PATCH", "/me", json={"defaultMethod": "password"}).status_code == 400
    choose(page, "Phone sign-in")
    assert someone.phone.call("DELETE", "/phone-sign-in").status_code == 204
    assert someone.browser.call("GET", "/me").json()["defaultMethod"] == "push", "what cannot be used is not offered"
    refused = someone.browser.call("PATCH", "/me", json={"defaultMethod": "phoneSignIn"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")


def remember(start: SignInPage) -> SignInPage:
    start.page.get_by_label("Remember my user name").check()
    return start


def test_a_browser_that_remembers_the_name_begins_with_the_default_method(open_browser, someone):
    browser = open_browser()
    start = remember(SignInPage(browser.tab()).open())
    approve(someone, start.next(someone.username))
    start.expect_signed_in()
    choose(start.page, "Verification code")
    again = SignInPage(browser.tab()).open("?prompt=login")
    again.page.get_by_role("button", name="Next").click()
    again.expect_screen("code")
    assert not someone.phone.challenges(), "no phone rings before somebody asks for it"
    again.ways("Approve a request on my Authenticator app")
    approve(someone, again.number())
    again.expect_signed_in()
    choose(again.page, "Authenticator app")
    third = SignInPage(browser.tab()).open("?prompt=login")
    third.page.get_by_role("button", name="Next").click()
    third.expect_screen("password")
    third.page.fill("#password", someone.password)
    third.page.get_by_role("button", name="Next").click()
    approve(someone, third.number())
    third.expect_signed_in()


def test_a_choice_made_elsewhere_is_learned_by_signing_in(open_browser, someone):
    browser = open_browser()
    start = remember(SignInPage(browser.tab()).open("?return=/demo/sign-in%3Fprompt%3Dlogin"))
    assert someone.browser.call("PATCH", "/me", json={"defaultMethod": "code"}).status_code == 200
    approve(someone, start.next(someone.username))
    start.page.wait_for_url("**prompt=login")
    start.page.get_by_role("button", name="Next").click()
    start.expect_screen("code")


def test_a_choice_that_leads_nowhere_is_not_learned(open_browser, someone, administrator):
    browser = open_browser()
    start = remember(SignInPage(browser.tab()).open("?return=/demo/sign-in%3Fprompt%3Dlogin"))
    assert someone.browser.call("PATCH", "/me", json={"defaultMethod": "code"}).status_code == 200
    # A code follows the password, which is gone.
    administrator.change(f"/users/{someone.user['id']}", {"password": ""})
    approve(someone, start.next(someone.username))
    start.page.wait_for_url("**prompt=login")
    start.page.get_by_role("button", name="Next").click()
    start.expect_screen("number")


def test_nobody_else_is_told_a_default_method(open_browser, someone):
    assert someone.browser.call("PATCH", "/me", json={"defaultMethod": "code"}).status_code == 200
    page = SignInPage(open_browser().tab()).open()
    seen = []
    for username in [someone.username, "nobody-of-this-name"]:
        page.next(username)
        seen.append(page.page.inner_text("main").replace(username, "NAME").replace(page.page.text_content("#number"), "NN", 1))
        page.page.get_by_role("button", name="Change user name").click()
    without_digits = ["".join(letter for letter in text if not letter.isdigit()) for text in seen]
    assert without_digits[0] == without_digits[1]
    remembered = remember(SignInPage(open_browser().tab()).open())
    remembered.next("nobody-of-this-name")
    assert remembered.page.evaluate("Object.keys(localStorage)") == ["countersign.username.demo"]


def test_a_device_is_removed_after_a_question(browser, someone):
    page = sign_in(browser, someone)
    page.get_by_role("button", name="Remove Test phone").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Test phone can then no longer approve")
    expect(dialog).to_contain_text("your only device")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert someone.phone.call("GET", "/challenges").status_code == 200
    page.get_by_role("button", name="Remove Test phone").click()
    dialog.get_by_role("button", name="Remove device").click()
    expect(page.get_by_text("Test phone is removed")).to_be_visible()
    expect(page.get_by_role("heading", name="No phone yet")).to_be_visible()
    assert someone.phone.call("GET", "/challenges").status_code == 401


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_what_is_said_of_a_device_does_not_cover_it(open_browser, someone, width, height):
    register(someone.browser, Phone())
    page = sign_in(open_browser(viewport={"width": width, "height": height}), someone)
    page.locator("#devices [data-remove]").last.click()
    page.get_by_role("button", name="Remove device").click()
    said = page.locator(".toast").bounding_box()
    expect(page.locator("#devices li")).to_have_count(1)
    for row in page.locator("main h1, main .item:visible").all():
        box = row.bounding_box()
        assert box["y"] >= said["y"] + said["height"] or box["y"] + box["height"] <= said["y"], row.text_content()


def test_recent_sign_ins_are_my_own_newest_first(browser, someone, application):
    request = application.begin(someone.username, application="Payroll").json()
    someone.phone.answer(only_challenge(someone.phone), "decline")
    page = sign_in(browser, someone)
    rows = page.locator("#recent li")
    expect(rows.nth(0)).to_contain_text("Signed in with the phone")
    expect(rows.nth(1)).to_contain_text("Declined on the phone")
    expect(rows.nth(1)).to_contain_text("Payroll")
    assert request["status"] == "pending"


def test_the_list_of_own_sign_ins_is_paged_and_holds_nobody_elses(demo, someone, make_someone, application):
    other = make_someone()
    for _ in range(3):
        request = application.begin(someone.username).json()
        someone.phone.answer(only_challenge(someone.phone), number=request["number"])
    application.begin(other.username)
    person = someone.browser
    first = person.call("GET", "/me/sign-ins?limit=2").json()
    assert len(first["items"]) == 2 and first["next"]
    rest = person.call("GET", f"/me/sign-ins?limit=100&cursor={first['next']}").json()
    entries = first["items"] + rest["items"]
    assert [entry["at"] for entry in entries] == sorted((entry["at"] for entry in entries), reverse=True)
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert all(set(entry) == {
        "id", "at", "purpose", "application", "status", "reason", "method", "deviceId", "deviceName", "ipAddress", "userAgent",
        "settledAt"} for entry in entries)
    assert {entry["reason"] for entry in entries} <= {None, "declined", "reported", "wrong_number"}
    assert Person(demo["base"], demo["tenant"]).call("GET", "/me/sign-ins").status_code == 401


def test_a_sign_in_that_was_not_me_is_reported(browser, someone, application):
    page = sign_in(browser, someone)
    row = page.locator("#recent li").first
    row.get_by_role("button", name="This was not me").click()
    dialog = page.locator("#report-dialog")
    expect(dialog).to_contain_text("Signed in with the phone, today, ")
    expect(dialog).to_contain_text("Every other browser is signed out")
    expect(dialog.get_by_text("knew your password")).to_be_hidden()
    dialog.get_by_role("button", name="Report it").click()
    expect(page.get_by_text("It is reported", exact=True)).to_be_visible()
    expect(row.get_by_role("heading")).to_have_text("Signed in with the phone\u00a0· Reported as not yours")
    expect(row.locator(".glyph")).to_have_class("glyph warning")
    expect(row.get_by_role("button", name="This was not me")).to_have_count(0)
    assert len(application.begin(someone.username).json()["number"]) == 3, "numbers get longer, as after a report on the phone"


def test_a_request_that_was_left_for_another_way_is_no_cause_for_alarm(browser, someone):
    start = SignInPage(browser.tab()).open()
    start.next(someone.username)
    start.give_password(someone.password)
    expect(start.page.get_by_role("heading", name="One more step")).to_be_visible()
    approve(someone, start.number())
    start.expect_signed_in()
    rows = start.page.locator("#recent li")
    expect(rows.nth(0)).to_contain_text("Signed in with the phone")
    expect(rows.nth(1)).to_contain_text("Ended without an answer")
    # One look for one action: what the row was is said beside it.
    for index in range(2):
        expect(rows.nth(index).get_by_role("button", name="This was not me")).to_have_class("button quiet danger small")
    expect(start.page.get_by_text("Choosing another way to sign in leaves a request")).to_be_visible()


def test_what_was_reported_says_what_it_was_before(browser, someone, application):
    application.begin(someone.username)
    someone.phone.answer(only_challenge(someone.phone), "report")
    application.cancel(application.begin(someone.username).json())
    page = sign_in(browser, someone)
    rows = page.locator("#recent li")
    # A refused request was never more than that.
    expect(rows.nth(2).get_by_role("heading")).to_have_text("Reported as not yours")
    rows.nth(1).get_by_role("button", name="This was not me").click()
    page.get_by_role("button", name="Report it").click()
    expect(rows.nth(1).get_by_role("heading")).to_have_text("Ended without an answer\u00a0· Reported as not yours")


def test_a_sign_in_below_the_newest_page_is_reported(browser, someone, application):
    for _ in range(9):
        application.begin(someone.username)
        someone.phone.answer(only_challenge(someone.phone), "decline")
    page = sign_in(browser, someone)
    page.get_by_role("button", name="More").click()
    # The phone was added and set up before all others.
    row = page.locator("#recent li").last
    expect(row).to_contain_text("Phone added")
    row.get_by_role("button", name="This was not me").click()
    page.get_by_role("button", name="Remove the phone and report it").click()
    expect(row).to_contain_text("Reported as not yours")
    expect(row.get_by_role("button", name="This was not me")).to_have_count(0)


def test_a_phone_that_was_not_added_by_me_is_removed(browser, someone, demo):
    page = sign_in(browser, someone)
    stranger = Person(demo["base"], demo["tenant"])
    stranger.http.cookies = someone.browser.http.cookies
    assert stranger.call("GET", "/me").status_code == 200
    row = page.locator("#recent li").filter(has_text="Phone added")
    row.get_by_role("button", name="This was not me").click()
    dialog = page.locator("#report-dialog")
    expect(dialog).to_contain_text("Test phone is removed")
    dialog.get_by_role("button", name="Remove the phone and report it").click()
    expect(page.get_by_text("It is reported", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="No phone yet")).to_be_visible()
    expect(page.locator("#recent li").filter(has_text="Reported as not yours").first).to_be_visible()
    assert someone.phone.call("GET", "/challenges").status_code == 401
    assert stranger.call("GET", "/me").status_code == 401
    # Of its set-up one can say it still, and there is no phone to remove.
    page.locator("#recent li").filter(has_text="Phone sign-in set up").get_by_role("button", name="This was not me").click()
    dialog.get_by_role("button", name="Report it", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#recent li").filter(has_text="Reported as not yours")).to_have_count(2)


def test_what_my_password_opened_by_itself_is_listed_and_reported(browser, administrator, demo):
    person = Someone(administrator)
    stranger = Person(demo["base"], demo["tenant"])
    assert stranger.sign_in(person.username, password=person.password).status_code == 200
    page = browser.tab()
    start = SignInPage(page).open()
    start.next(person.username)
    start.give_password(person.password)
    start.expect_signed_in()
    rows = page.locator("#passwords li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Signed in with the password alone")
    expect(rows.first).to_contain_text("127.0.0.1")
    rows.nth(1).get_by_role("button", name="This was not me").click()
    dialog = page.locator("#report-dialog")
    expect(dialog.get_by_text("knew your password")).to_be_visible()
    dialog.get_by_role("button", name="Report it").click()
    expect(rows.nth(1).get_by_role("heading")).to_have_text("Signed in with the password alone\u00a0· Reported as not yours")
    expect(rows.nth(1).get_by_role("button", name="This was not me")).to_have_count(0)
    assert stranger.call("GET", "/me").status_code == 401
    page.reload()
    expect(rows.nth(1)).to_contain_text("Reported as not yours")


def test_abandoned_windows_do_not_stop_anybody_from_adding_a_phone(browser, someone):
    for _ in range(5):
        someone.browser.new_activation()
    assert someone.browser.call("POST", "/me/activations").json()["code"] == "too_many_activations"
    page = sign_in(browser, someone)
    phone = add_phone(page)
    assert phone.answer(phone.challenges()[0], number=page.text_content("#add-number")).json()["status"] == "approved"
    expect(page.get_by_role("heading", name="Your phone is ready")).to_be_visible()


def test_more_sign_ins_come_when_asked_for(browser, someone, application):
    for _ in range(11):
        request = application.begin(someone.username).json()
        someone.phone.answer(only_challenge(someone.phone), number=request["number"])
    page = sign_in(browser, someone)
    expect(page.locator("#recent li")).to_have_count(10)
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    count = page.locator("#recent li").count()
    assert count >= 12
    # What comes in later is seen above them, by one look.
    request = application.begin(someone.username).json()
    someone.phone.answer(only_challenge(someone.phone), number=request["number"])
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/me/sign-ins" in request.url else None)
    page.evaluate("() => { dispatchEvent(new Event('focus')); document.dispatchEvent(new Event('visibilitychange')); }")
    expect(page.locator("#recent li")).to_have_count(count + 1)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert len(asked) == 1


def test_signing_out_ends_the_session(browser, someone):
    page = sign_in(browser, someone)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    page.goto("/demo/security-info")
    assert "/demo/sign-in" in page.url


def test_what_cannot_be_loaded_says_so_and_loads_again(browser, someone):
    page = sign_in(browser, someone)
    browser.may_be_unreachable = True
    page.route("**/me/sign-ins**", lambda route: route.abort())
    page.reload()
    expect(page.locator("#failed")).to_contain_text("could not be loaded")
    expect(page.locator("#devices")).to_contain_text("Test phone")
    page.unroute("**/me/sign-ins**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#failed")).to_be_hidden()
    expect(page.locator("#recent li").first).to_be_visible()
