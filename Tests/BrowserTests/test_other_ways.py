"""Code, password and second factor, Temporary Access Pass, and a remembered name."""

import re
import time

import pyotp
import pytest
from playwright.sync_api import expect

from .pages import POLICY, SignInPage, approve, only_challenge
from .test_every_page import look

TOO_MANY = {"type": "about:blank", "title": "Too Many Requests", "status": 429, "code": "too_many_attempts"}


def code_of(someone) -> str:
    return pyotp.TOTP(someone.phone.registration["offlineCode"]["secret"]).now()


def test_a_code_with_the_password_signs_in(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.give_code(someone.password, code_of(someone))
    page.expect_signed_in()


def test_a_wrong_code_is_said_beside_its_field_and_too_many_wait(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.page.get_by_role("button", name="I can’t use my app right now").click()
    page.page.get_by_role("button", name="My phone has no connection").click()
    error = page.page.locator("#code-error")
    for _ in range(3):
        page.page.fill("#code-password", someone.password)
        page.page.fill("#code", "000000")
        page.page.get_by_role("button", name="Sign in", exact=True).click()
        expect(error).to_contain_text("did not match")
        expect(page.page.locator("#code")).to_have_attribute("aria-invalid", "true")
        expect(page.page.locator("#code-form button")).not_to_have_attribute("aria-busy", "true")
    page.page.fill("#code", code_of(someone))
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(error).to_contain_text("Too many attempts. Please wait")


def test_a_time_to_wait_is_counted_down_and_then_the_code_is_taken(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.ways("Use a verification code")
    path = "**/sign-ins/*/code"
    page.page.route(path, lambda route: route.fulfill(status=429, headers={"Retry-After": "4"}, json=TOO_MANY))
    page.page.fill("#code-password", someone.password)
    page.page.fill("#code", code_of(someone))
    submit, error = page.page.get_by_role("button", name="Sign in", exact=True), page.page.locator("#code-error")
    submit.click()
    expect(error).to_have_text("Too many attempts. Please wait 4 seconds.")
    expect(submit).to_be_disabled()
    expect(page.page.locator("#code")).to_be_focused()
    expect(page.page.locator("#code")).not_to_be_editable()
    expect(error).to_have_text(re.compile("Please wait [12] second"))
    assert page.page.text_content("#announcer") == "", "a screen reader is not told each second"
    expect(error).to_be_hidden()
    expect(page.page.locator("#announcer")).to_have_text("You can try again now.")
    expect(page.page.locator("#code")).to_be_editable()
    page.page.unroute(path)
    page.page.fill("#code", code_of(someone))
    submit.click()
    page.expect_signed_in()


def test_a_wait_ends_with_the_screen_that_it_was_on(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.ways("Use my password")
    page.page.route("**/session", lambda route: route.fulfill(status=429, headers={"Retry-After": "60"}, json=TOO_MANY))
    page.page.fill("#password", someone.password)
    page.page.locator("#password-form button").click()
    expect(page.page.locator("#password-error")).to_contain_text("Please wait")
    expect(page.page.locator("#password-form button")).to_be_disabled()
    page.page.locator('[data-screen="password"] [data-back]').click()
    page.page.locator('[data-screen="ways"] [data-go="password"]').click()
    expect(page.page.locator("#password-error")).to_be_hidden()
    expect(page.page.locator("#password-form button")).to_be_enabled()


def test_a_code_alone_is_enough_where_the_tenant_says_so(browser, someone, settings):
    settings(offlineCodeAlone=True)
    time.sleep(1)  # the change has a second to reach every process
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.ways("Use a verification code")
    expect(page.page.locator("#code-password")).to_be_hidden()
    page.page.fill("#code", code_of(someone))
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_signed_in()


def test_a_password_is_followed_by_a_number(browser, make_someone):
    someone = make_someone(phone_sign_in=False)
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.give_password("not the password")
    expect(page.page.locator("#password-error")).to_contain_text("is not right")
    page.page.fill("#password", someone.password)
    page.page.get_by_role("button", name="Next").click()
    expect(page.page.get_by_role("heading", name="One more step")).to_be_visible()
    approve(someone, page.number())
    page.expect_signed_in()


@pytest.mark.parametrize(("locale", "password", "temporary_pass"), [
    ("en-GB", "The password is not right for this user name.", "The pass is not right for this user name, or no longer valid."),
    ("de-AT", "Das Passwort passt nicht zu diesem Benutzernamen.", "Der Pass passt nicht zu diesem Benutzernamen oder gilt nicht mehr."),
], ids=["en", "de"])
def test_what_is_refused_is_what_the_form_asks_for_whoever_it_is(open_browser, someone, locale, password, temporary_pass):
    browser = open_browser(locale=locale)
    for username in (someone.username, "nobody-of-that-name"):
        page = SignInPage(browser.tab()).open()
        page.page.fill("#username", username)
        page.page.locator("#name-form button").click()
        page.number()
        page.page.locator('[data-screen="number"] [data-go="ways"]').click()
        for way, words in (("password", password), ("pass", temporary_pass)):
            page.page.locator(f'[data-screen="ways"] [data-go="{way}"]').click()
            page.page.fill(f"#{way}", "not the right one")
            page.page.keyboard.press("Enter")
            expect(page.page.locator(f"#{way}-error")).to_have_text(words)
            page.page.go_back()


@pytest.mark.parametrize(("locale", "question", "answer"), [
    ("en-GB", "No phone set up yet?", "Use my password"), ("de-AT", "Noch kein Telefon?", "Passwort verwenden"),
], ids=["en", "de"])
def test_who_has_no_phone_yet_finds_the_way_beside_the_number_as_everybody_does(open_browser, someone, owner, locale, question, answer):
    browser = open_browser(locale=locale)

    def take_the_way(username: str, password: str) -> SignInPage:
        page = SignInPage(browser.tab()).open("?prompt=login")
        page.page.fill("#username", username)
        page.page.locator("#name-form button").click()
        page.number()
        way = page.page.locator("#number-no-phone")
        expect(way).to_have_text(f"{question} {answer}")
        way.get_by_role("button").click()
        expect(page.page.locator("#password")).to_be_focused()
        page.page.fill("#password", password)
        page.page.keyboard.press("Enter")
        return page

    expect(take_the_way("nobody-of-that-name", "any").page.locator("#password-error")).to_be_visible()
    # After the password of somebody who has a phone there is nothing to ask.
    second = take_the_way(someone.username, someone.password)
    expect(second.page.locator("#number-code")).to_be_visible()
    expect(second.page.locator("#number-no-phone")).to_be_hidden()
    take_the_way(owner.username, owner.password).expect_signed_in()


def test_a_code_is_the_second_factor_without_a_second_password(browser, make_someone):
    someone = make_someone(phone_sign_in=False)
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.give_password(someone.password)
    page.number()
    expect(page.page.get_by_text("Nothing on your phone?")).to_be_visible()
    page.page.locator("#number-code").click()
    expect(page.page.locator("#code-password")).to_be_hidden()
    page.page.fill("#code", code_of(someone))
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_signed_in()


@pytest.mark.parametrize("way", ["password first", "code and password"])
def test_who_is_left_out_of_the_policy_signs_in_with_a_code_and_sees_no_number_after_the_password(browser, make_someone, administrator, way):
    someone, path = make_someone(phone_sign_in=False), POLICY
    before = administrator.get(path)["excludeTargets"]
    administrator.change(path, {"excludeTargets": [*before, {"targetType": "user", "id": someone.user["id"]}]})
    time.sleep(1)  # the change has a second to reach every process
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    if way == "password first":
        page.give_password(someone.password)
        expect(page.page.locator("#code")).to_be_focused()
        expect(page.page.locator("#code-password")).to_be_hidden()
    else:
        page.ways("Use a verification code")
        page.page.fill("#code-password", someone.password)
    page.page.fill("#code", code_of(someone))
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_signed_in()
    administrator.change(path, {"excludeTargets": before})


@pytest.fixture
def nobody_approves(administrator):
    """The method is off for everybody."""
    path = POLICY
    administrator.change(path, {"state": "disabled"})
    time.sleep(1)  # the change has a second to reach every process
    yield
    administrator.change(path, {"state": "enabled"})
    time.sleep(1)


def begin_without_a_phone(browser, username: str) -> SignInPage:
    page = SignInPage(browser.tab()).open()
    page.page.fill("#username", username)
    page.page.get_by_role("button", name="Next").click()
    page.expect_screen("ways")
    return page


@pytest.mark.parametrize("is_known", [True, False])
def test_where_nobody_may_approve_the_other_ways_are_shown_and_no_number_whoever_it_is(browser, someone, nobody_approves, is_known):
    page = begin_without_a_phone(browser, someone.username if is_known else "nobody-of-that-name")
    expect(page.page.get_by_text("Approving a request on your phone is not available here.")).to_be_visible()
    expect(page.page.get_by_role("button", name="Approve a request")).to_have_count(0)
    assert not any("/v1/" in url for url in browser.requests), "no request is made that nobody can answer"
    if is_known:
        look(page.page, "sign-in-no-phone")
    page.page.locator('[data-screen="ways"] [data-go="code"]').click()
    page.page.fill("#code-password", someone.password)
    page.page.fill("#code", code_of(someone))
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    if is_known:
        page.expect_signed_in()
    else:
        expect(page.page.locator("#code-error")).to_contain_text("did not match")


def test_where_nobody_may_approve_a_password_is_followed_by_a_code(browser, someone, nobody_approves):
    page = begin_without_a_phone(browser, someone.username)
    page.page.locator('[data-screen="ways"] [data-go="password"]').click()
    expect(page.page.locator('[data-screen="password"]')).to_contain_text("its verification code is asked for next")
    page.page.fill("#password", someone.password)
    page.page.get_by_role("button", name="Next").click()
    expect(page.page.locator("#code")).to_be_focused()
    expect(page.page.locator("#code-password")).to_be_hidden()
    page.page.fill("#code", code_of(someone))
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_signed_in()


def test_a_second_step_that_has_run_out_says_why_the_password_is_asked_for_again(browser, make_someone):
    someone = make_someone(phone_sign_in=False)
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.give_password(someone.password)
    page.number()
    page.page.locator("#number-code").click()
    page.page.fill("#code", code_of(someone))
    page.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 61_000; }")
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.page.locator("#code-password")).to_be_focused()
    expect(page.page.locator("#code-password-again")).to_contain_text("Too much time has passed since you entered your password.")
    expect(page.page.locator("#code-password")).to_have_accessible_description(re.compile("Too much time has passed"))
    page.page.fill("#code-password", someone.password)
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_signed_in()


def test_a_pass_signs_in_once(browser, someone, administrator):
    text = administrator.issue_pass(someone.user["id"])
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.page.get_by_role("button", name="I can’t use my app right now").click()
    page.page.get_by_role("button", name="My phone is lost, broken or new").click()
    page.page.fill("#pass", "wrong-pass")
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.page.locator("#pass-error")).to_contain_text("is not right")
    page.page.fill("#pass", text)
    page.page.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_signed_in()


def test_approve_a_request_leads_back_to_the_number(browser, someone):
    page = SignInPage(browser.tab()).open()
    number = page.next(someone.username)
    page.ways("Approve a request on my Authenticator app")
    assert page.number() == number
    expect(page.page.locator("#number-code")).to_be_hidden()
    someone.phone.answer(only_challenge(someone.phone), number=number)
    page.expect_signed_in()


def test_a_name_is_remembered_only_where_it_was_asked_for(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    assert page.page.evaluate("localStorage.length") == 0
    page.page.get_by_role("button", name="Change user name").click()
    page.page.get_by_label("Remember my user name").check()
    page.next(someone.username)
    page.page.close()
    again = SignInPage(browser.tab()).open()
    expect(again.page.locator("#username")).to_have_value(someone.username)
    expect(again.page.get_by_label("Remember my user name")).to_be_checked()
    again.page.get_by_label("Remember my user name").uncheck()
    again.next(someone.username)
    assert again.page.evaluate("localStorage.length") == 0


def test_empty_fields_say_what_is_missing(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.page.get_by_role("button", name="Next").click()
    expect(page.page.locator("#username-error")).to_have_text("Enter your user name.")
    expect(page.page.locator("#username")).to_be_focused()
    page.next(someone.username)
    page.ways("Use my password")
    page.page.get_by_role("button", name="Next").click()
    expect(page.page.locator("#password-error")).to_have_text("Enter your password.")
