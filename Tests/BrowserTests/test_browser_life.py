"""What browsers do to pages: Back, reload, two tabs, slow and lost networks, sessions that end, the keyboard alone."""

import pyotp
from playwright.sync_api import expect

from .pages import SignInPage, approve, newest_challenge, only_challenge, sign_in


def test_back_leads_through_the_screens_and_withdraws_the_request(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    page.ways("Use my password")
    page.expect_screen("password")
    page.page.go_back()
    page.expect_screen("ways")
    page.page.go_back()
    page.expect_screen("number")
    with page.page.expect_response(lambda reply: reply.request.method == "DELETE") as withdrawn:
        page.page.go_back()
    page.expect_screen("name")
    assert withdrawn.value.status == 204
    assert someone.phone.challenges() == []
    page.page.go_forward()
    page.expect_screen("name")


def test_back_after_signing_in_does_not_ask_again(browser, someone):
    page = sign_in(browser, someone)
    page.go_back()
    page.wait_for_load_state()
    assert not page.url.endswith("/sign-in")


def test_a_reload_goes_on_with_the_same_number(browser, someone):
    page = SignInPage(browser.tab()).open()
    number = page.next(someone.username)
    page.page.reload()
    assert page.number() == number
    assert len(someone.phone.challenges()) == 1
    someone.phone.answer(only_challenge(someone.phone), number=number)
    page.expect_signed_in()


def test_of_two_tabs_the_later_one_counts_and_both_end_signed_in(browser, someone):
    first, second = SignInPage(browser.tab()).open(), SignInPage(browser.tab()).open()
    first.next(someone.username)
    number = second.next(someone.username)
    first.expect_outcome("Continued elsewhere")
    someone.phone.answer(newest_challenge(someone.phone), number=number)
    second.expect_signed_in()
    first.expect_signed_in()


def test_a_request_begun_elsewhere_in_the_browser_leaves_this_one_good(browser, someone):
    page = SignInPage(browser.tab()).open()
    number = page.next(someone.username)
    challenge = only_challenge(someone.phone)
    # What another window may do without this one hearing of it.
    reply = browser.context.request.post("/v1/demo/session", data={"username": someone.username})
    assert reply.status == 202
    someone.phone.answer(challenge, number=number)
    page.expect_signed_in()


def test_a_session_that_ended_leads_to_sign_in_and_back(browser, someone):
    page = sign_in(browser, someone)
    browser.context.clear_cookies()
    page.locator("#add").click()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**/demo/sign-in?session=ended**")
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    again = SignInPage(page)
    someone_number = again.next(someone.username)
    someone.phone.answer(only_challenge(someone.phone), number=someone_number)
    again.expect_signed_in()


def test_without_a_session_security_info_leads_to_sign_in(browser):
    page = browser.tab("/demo/security-info")
    assert page.url.endswith("/demo/sign-in?return=/demo/security-info")


def test_an_api_out_of_reach_says_so_and_the_next_try_works(browser, someone):
    page = SignInPage(browser.tab()).open()
    browser.may_be_unreachable = True
    browser.context.set_offline(True)
    page.page.fill("#username", someone.username)
    page.page.get_by_role("button", name="Next").click()
    page.expect_outcome("No connection")
    browser.context.set_offline(False)
    page.try_again()
    assert page.number()


def test_a_network_that_is_lost_while_waiting_is_waited_out(browser, someone):
    page = SignInPage(browser.tab()).open()
    number = page.next(someone.username)
    lost = page.page.locator("#connection-lost")
    expect(lost).to_be_hidden()
    browser.may_be_unreachable = True
    browser.context.set_offline(True)
    expect(lost).to_contain_text("goes on by itself")
    expect(page.page.locator("#announcer")).to_have_text(lost.text_content())
    browser.context.set_offline(False)
    expect(lost).to_be_hidden()
    expect(page.page.locator("#announcer")).to_have_text("The connection is back.")
    browser.context.set_offline(True)
    someone.phone.answer(only_challenge(someone.phone), number=number)
    browser.context.set_offline(False)
    page.expect_signed_in()


def test_a_server_that_does_not_answer_while_waiting_is_said_and_waited_for(browser, someone):
    page = SignInPage(browser.tab()).open()
    browser.may_be_unreachable = True
    page.page.route("**/sign-ins/**", lambda route: route.abort())
    number = page.next(someone.username)
    expect(page.page.locator("#connection-lost")).to_be_visible()
    page.page.unroute("**/sign-ins/**")
    expect(page.page.locator("#connection-lost")).to_be_hidden()
    assert page.number() == number, "it is still the same request"
    approve(someone, number)
    page.expect_signed_in()


def test_a_proxy_that_finds_no_gateway_while_waiting_is_waited_out(browser, someone):
    page = SignInPage(browser.tab()).open()
    browser.may_be_unreachable = True
    page.page.route("**/sign-ins/**", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>502 Bad Gateway</h1>"))
    with page.page.expect_response(lambda reply: "wait=" in reply.url and reply.status == 502):
        number = page.next(someone.username)
    page.page.unroute("**/sign-ins/**")
    approve(someone, number)
    page.expect_signed_in()


def test_unavailable_counts_down_to_the_next_try(browser, someone):
    page = SignInPage(browser.tab()).open()
    browser.may_be_unreachable = True
    refusal = {"status": 503, "headers": {"Retry-After": "3", "Content-Type": "application/problem+json"}, "body": '{"code":"unavailable"}'}
    page.page.route("**/session", lambda route: route.fulfill(**refusal))
    page.page.fill("#username", someone.username)
    page.page.get_by_role("button", name="Next").click()
    page.expect_outcome("Temporarily unavailable")
    expect(page.page.locator("#outcome-wait")).to_contain_text("You can try again in")
    expect(page.page.locator("#again")).to_be_disabled()
    page.page.unroute("**/session")
    expect(page.page.locator("#again")).to_be_enabled(timeout=5000)
    page.try_again()
    assert page.number()


def test_a_slow_network_shows_work_and_takes_one_click(browser, someone):
    page = SignInPage(browser.tab()).open()
    slow = {"offline": False, "latency": 1500, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    browser.context.new_cdp_session(page.page).send("Network.emulateNetworkConditions", slow)
    page.page.fill("#username", someone.username)
    button = page.page.locator("#name-form button")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    button.click()
    page.number()
    assert sum(url.endswith("/v1/demo/session") for url in browser.requests) == 1


def test_the_keyboard_alone_signs_in_by_code(browser, someone):
    page = SignInPage(browser.tab()).open()
    keyboard = page.page.keyboard
    expect(page.page.locator("#username")).to_be_focused()
    keyboard.type(someone.username)
    keyboard.press("Enter")
    page.number()
    reach(page.page, "Other ways to sign in")
    keyboard.press("Enter")
    reach(page.page, "Use a verification code")
    keyboard.press("Space")
    expect(page.page.locator("#code-password")).to_be_focused()
    keyboard.type(someone.password)
    keyboard.press("Tab")
    keyboard.type(pyotp.TOTP(someone.phone.registration["offlineCode"]["secret"]).now())
    keyboard.press("Enter")
    page.expect_signed_in()


def reach(page, name: str) -> None:
    """Presses Tab until the control has the focus, which must be visible there."""
    for _ in range(30):
        page.keyboard.press("Tab")
        text, outline = page.evaluate(
            "[document.activeElement.innerText ?? '', getComputedStyle(document.activeElement).outlineStyle]")
        assert outline != "none" or text == "", f"the focus on {text!r} cannot be seen"
        if name in text:
            return
    raise AssertionError(f"Tab never comes to {name}")
