"""The overview of administration: its figures, its charts, and when it asks for them."""

import itertools
import time

import pytest
from playwright.sync_api import expect

from .pages import only_challenge, signed_in, unique


def figure(shown) -> int:
    return int(shown.text_content().replace(",", ""))


def test_the_charts_live_and_have_a_table(browser, admin, application, someone):
    page = admin("?range=hour")
    expect(page.locator("#live")).to_contain_text("Live, updated")
    before = figure(page.locator("#requests"))
    request = application.begin(someone.username).json()
    time.sleep(0.2)
    someone.phone.answer(only_challenge(someone.phone), number=request["number"])
    expect(page.locator("#requests")).to_have_text(f"{before + 1:,}", timeout=15_000)
    assert page.locator("#outcomes rect.tone-approved").count() > 0
    assert page.locator("#answers path.line").count() == 3
    page.locator("#outcomes summary").click()
    # Other tests' requests of this minute are in it, too.
    expect(page.locator("#outcomes tbody tr").last.locator("td").first).not_to_have_text("0")
    assert page.locator("#outcomes tbody th").first.evaluate("cell => getComputedStyle(cell).position") == "static", "the head alone stays in sight"
    page.locator("#outcomes svg").focus()
    page.keyboard.press("End")
    expect(page.locator("#announcer")).to_contain_text("Approved")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live")).to_have_text("Paused")
    page.get_by_role("link", name="7 days").click()
    page.wait_for_url("**/admin?range=week")
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")


def test_a_request_that_never_reached_a_phone_is_counted_so_and_once_though_it_was_withdrawn(admin, application):
    page = admin("?range=hour")

    def figures() -> list[int]:
        shown = [page.locator("#outcomes [data-legend] li", has_text=name).locator("strong") for name in ("Withdrawn", "Never reached a phone")]
        return [figure(each) for each in (*shown, page.locator("#unreached"), page.locator("#requests"))]

    expect(page.locator("#live")).to_contain_text("Live, updated")
    withdrawn, unreached, tile, requests = figures()
    assert unreached == tile
    # Nobody has this name: there was no phone to reach.
    name = unique("nobody")
    application.cancel(application.begin(name).json())
    page.reload()
    expect(page.locator("#live")).to_contain_text("Live, updated")
    assert figures() == [withdrawn, unreached + 1, tile + 1, requests + 1]
    page.goto(f"/demo/admin/sign-ins?user={name}")
    page.locator("#entries li button").click()
    expect(page.locator("#entry-facts div", has_text="Reached a phone")).to_contain_text("No")


def test_charts_of_a_time_without_requests_say_so(browser, admin):
    def without_any(route):
        reply = route.fetch()
        summary = reply.json() | {"answers": None}
        counts = dict.fromkeys(("approved", "denied", "expired", "canceled", "pending", "unreached", "unreachedCanceled"), 0)
        summary["items"] = [item | counts | {"answers": None} for item in summary["items"]]
        route.fulfill(response=reply, json=summary)

    browser.context.route("**/sign-ins:summary*", without_any)
    page = admin()
    expect(page.locator("#outcomes text.none")).to_have_text("No requests in this time.")
    expect(page.locator("#answers text.none")).to_have_text("Nobody answered in this time.")
    expect(page.get_by_text("Show as a table").first).to_be_hidden()


# The boxes of the marks of time, from left to right, and the middle of the newest step.
MARKS = """(chart) => {
  const boxes = [...chart.querySelectorAll("text.mark")].map((mark) => mark.getBoundingClientRect());
  const lowest = Math.max(...boxes.map((box) => box.bottom));
  const pointer = chart.querySelector(".pointer").getBoundingClientRect();
  return {
    marks: boxes.filter((box) => box.bottom > lowest - 2).map(({ left, right }) => [left, right]).sort(([one], [other]) => one - other),
    newest: (pointer.left + pointer.right) / 2,
  };
}"""


@pytest.mark.parametrize("locale", ["en-US", "de-AT"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_marks_of_time_are_evenly_spaced_and_end_with_the_newest(open_browser, demo, locale, width):
    browser = open_browser(locale=locale, viewport={"width": width, "height": 844})
    for span in ("hour", "day", "week", "month"):
        page = signed_in(browser, demo, f"?range={span}")
        for name in ("outcomes", "answers"):
            chart = page.locator(f"#{name} svg")
            expect(chart.locator("text.mark").first).to_be_visible()
            chart.focus()
            page.keyboard.press("End")
            shown = chart.evaluate(MARKS)
            marks = shown["marks"]
            assert len(marks) >= 2, (span, name)
            gaps = [right[0] - left[1] for left, right in itertools.pairwise(marks)]
            assert min(gaps) > 8, (span, name, gaps)
            middles = [(left + right) / 2 for left, right in marks]
            distances = [right - left for left, right in itertools.pairwise(middles)]
            assert max(distances) - min(distances) < 1, (span, name, distances)
            assert abs(middles[-1] - shown["newest"]) < 1, (span, name)
        page.close()


def test_a_hidden_page_asks_for_nothing(browser, admin):
    page = admin("?range=hour")
    expect(page.locator("#live")).to_contain_text("Live")
    page.clock.install()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))")
    asked = len(browser.requests)
    page.clock.run_for(60_000)
    assert len(browser.requests) == asked
    page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(200)
    assert len(browser.requests) == asked + 1
