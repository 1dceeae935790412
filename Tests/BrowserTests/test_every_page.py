"""Every screen of every page: what it weighs, how it reads, how it looks; pictures are kept in var/screenshots."""

import pathlib
import urllib.parse

import pytest
from client import Phone
from playwright.sync_api import Page, expect
from stack import Stack

from .keyboard import Keyboard
from .pages import SignInPage, approve, only_challenge, other_number, sign_in

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURES = ROOT / "var/screenshots"
AUDIT = (pathlib.Path(__file__).parent / "audit.js").read_text()
WIDTHS = [(390, 844), (1280, 860)]
# Two frames after the last change, in which no transition is under way any more.
SETTLED = """async () => {
  for (let frames = 0; frames < 2;) {
    await new Promise(requestAnimationFrame);
    const moving = document.getAnimations().filter((animation) => animation instanceof CSSTransition).length;
    frames = moving ? 0 : frames + 1;
  }
}"""
# Of each page's first paint, in bytes as they travel.
BUDGET = 60 * 1024


def look(page: Page, name: str) -> None:
    """Looks the screen over in both widths and schemes, keeps a picture of each, and comes to each of its controls by Tab."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    faults = []
    page.emulate_media(reduced_motion="reduce")
    for width, height in WIDTHS:
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.evaluate(SETTLED)
            faults += [f"{name} at {width} in {scheme}: {fault}" for fault in page.evaluate(AUDIT)]
            page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=not page.evaluate("!!document.querySelector('dialog[open]')"))
    for width in (320, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(SETTLED)
        faults += [f"{name} at {width}: {fault}" for fault in page.evaluate(AUDIT)]
    assert not faults, "\n".join(dict.fromkeys(faults))
    # The other language has the same controls.
    if not name.endswith("-de"):
        # Where motion is reduced, what the focus moves is in its place a millisecond later, and not at once.
        page.emulate_media(reduced_motion="no-preference")
        Keyboard(page).walk()


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_every_screen_of_sign_in(open_browser, someone, locale):
    browser = open_browser(locale=locale)
    suffix = "" if locale.startswith("en") else "-de"
    page = SignInPage(browser.tab()).open()
    assert page.page.get_attribute("html", "lang") == locale[:2]
    look(page.page, f"sign-in-name{suffix}")
    page.page.fill("#username", someone.username)
    page.page.locator("#name-form button").click()
    number = page.number()
    look(page.page, f"sign-in-number{suffix}")
    for screen in ("ways", "cant", "code", "password", "pass"):
        source = "cant" if screen in ("code", "pass") else "ways" if screen == "password" else "number"
        if screen == "cant":
            page.page.go_back()
        if screen == "pass" or screen == "password":
            page.page.go_back()
        if screen == "password":
            page.page.go_back()
            page.page.locator('[data-screen="number"] [data-go="ways"]').click()
        if screen == "pass":
            page.page.go_back()
            page.page.locator('[data-screen="number"] [data-go="cant"]').click()
        page.page.locator(f'[data-screen="{source}"] [data-go="{screen}"]').click()
        page.expect_screen(screen)
        look(page.page, f"sign-in-{screen}{suffix}")
    while page.screen != "number":
        page.page.go_back()
    someone.phone.answer(only_challenge(someone.phone), number=other_number(number))
    page.expect_screen("outcome")
    look(page.page, f"sign-in-wrong-number{suffix}")


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_every_screen_of_security_info(open_browser, someone, locale):
    suffix = "" if locale.startswith("en") else "-de"
    browser = open_browser(locale=locale)
    tab = SignInPage(browser.tab()).open()
    tab.page.fill("#username", someone.username)
    tab.page.locator("#name-form button").click()
    approve(someone, tab.number())
    tab.expect_signed_in()
    page = tab.page
    expect(page.locator("#recent li").first).to_be_visible()
    look(page, f"security-info{suffix}")
    page.locator("#devices [data-remove]").click()
    look(page, f"security-info-remove{suffix}")
    page.keyboard.press("Escape")
    page.locator("#add").click()
    look(page, f"security-info-add{suffix}")
    page.locator('[data-step="choose"] .primary').click()
    look(page, f"security-info-start{suffix}")
    page.locator("#add-next").click()
    expect(page.locator("#qr")).to_be_visible()
    look(page, f"security-info-scan{suffix}")
    page.locator("#cant-scan summary").click()
    look(page, f"security-info-link{suffix}")
    phone = Phone()
    assert phone.activate(page.input_value("#activation-link")).status_code == 201
    expect(page.locator('[data-step="confirm"]')).to_be_visible()
    look(page, f"security-info-confirm{suffix}")
    phone.answer(phone.challenges()[0], number=page.text_content("#add-number"))
    expect(page.locator('[data-step="done"]')).to_be_visible()
    expect(page.locator("#done-hint")).to_contain_text("choose “Set up phone sign-in” in the app." if not suffix else "wählen Sie in der App „Telefonanmeldung")
    look(page, f"security-info-done{suffix}")


def test_a_page_that_is_not_there(browser):
    for path in ("/nowhere/sign-in", "/no/such/page", "/nowhere"):
        page = browser.tab()
        assert page.goto(path).status == 404
        expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    look(page, "not-found")
    page.goto("/demo/nothing")
    page.get_by_role("link", name="To the start page").click()
    page.wait_for_url("**/demo/sign-in")


def test_the_bare_address_of_a_tenant_leads_to_sign_in(browser):
    page = browser.tab("/demo")
    assert page.url.endswith("/demo/sign-in")


def expect_light(path: str, answers: list, budget: int = BUDGET) -> None:
    total = sum(answer.request.sizes()["responseBodySize"] for answer in answers)
    assert 0 < total <= budget, f"{path} needs {total} bytes"
    # That these are the sizes of what is compressed, which is what was sent.
    plain = sum(len(answer.body()) for answer in answers)
    assert total < plain / 2, f"{path}: {total} of {plain} bytes"


def first_paint(browser, path: str, status: int = 200) -> None:
    """Weighs what the page needs to be seen, and what it waits for."""
    page = browser.tab()
    # As whoever comes for the first time: what is kept does not travel.
    devtools = browser.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes = {}

    def weigh(response):
        if "/v1/" not in response.url and response.status == 200 or response.url.endswith(path):
            sizes[response.url] = response

    page.on("response", weigh)
    assert page.goto(path).status == status
    page.wait_for_load_state("load")
    answers = list(sizes.values())
    expect_light(path, answers)
    for response in answers:
        if "/assets/" in response.url:
            assert response.headers["content-encoding"] == "gzip" or len(response.body()) < 400, response.url
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable", response.url
    blocking = page.evaluate(
        "performance.getEntriesByType('resource').filter(entry => entry.renderBlockingStatus === 'blocking').map(entry => entry.name)")
    assert [urllib.parse.urlsplit(url).path.split(".")[0] for url in blocking] == ["/assets/countersign"], blocking
    page.close()


def test_the_first_paint_is_light_and_only_its_stylesheet_blocks(browser, someone):
    sign_in(browser, someone)
    for path, status in (("/demo/sign-in?prompt=login", 200), ("/demo/security-info", 200), ("/no/such/page", 404), ("/demo/admin", 403)):
        first_paint(browser, path, status)


def test_the_first_paint_is_as_light_in_german(open_browser):
    browser = open_browser(locale="de-AT")
    for path, status in (("/demo/sign-in", 200), ("/no/such/page", 404)):
        first_paint(browser, path, status)
    assert browser.tab("/demo/sign-in").get_attribute("html", "lang") == "de"


def test_a_violation_of_the_policy_would_be_seen(open_browser):
    browser = open_browser()
    page = browser.tab("/demo/sign-in")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p><img src=\"https://evil.example/x.png\">')")
    page.wait_for_timeout(300)
    assert any("policy: style-src" in fault for fault in browser.faults), browser.faults
    assert any("policy: img-src" in fault for fault in browser.faults), browser.faults
    browser.faults.clear()


def test_what_a_service_worker_does_would_be_seen(open_browser):
    browser = open_browser()
    page = browser.tab("/authenticator")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    worker = browser.context.service_workers[0]
    assert not browser.faults
    worker.evaluate("fetch('/authenticator?by-the-worker').then(() => true)")
    assert browser.base + "/authenticator?by-the-worker" in browser.requests
    worker.evaluate("""async () => {
      console.error("an error of the worker");
      await fetch("https://evil.example/").catch(() => null);
      Promise.reject(new Error("left alone"));
    }""")
    for expected in ("console: an error of the worker", "policy: connect-src", "left alone"):
        Stack.wait_for(lambda: page.wait_for_timeout(10) or any(expected in fault for fault in browser.faults), 5, expected)
    browser.faults.clear()


def test_the_audit_finds_what_it_should(open_browser):
    page = open_browser(viewport={"width": 390, "height": 844}).tab("/demo/sign-in")
    page.evaluate(
        """() => {
          const add = (html) => document.querySelector('main').insertAdjacentHTML('beforeend', html);
          add('<h4>Skipped</h4><input id="bare"><button></button><p class="pale">Pale</p><img src="data:,">');
          document.querySelector('.pale').style.color = '#bbb';
          add('<button class="button" id="low"><svg aria-hidden="true"></svg>Low</button><button id="thin">Thin</button>');
          document.querySelector('#low svg').style.alignSelf = 'end';
        }""")
    faults = "\n".join(page.evaluate(AUDIT))
    for expected in ("skips a level", "<input #bare>  has no name", "has no name", "contrast", "no text instead", "<button #thin> Thin is smaller than 44",
                     "icon and words of <button #low>"):
        assert expected in faults, (expected, faults)
    page.evaluate(
        """() => {
          const dialog = document.body.appendChild(document.createElement('dialog'));
          dialog.append(document.createElement('p'));
          Object.assign(dialog.style, { blockSize: '4rem', background: 'white', overflow: 'auto' });
          dialog.firstChild.style.blockSize = '8rem';
          dialog.showModal();
        }""")
    assert "a dialog is cut with no sign that there is more" in page.evaluate(AUDIT)


def test_without_scripts_the_page_says_what_it_needs(open_browser):
    page = open_browser(java_script_enabled=False).tab("/demo/sign-in")
    expect(page.locator("noscript")).to_be_visible()
    assert "This page needs JavaScript" in page.locator("noscript").inner_html()
    assert page.locator("noscript").bounding_box()["height"] > 20
