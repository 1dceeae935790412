"""Whoever has set letters twice as large as usual reads every page of a phone's width without scrolling sideways (WCAG 2.2, 1.4.4 and 1.4.10)."""

import re

import pytest
from playwright.sync_api import expect
from stack import Stack

from .conftest import launched, windows
from .pages import SignInPage, only_challenge, sign_in, signed_in
from .phone_page import PhonePage

WIDTH = 390


@pytest.fixture
def open_large(chromium, demo):
    # A browser of its own: the size is the browser's, not a page's.
    with launched(chromium.browser_type, "--blink-settings=defaultFontSize=32") as browser:
        with windows(browser, demo["base"], viewport={"width": WIDTH, "height": 844}) as open_one:
            yield open_one


def expect_to_fit(page) -> None:
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, page.url


def test_sign_in_fits(open_large, someone):
    page = SignInPage(open_large().tab()).open()
    page.next(someone.username)
    expect_to_fit(page.page)
    ring = page.page.locator(".ring").first.bounding_box()
    assert ring["x"] >= 0 and ring["x"] + ring["width"] <= WIDTH
    page.page.get_by_role("button", name="Other ways to sign in").click()
    page.expect_screen("ways")
    expect_to_fit(page.page)
    # The longest word of a way is not broken.
    assert page.page.locator(".choice:visible .grow").first.bounding_box()["width"] > WIDTH * 0.6


def test_security_info_fits_with_a_long_name_of_a_phone(open_large, someone):
    someone.phone.call("PATCH", "", body={"name": "x" * 60})
    page = sign_in(open_large(), someone)
    expect(page.locator("#devices li h3")).to_have_text("x" * 60)
    expect(page.locator("#recent li").first).to_be_visible()
    expect_to_fit(page)
    page.locator("#add").click()
    expect_to_fit(page)


# What is shown live goes on asking, so that only these are ever quiet.
@pytest.mark.parametrize("path", ["/people", "/policy", "/groups", "/applications", "/audit", "/settings"])
def test_administration_fits(open_large, demo, path):
    page = signed_in(open_large(), demo, path)
    page.wait_for_load_state("networkidle")
    expect_to_fit(page)


def test_the_sign_ins_fit(open_large, demo):
    page = signed_in(open_large(), demo, "/sign-ins")
    expect(page.locator("main .item").first).to_be_visible()
    expect_to_fit(page)


def test_the_overview_fits_before_anything_is_known(open_large, demo):
    browser = open_large()
    held = []
    browser.context.route("**/sign-ins:summary*", lambda route: held.append(route))
    page = signed_in(browser, demo, "")
    Stack.wait_for(lambda: page.wait_for_timeout(10) or held, 10, "the page's question")
    expect_to_fit(page)
    held[0].continue_()
    expect(page.locator("#requests")).not_to_have_text("–")


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_the_overview_fits_with_the_figures_of_a_large_organization(open_large, demo, locale):
    def many(route):
        summary = route.fetch().json()
        for item in summary["items"]:
            item |= {outcome: 23_456 for outcome in ("approved", "denied", "expired", "canceled", "pending", "unreached")}
            item["answers"] = {"count": 23_456, "medianMilliseconds": 12_345, "p90Milliseconds": 59_000, "p99Milliseconds": 299_000}
        route.fulfill(json=summary | {"answers": summary["items"][0]["answers"]})

    browser = open_large(locale=locale)
    browser.context.route("**/sign-ins:summary*", many)
    page = signed_in(browser, demo, "")
    expect(page.locator("#requests")).to_have_text(re.compile(r"6\D?755\D?328"))
    expect_to_fit(page)


# Labels of a chart that are cut off at its edges, or lie over each other.
UNREADABLE = """(chart) => {
  const edge = chart.getBoundingClientRect();
  const boxes = [...chart.querySelectorAll("text.mark")].filter((mark) => mark.textContent).map((mark) => ({ text: mark.textContent, box: mark.getBoundingClientRect() }));
  const isOver = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  const cut = boxes.filter(({ box }) => box.left < edge.left - 1 || box.right > edge.right + 1 || box.bottom > edge.bottom + 1);
  const over = boxes.filter(({ box }, index) => boxes.some((other, at) => at > index && isOver(box, other.box)));
  return [...cut, ...over].map(({ text }) => text).concat(boxes.length > 3 ? [] : ["too few"]);
}"""


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_the_labels_of_the_charts_can_be_read(open_large, demo, application, someone, locale):
    begun = application.begin(someone.username).json()
    someone.phone.answer(only_challenge(someone.phone), number=begun["number"])
    browser = open_large(locale=locale)
    for span in ("hour", "day", "week", "month"):
        page = signed_in(browser, demo, f"?range={span}")
        for name in ("outcomes", "answers"):
            chart = page.locator(f"#{name} svg")
            expect(chart.locator("text.mark").first).to_be_visible()
            assert chart.evaluate(UNREADABLE) == [], (span, name)
        expect_to_fit(page)
        page.close()


def test_the_phone_fits(open_large, owner):
    phone = PhonePage(open_large().tab())
    phone.add(owner.session)
    expect_to_fit(phone.page)
    card, code, copy = (phone.page.locator(f"#accounts {part}").first for part in ("> li", "[data-code]", "[data-copy]"))
    assert re.fullmatch(r"\d{6}", phone.code())
    card, code, copy = (each.bounding_box() for each in (card, code, copy))
    inside = [(box["x"] >= card["x"], box["x"] + box["width"] <= card["x"] + card["width"]) for box in (code, copy)]
    assert inside == [(True, True)] * 2, (card, code, copy)
    beside = code["x"] + code["width"] <= copy["x"] or code["y"] + code["height"] <= copy["y"]
    assert beside, (code, copy)
