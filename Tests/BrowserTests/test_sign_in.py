"""Signing in by number, and every way in which a request ends."""

import time

import pytest
from playwright.sync_api import expect

from .pages import POLICY, SignInPage, approve, only_challenge, other_number, sign_in


def test_a_number_typed_on_the_phone_signs_in_with_no_reload(browser, someone):
    page = SignInPage(browser.tab()).open()
    number = page.next(someone.username)
    loads = sum("/demo/sign-in" in url for url in browser.requests)
    answered = time.monotonic()
    assert someone.phone.answer(only_challenge(someone.phone), number=number).json()["status"] == "approved"
    page.expect_signed_in()
    assert time.monotonic() - answered < 3
    assert sum("/demo/sign-in" in url for url in browser.requests) == loads
    expect(page.page.get_by_role("heading", name="Security info")).to_be_visible()
    assert any(url.endswith("/events") for url in browser.requests), "the page listens, it does not ask again and again"


def test_the_page_goes_on_by_long_poll_where_the_stream_fails(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.page.route("**/events", lambda route: route.abort())
    browser.may_be_unreachable = True
    number = page.next(someone.username)
    while not any(url.endswith("?wait=25") for url in browser.requests):
        page.page.wait_for_timeout(50)
    someone.phone.answer(only_challenge(someone.phone), number=number)
    page.expect_signed_in()


def test_the_way_back_is_a_path_of_this_origin_alone(browser, someone):
    for target in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\tx"]:
        page = SignInPage(browser.tab())
        page.page.goto("/demo/sign-in?return=" + target.replace("\\", "%5C").replace("\t", "%09"))
        assert page.page.get_attribute("#sign-in", "data-return") == "/demo/security-info", target
    page = SignInPage(browser.tab()).open("?return=/demo/security-info%3Ffrom%3Dlink")
    number = page.next(someone.username)
    someone.phone.answer(only_challenge(someone.phone), number=number)
    page.page.wait_for_url("**/demo/security-info?from=link")


def test_a_wrong_number_says_so_and_a_new_number_follows(browser, someone):
    page = SignInPage(browser.tab()).open()
    number = page.next(someone.username)
    someone.phone.answer(only_challenge(someone.phone), number=other_number(number))
    page.expect_outcome("That was another number")
    page.try_again()
    approve(someone, page.number())
    page.expect_signed_in()


def test_a_declined_request_says_so(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    someone.phone.answer(only_challenge(someone.phone), "decline")
    page.expect_outcome("The request was declined")
    page.try_again()
    assert page.number()


def test_a_reported_request_says_what_to_do_instead(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    someone.phone.answer(only_challenge(someone.phone), "report")
    page.expect_outcome("The request was reported")
    expect(page.page.locator("#outcome-words")).to_contain_text("no requests ring for 30 minutes")
    expect(page.page.get_by_role("button", name="Try again")).to_be_hidden()
    page.page.get_by_role("button", name="Use a verification code").click()
    expect(page.page.locator("#code-password")).to_be_focused()
    page.page.go_back()
    page.next(someone.username)
    page.page.get_by_role("button", name="Other ways to sign in").click()
    page.expect_screen("ways")


def test_a_request_that_nobody_answers_ends_with_the_time(browser, someone, settings):
    settings(requestLifetimeSeconds=30)
    time.sleep(1)  # the change has a second to reach every process
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    expect(page.page.locator("#time-left")).to_have_text("15 seconds left", timeout=20_000)
    expect(page.page.locator("#announcer")).to_have_text("15 seconds left")
    page.expect_outcome("Time is up", timeout=25_000)
    page.try_again()
    approve(someone, page.number())
    page.expect_signed_in()


def test_a_canceled_request_says_so(browser, someone, administrator):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    assert administrator.call("POST", f"/users/{someone.user['id']}:block").status_code in (200, 204)
    page.expect_outcome("The request was withdrawn")


def test_the_page_never_tells_whether_a_name_exists(browser, make_someone, administrator, policy):
    reached, no_phone_sign_in, blocked, excluded = make_someone(), make_someone(phone_sign_in=False), make_someone(), make_someone()
    administrator.call("POST", f"/users/{blocked.user['id']}:block")
    administrator.change(POLICY, {"excludeTargets": [*policy["excludeTargets"], {"targetType": "user", "id": excluded.user["id"]}]})
    seen = {}
    for username in (reached.username, "nobody-of-this-name", no_phone_sign_in.username, blocked.username, excluded.username):
        page = SignInPage(browser.tab()).open()
        page.next(username)
        text = page.page.inner_text("main").replace(username, "NAME").replace(page.page.text_content("#number"), "NN", 1)
        seen[username] = (page.screen, "".join(c for c in text if not c.isdigit()))
        page.page.close()
    assert len(set(seen.values())) == 1, seen
    # That there was something to tell.
    assert [len(one.phone.challenges()) for one in (reached, no_phone_sign_in, excluded)] == [1, 0, 0]
    assert blocked.phone.call("GET", "/challenges").status_code == 403


def test_a_number_of_three_digits_is_shown_when_risk_is_raised(browser, someone):
    page = SignInPage(browser.tab()).open()
    page.next(someone.username)
    someone.phone.answer(only_challenge(someone.phone), "report")
    page.expect_outcome("The request was reported")
    page.ways("Approve a request on my Authenticator app")
    assert len(page.number()) == 3
    box = page.page.locator("#number").bounding_box()
    assert box["width"] < page.page.locator("#ring").bounding_box()["width"] - 20, "it fits into its ring"


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_the_number_and_its_buttons_are_in_view_on_a_small_notebook(open_browser, someone, locale):
    page = SignInPage(open_browser(locale=locale, viewport={"width": 1280, "height": 800}).tab()).open()

    def expect_in_view():
        page.number()
        box = page.page.locator("#sign-in").bounding_box()
        assert box["y"] + box["height"] <= 800, box

    page.page.fill("#username", someone.username)
    page.page.locator("#name-form button").click()
    expect_in_view()
    page.page.locator('[data-screen="number"] [data-go="ways"]').click()
    page.page.locator('[data-screen="ways"] [data-go="password"]').click()
    page.page.fill("#password", someone.password)
    page.page.locator("#password-form button").click()
    expect(page.page.locator("#number-code")).to_be_visible()
    expect_in_view()


# Whatever is set to move for longer than a moment: what runs now, and what would when it next changes.
MOVING = """() => {
  const moment = 50;
  const milliseconds = (list) => list.split(",").map((each) => parseFloat(each) * 1000);
  const found = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime > moment).map(({ effect }) => effect.target.outerHTML);
  for (const element of document.querySelectorAll("main, main *")) {
    for (const part of [null, "::before", "::after"]) {
      const { animationName, animationDuration, transitionDuration } = getComputedStyle(element, part);
      const longest = Math.max(...milliseconds(transitionDuration), ...(animationName === "none" ? [] : milliseconds(animationDuration)));
      if (longest > moment) found.push(`${element.outerHTML} ${part ?? ""}: ${longest} ms`);
    }
  }
  return found;
}"""


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_round_the_number_for_whoever_wants_it_so(open_browser, someone, motion):
    page = SignInPage(open_browser(reduced_motion=motion).tab()).open()
    page.next(someone.username)
    moving = page.page.evaluate(MOVING)
    if motion == "reduce":
        assert not moving, moving
    else:
        assert any("1000 ms" in each for each in moving), "the ring's stroke takes a second to get to where it is going"


def test_a_person_with_a_session_is_not_asked_again(browser, someone):
    page = sign_in(browser, someone)
    page.goto("/demo/sign-in")
    assert page.url.endswith("/demo/security-info")
    page.goto("/demo/sign-in?prompt=login")
    assert page.url.endswith("prompt=login")
