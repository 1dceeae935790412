"""What people and browsers do to the phone in a browser: odd links, a camera, a wrong clock, the lock; how it looks and what it weighs."""

import urllib.parse

import pytest
from client import Application
from playwright.sync_api import expect

from .pages import other_number, verified
from .phone_page import Owner, PhonePage
from .test_every_page import BUDGET, expect_light, look


# ---- adding


def test_a_wrong_number_ends_the_addition(open_browser, owner):
    phone = PhonePage(open_browser().tab()).open()
    activation = owner.session.new_activation()
    phone.paste("https://example.org")
    expect(phone.page.get_by_text("That is not an activation link.")).to_be_visible()
    phone.page.fill("#link", activation["activationUri"])
    phone.press("Next")
    phone.accept_link()
    # A reload goes on where it was.
    phone.page.reload()
    phone.expect_screen("confirm")
    phone.confirm(other_number(owner.session.activation(activation["id"], wait=10, state="waiting")["number"]))
    expect(phone.page.locator("#outcome-title")).to_have_text("That was another number")
    phone.page.go_back()
    phone.expect_screen("paste")
    phone.page.go_back()
    phone.page.go_back()
    expect(phone.page.get_by_role("heading", name="Your phone, in this browser")).to_be_visible()


@pytest.mark.parametrize(("locale", "wrong", "out"), [
    ("en-GB", "For safety that ended the link, and the account was not added. Start again with a new link from the page that showed the number.",
     "The link is no longer valid, so the account was not added. Start again with a new link."),
    ("de-AT", "Zur Sicherheit gilt der Link damit nicht mehr, und das Konto wurde nicht hinzugefügt. "
     "Beginnen Sie von vorn, mit einem neuen Link von der Seite, die die Zahl zeigte.",
     "Der Link gilt nicht mehr, deshalb wurde das Konto nicht hinzugefügt. Beginnen Sie mit einem neuen Link von vorn."),
], ids=["en", "de"])
def test_what_follows_from_a_wrong_number_and_from_a_link_that_is_out_is_said(open_browser, owner, locale, wrong, out):
    phone = PhonePage(open_browser(locale=locale).tab())

    def confirm(change=lambda number: number) -> None:
        activation = owner.session.new_activation()
        phone.open(activation["activationUri"])
        phone.accept_link()
        phone.confirm(change(owner.session.activation(activation["id"], wait=10, state="waiting")["number"]))

    confirm(other_number)
    expect(phone.page.locator("#outcome-words")).to_have_text(wrong)
    phone.page.locator("#outcome-home").click()
    phone.page.route("**/challenges/*/answer", lambda route: route.fulfill(
        status=410, content_type="application/problem+json", json={"code": "expired"}))
    confirm()
    expect(phone.page.locator("#outcome-words")).to_have_text(out)


def test_a_link_of_another_server_leads_there(open_browser, owner):
    link = owner.session.new_activation()["activationUri"].replace("127.0.0.1", "id.example.org")
    phone = PhonePage(open_browser().tab()).open(link)
    expect(phone.page.get_by_role("heading", name="This account belongs elsewhere")).to_be_visible()
    assert phone.page.get_attribute("#elsewhere-open", "href").startswith("http://id.example.org")
    assert link in phone.page.get_attribute("#elsewhere-open", "href")


CAMERA = """(link) => {
  navigator.mediaDevices.getUserMedia = async () => {
    if (link === null) throw new DOMException("no", "NotAllowedError");
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").fillRect(0, 0, 9, 9);
    return canvas.captureStream(5);
  };
  globalThis.BarcodeDetector = class {
    static getSupportedFormats = async () => ["qr_code"];
    detect = async () => [{ rawValue: "something else" }, { rawValue: link }];
  };
}"""


def test_the_camera_reads_the_code(open_browser, owner):
    phone = PhonePage(open_browser().tab()).open()
    phone.press("Add account")
    if phone.page.evaluate("globalThis.BarcodeDetector === undefined"):
        expect(phone.page.get_by_text("This browser cannot read QR codes.")).to_be_visible()
    phone.press("Back")
    phone.page.evaluate(CAMERA, None)
    phone.press("Add account")
    phone.press("Scan the QR code")
    expect(phone.page.get_by_text("The camera may not be used.")).to_be_visible()
    phone.press("Back")
    phone.page.evaluate(CAMERA, owner.session.new_activation()["activationUri"])
    phone.press("Scan the QR code")
    phone.expect_screen("link")
    expect(phone.page.locator("#link-account")).to_have_text(owner.username)


def test_a_clock_that_is_wrong_does_no_harm(open_browser, owner):
    browser = open_browser()
    browser.context.add_init_script("const now = Date.now; Date.now = () => now() + 300_000;")
    phone = PhonePage(browser.tab())
    phone.add(owner.session)
    expect(phone.page.get_by_text("This device’s clock is 5 minutes fast.")).to_be_visible()
    assert phone.code() in [pyotp_code(phone, owner, step) for step in (-1, 0, 1)]


def pyotp_code(phone: PhonePage, owner: Owner, step: int) -> str:
    """What the phone's own key makes at the right time."""
    return phone.page.evaluate("""async (step) => {
      const { codeAt } = await import("/assets/phone-codes.js");
      const { readAccounts } = await import("/assets/phone-store.js");
      return (await codeAt((await readAccounts())[0].code, Date.now() - 300_000 + step * 30_000)).code;
    }""", step)


# ---- the lock


def test_a_pin_locks_the_phone(open_browser, owner, demo):
    application = Application(demo)
    phone = PhonePage(open_browser().tab())
    phone.add(owner.session)
    phone.lock_by_pin("2468")
    phone.page.reload()
    phone.expect_screen("locked")
    assert owner.username not in phone.page.locator("main").inner_text()
    begun = application.begin(owner.username, factor="secondFactor").json()
    expect(phone.page.locator("#locked-waiting")).to_be_visible()
    for _ in range(2):
        phone.page.fill("#unlock-pin", "1111")
        phone.press("Unlock", exact=True)
        expect(phone.page.get_by_text("That PIN is not right.")).to_be_visible()
        phone.page.reload()
    phone.page.fill("#unlock-pin", "2468")
    phone.press("Unlock", exact=True)
    # To have unlocked for this very request counts for it, and for no other.
    phone.expect_screen("settings")
    phone.page.get_by_role("button", name="Show it").click()
    phone.answer(begun["number"])
    phone.expect_outcome("Approved")
    assert verified(application, begun) is True
    begun = application.begin(owner.username, factor="secondFactor").json()
    expect(phone.requests.locator("[data-number]")).to_be_focused()
    phone.answer(begun["number"])
    phone.page.fill("#verify-pin", "2468")
    phone.page.get_by_role("button", name="Go on").click()
    phone.expect_outcome("Approved")
    assert verified(application, begun) is True
    phone.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 301_000; document.dispatchEvent(new Event('visibilitychange')); }")
    phone.expect_screen("locked")
    for _ in range(3):
        phone.page.fill("#unlock-pin", "1111")
        phone.press("Unlock", exact=True)
        expect(phone.page.locator("#unlock-pin")).to_have_value("")
        expect(phone.page.locator("#unlock-form button")).not_to_have_attribute("aria-busy", "true")
    expect(phone.page.get_by_text("Too many wrong PINs. Please wait 30 seconds.")).to_be_visible()
    phone.page.fill("#unlock-pin", "2468")
    phone.press("Unlock", exact=True)
    expect(phone.page.get_by_text("Too many wrong PINs.")).to_be_visible()
    phone.press("I can’t unlock it")
    phone.page.get_by_role("dialog").get_by_role("button", name="Remove all").click()
    expect(phone.page.get_by_role("heading", name="Your phone, in this browser")).to_be_visible()


# ---- how it looks, what it weighs


def test_every_screen_of_the_phone(open_browser, ready, demo, place_shown):
    owner = Owner(demo)
    phone = PhonePage(open_browser().tab()).open()
    page = phone.page
    look(page, "phone-empty")
    phone.press("Add account")
    look(page, "phone-add")
    phone.press("Paste the link")
    look(page, "phone-paste")
    activation = owner.session.new_activation()
    page.fill("#link", activation["activationUri"])
    phone.press("Next")
    look(page, "phone-link")
    phone.accept_link()
    look(page, "phone-confirm")
    phone.confirm(owner.session.activation(activation["id"], wait=10, state="waiting")["number"])
    look(page, "phone-added")
    phone.press("Set up phone sign-in")
    look(page, "phone-set-up")
    phone.press("Continue")
    look(page, "phone-password")
    page.fill("#password", owner.password)
    phone.press("Next")
    phone.expect_screen("set-up-number")
    look(page, "phone-set-up-number")
    page.fill("#set-up-number", page.text_content("#set-up-shown"))
    phone.press("Next")
    phone.expect_screen("register")
    look(page, "phone-register")
    phone.press("Register", exact=True)
    phone.expect_screen("finish")
    look(page, "phone-finish")
    phone.press("Finish")
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1"
    begun = Application(demo).begin(owner.username, application="Payroll", context={"ipAddress": "203.0.113.7", "userAgent": agent}).json()
    expect(phone.requests).to_have_count(1)
    look(page, "phone-request")
    page.get_by_role("button", name="This was not me").click()
    look(page, "phone-report")
    page.keyboard.press("Escape")
    phone.answer(begun["number"])
    phone.expect_outcome("Approved")
    look(page, "phone-approved")
    phone.press("OK")
    look(page, "phone-home")
    phone.menu(owner.username)
    look(page, "phone-account")
    phone.press("Remove account")
    look(page, "phone-remove")
    page.keyboard.press("Escape")
    page.locator("#settings").click()
    look(page, "phone-settings")
    page.get_by_label("A PIN for this app").click()
    look(page, "phone-pin")
    page.fill("#new-pin", "2468")
    page.fill("#new-pin-again", "2468")
    phone.press("Set PIN")
    phone.expect_screen("settings")
    page.reload()
    phone.expect_screen("locked")
    look(page, "phone-locked")
    phone.press("I can’t unlock it")
    look(page, "phone-erase")


NOTHING_YET = "something that is no activation link"


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_every_screen_of_the_phone_where_something_is_in_the_way(open_browser, owner, demo, locale):
    """The camera, the PIN when approving, and what a blocked person and a removed device are told."""
    suffix = "" if locale.startswith("en") else "-de"
    page = open_browser(locale=locale).tab()
    phone = PhonePage(page).open()
    page.evaluate(CAMERA, NOTHING_YET)
    page.locator('[data-screen="home"] [data-go="add"]:visible').click()
    page.locator('[data-go="scan"]').click()
    expect(page.locator("#camera")).to_have_js_property("paused", False)
    look(page, f"phone-scan{suffix}")
    page.locator('[data-screen="scan"] [data-back]').click()
    page.evaluate(CAMERA, None)
    page.locator('[data-go="scan"]').click()
    expect(page.locator("#camera-failed")).to_be_visible()
    expect(page.locator("#viewfinder")).to_be_hidden()
    look(page, f"phone-scan-denied{suffix}")

    phone.add(owner.session)
    page.locator("#settings").click()
    page.locator('[name="lock"][value="pin"]').click()
    page.fill("#new-pin", "2468")
    page.fill("#new-pin-again", "2468")
    page.locator("#pin-form button").click()
    phone.expect_screen("settings")
    page.locator('[data-screen="settings"] [data-back]').click()
    begun = Application(demo).begin(owner.username, factor="secondFactor").json()
    page.locator("#requests [data-number]").fill(begun["number"])
    page.locator("#requests [data-approve]").click()
    expect(page.locator("#verify-pin")).to_be_focused()
    look(page, f"phone-verify{suffix}")
    page.fill("#verify-pin", "1111")
    page.keyboard.press("Enter")
    expect(page.locator("#verify-pin-error")).to_be_visible()
    look(page, f"phone-verify-wrong{suffix}")
    page.keyboard.press("Escape")

    state, user = page.locator("#accounts [data-trouble]"), owner.user["id"]
    owner.administrator.call("POST", f"/users/{user}:block")
    expect(state).to_be_visible()
    expect(page.locator("#requests [data-question]")).to_have_count(0)
    look(page, f"phone-blocked{suffix}")
    page.locator("#accounts [data-menu]").click()
    expect(page.locator("#account-trouble")).to_be_visible()
    look(page, f"phone-blocked-account{suffix}")
    page.locator('[data-screen="account"] [data-back]').click()
    owner.administrator.call("POST", f"/users/{user}:unblock")
    device = owner.administrator.get(f"/users/{user}/devices")["items"][0]
    owner.administrator.call("DELETE", f"/users/{user}/devices/{device['id']}")
    page.reload()
    page.fill("#unlock-pin", "2468")
    page.keyboard.press("Enter")
    phone.expect_screen("home")
    expect(page.locator("#accounts [data-code-row]")).to_be_hidden()
    look(page, f"phone-removed{suffix}")
    page.locator("#accounts [data-menu]").click()
    look(page, f"phone-removed-account{suffix}")


def test_every_screen_of_the_phone_in_german(open_browser, demo):
    """Longer words."""
    owner = Owner(demo)
    phone = PhonePage(open_browser(locale="de-AT").tab())
    phone.add(owner.session)
    page = phone.page
    begun = Application(demo).begin(owner.username, factor="secondFactor").json()
    expect(phone.requests).to_have_count(1)
    look(page, "phone-request-de")
    phone.requests.locator("[data-number]").fill(other_number(begun["number"]))
    page.keyboard.press("Enter")
    phone.expect_outcome("Das war eine andere Zahl")
    look(page, "phone-wrong-number-de")
    page.locator("#accounts [data-menu]").click()
    look(page, "phone-account-de")
    page.locator("#settings").click()
    look(page, "phone-settings-de")


@pytest.mark.parametrize("locale", ["en-GB", "de-AT"])
def test_the_first_paint_of_the_phone_is_light(open_browser, locale):
    browser = open_browser(service_workers="block", locale=locale)
    page = browser.tab()
    page.add_init_script("delete Navigator.prototype.serviceWorker")
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto("/authenticator")
    page.wait_for_load_state("load")
    assert page.get_attribute("html", "lang") == locale[:2]
    answers = [answer for answer in answers if not answer.url.endswith((".png", ".webmanifest", "service-worker.js"))]
    # Room is left for what comes next.
    expect_light("/authenticator", answers, BUDGET - 8 * 1024)
    blocking = page.evaluate(
        "performance.getEntriesByType('resource').filter(entry => entry.renderBlockingStatus === 'blocking').map(entry => entry.name)")
    assert [urllib.parse.urlsplit(url).path.split(".")[0] for url in blocking] == ["/assets/countersign"], blocking


def test_the_phone_can_be_installed(browser):
    """What a browser asks of an installable app: a manifest, its icons, a service worker that has the page."""
    page = PhonePage(browser.tab()).open().page
    reply = page.request.get(page.get_attribute('link[rel="manifest"]', "href"))
    assert reply.headers["content-type"] == "application/manifest+json"
    manifest = reply.json()
    assert manifest["start_url"] == manifest["scope"] == "/authenticator" and manifest["display"] == "standalone"
    sizes = {icon["sizes"]: page.request.get(icon["src"]) for icon in manifest["icons"]}
    assert set(sizes) == {"192x192", "512x512"} and all(icon.headers["content-type"] == "image/png" for icon in sizes.values())
    worker = page.evaluate("navigator.serviceWorker.ready.then(({ active, scope }) => ({ script: active.scriptURL, scope }))")
    assert urllib.parse.urlsplit(worker["script"]).path == "/authenticator/service-worker.js"
    assert urllib.parse.urlsplit(worker["scope"]).path == "/authenticator"
    installable = browser.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert installable in ([], [{"errorId": "in-incognito", "errorArguments": []}]), installable
