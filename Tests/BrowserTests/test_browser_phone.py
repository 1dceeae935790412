"""A phone in the browser: every step of the journey that a phone takes part in."""

import contextlib
import hashlib
import json
import re
import secrets

import pyotp
import requests
from client import Administrator, Application, Phone, register, unb64u
from playwright.sync_api import expect
from stack import Stack

from .pages import POLICY, SignInPage, other_number
from .phone_page import Owner, PhonePage


# ---- J3 to J7


def test_the_web_page_and_the_phone_in_one_browser(open_browser, owner):
    """J3 by the link that the page offers, J4 by its screens, J6."""
    browser = open_browser()
    page = SignInPage(browser.tab()).open()
    page.next(owner.username)
    page.give_password(owner.password)
    page.expect_signed_in()
    web = page.page
    web.locator("#add").click()
    web.get_by_role("button", name="Add", exact=True).click()
    web.get_by_role("button", name="Next").click()
    with browser.context.expect_page() as opened:
        web.get_by_role("link", name="Use this browser as the authenticator").click()
    phone = PhonePage(opened.value)
    phone.expect_screen("link")
    assert phone.page.url.endswith("/authenticator"), "a link leaves the address at once"
    assert phone.page.evaluate("sessionStorage.length") == 0 and phone.page.evaluate("opener") is None, "nor is it kept where it came from"
    expect(phone.page.locator("#link-account")).to_have_text(owner.username)
    phone.accept_link()
    phone.confirm(web.text_content("#add-number"))
    expect(phone.page.locator("#outcome-title")).to_have_text("Your account is added")
    expect(web.get_by_role("heading", name="Your phone is ready")).to_be_visible()
    hint = web.get_by_text("choose “Set up phone sign-in”")
    # The phone shows it as a button there and then, and in the account's menu afterwards.
    expect(hint).to_have_text("To sign in without a password, choose “Set up phone sign-in” in the app.")
    phone.press("Set up phone sign-in")
    phone.press("Continue")
    phone.page.fill("#password", "not " + owner.password)
    phone.press("Next")
    expect(phone.page.get_by_text("That password is not right.")).to_be_visible()
    phone.page.fill("#password", owner.password)
    phone.press("Next")
    phone.finish_set_up()
    expect(phone.page.locator("#accounts [data-state]")).to_have_text("Phone sign-in on")
    web.evaluate("dispatchEvent(new Event('focus'))")
    expect(hint).to_be_hidden()
    other = SignInPage(open_browser().tab()).open()
    number = other.next(owner.username)
    expect(phone.requests.get_by_role("heading", name="Are you signing in?")).to_be_visible()
    expect(phone.requests.locator("[data-number]")).to_be_focused()
    phone.answer(number)
    phone.expect_outcome("Approved")
    other.expect_signed_in()


def refusals(page) -> list:
    """Fills as the server refuses: what a browser's console shows as an error."""
    refused = []
    page.on("response", lambda reply: refused.append((reply.status, reply.url)) if reply.status >= 400 else None)
    return refused


def test_a_set_up_asks_for_the_password_where_one_is_needed_and_nothing_is_refused_on_the_way(open_browser, owner, demo):
    phone = PhonePage(open_browser().tab())
    refused = refusals(phone.page)
    phone.add(owner.session)
    phone.menu(owner.username)
    phone.set_up_phone_sign_in(owner.password)
    by_pass = Owner(demo, as_pass=True)
    other = PhonePage(open_browser().tab())
    refused_there = refusals(other.page)
    other.add(by_pass.session)
    other.menu(by_pass.username)
    other.press("Set up phone sign-in")
    other.press("Continue")
    other.finish_set_up()
    assert refused == refused_there == []


@contextlib.contextmanager
def allowed_only(owner, mode: str):
    before = owner.administrator.get(POLICY)["includeTargets"]
    target = {"targetType": "user", "id": owner.user["id"], "isRegistrationRequired": False, "authenticationMode": mode}
    owner.administrator.change(POLICY, {"includeTargets": [target, *before]})
    try:
        yield
    finally:
        owner.administrator.change(POLICY, {"includeTargets": before})


def test_phone_sign_in_is_offered_to_nobody_whom_the_policy_refuses_it(open_browser, owner):
    phone = PhonePage(open_browser().tab())
    refused, set_up = refusals(phone.page), phone.page.get_by_role("button", name="Set up phone sign-in")
    with allowed_only(owner, "push"):
        activation = owner.session.new_activation()
        phone.open(activation["activationUri"])
        phone.accept_link()
        phone.confirm(owner.session.activation(activation["id"], wait=10, state="waiting")["number"])
        expect(phone.page.locator("#outcome-title")).to_have_text("Your account is added")
        expect(set_up).to_be_hidden()
        phone.press("To my accounts")
        phone.menu(owner.username)
        expect(phone.page.locator("#no-phone-sign-in")).to_contain_text("does not allow phone sign-in for this account")
        expect(set_up).to_be_hidden()
    # Whoever turns to the phone sees how things are.
    phone.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(phone.page.locator("#no-phone-sign-in")).to_be_hidden()
    phone.set_up_phone_sign_in(owner.password)
    with allowed_only(owner, "push"):
        phone.page.evaluate("dispatchEvent(new Event('focus'))")
        expect(phone.page.locator("#accounts [data-state]")).to_have_text("Phone sign-in not allowed now")
        expect(phone.page.locator("#accounts [data-trouble]")).to_contain_text("It stays set up here")
    assert refused == []


def test_phone_sign_in_that_the_policy_takes_away_is_not_called_on(open_browser, owner, demo):
    """Nobody turns to the phone: it lies open beside the desk."""
    phone = PhonePage(open_browser().tab())
    # What is asked now and then is asked soon.
    phone.page.add_init_script("const every = setInterval; window.setInterval = (work, pause) => every(work, pause === 120_000 ? 500 : pause);")
    phone.add(owner.session)
    phone.menu(owner.username)
    phone.set_up_phone_sign_in(owner.password)
    state = phone.page.locator("#accounts [data-state]")
    expect(state).to_have_text("Phone sign-in on")
    with allowed_only(owner, "push"):
        expect(state).to_have_text("Phone sign-in not allowed now")
        phone.menu(owner.username)
        expect(phone.page.locator("#account-phone-sign-in")).to_have_text("Not allowed now")
    expect(phone.page.locator("#account-phone-sign-in")).to_have_text("On")


def test_a_request_that_comes_brings_the_phone_up_to_date(open_browser, owner, demo):
    phone = PhonePage(open_browser().tab())
    phone.add(owner.session)
    phone.menu(owner.username)
    phone.set_up_phone_sign_in(owner.password)
    with allowed_only(owner, "push"):
        Application(demo).begin(owner.username, factor="secondFactor")
        expect(phone.requests).to_have_count(1)
        expect(phone.page.locator("#accounts [data-state]")).to_have_text("Phone sign-in not allowed now")


def test_a_password_and_the_phone_are_two_factors(open_browser, phone, ready):
    """J7."""
    page = SignInPage(open_browser().tab()).open()
    page.next(ready.owner.username)
    page.give_password(ready.owner.password)
    expect(page.page.get_by_role("heading", name="One more step")).to_be_visible()
    expect(phone.requests.filter(has_text="Confirm your sign-in")).to_have_count(1)
    # The focus is where the number goes: no pointer is needed.
    expect(phone.requests.locator("[data-number]")).to_be_focused()
    phone.page.keyboard.type(page.number())
    phone.page.keyboard.press("Enter")
    page.expect_signed_in()


def test_a_request_shows_what_the_answer_signs(phone, ready, place_shown):
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
    begun = ready.begin(phone, application="Payroll", context={"ipAddress": "203.0.113.7", "userAgent": agent})
    time = re.compile(r"^\d\d:\d\d\s· [1-6]?\d seconds left$")
    for name, text in (("application", "Payroll"), ("location", "203.0.113.7"), ("device", "Chrome on Windows"), ("left", time)):
        expect(phone.requests.locator(f'[data-fact="{name}"] dd')).to_have_text(text)
    phone.requests.get_by_role("button", name="Approve").click()
    expect(phone.page.get_by_text("The number has 2 digits.")).to_be_visible()
    phone.answer(begun["number"])
    phone.expect_outcome("Approved")
    redeemed = ready.application.redeem(begun).json()
    content = unb64u(redeemed["receiptContent"])
    answer = json.loads(unb64u(redeemed["receipt"].split(".")[1]))
    assert json.loads(content)["application"] == "Payroll"
    assert unb64u(answer["content"]) == hashlib.sha256(content).digest()
    assert answer["uv"] is False, "nobody was asked: there is no lock"


def test_one_tenant(open_browser, stack, demo, owner):
    """J5: two accounts on one phone, phone sign-in for one of them; disabling it frees the phone (J10)."""
    token = (stack.var / "keys" / "operator.token").read_text().strip()
    tenant = "t" + secrets.token_hex(4)
    made = requests.post(
        f"{demo['base']}/v1/tenants", json={"id": tenant, "name": "Second"}, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert made.status_code == 201, made.text
    other = Owner(demo, Administrator(demo, token=made.json()["adminToken"], tenant=tenant))
    phone = PhonePage(open_browser().tab())
    phone.add(owner.session)
    phone.menu(owner.username)
    phone.set_up_phone_sign_in(owner.password)
    phone.add(other.session)
    expect(phone.page.locator("#accounts > li")).to_have_count(2)
    phone.menu(other.username)
    phone.press("Set up phone sign-in")
    phone.press("Continue")
    expect(phone.page.get_by_text("One device can do it for one account in one organisation.")).to_be_visible()
    phone.press("Back")
    phone.press("Back")
    phone.menu(owner.username)
    phone.disable_phone_sign_in()
    assert owner.session.call("GET", "/me").json()["devices"][0]["phoneSignIn"]["createdDateTime"] is None
    phone.press("Back")
    phone.menu(other.username)
    phone.set_up_phone_sign_in(other.password)


# ---- J8


def test_codes_need_no_network_in_a_tab_opened_without_one(ready):
    """The page itself comes from what the service worker kept."""
    browser = ready.browser
    phone = PhonePage(browser.tab()).open()
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.page.close()
    browser.may_be_unreachable = True
    browser.context.set_offline(True)
    phone = PhonePage(browser.tab()).open()
    expect(phone.page.get_by_text("Your codes work all the same")).to_be_visible()
    code = phone.code()
    reply = ready.application.code(ready.application.begin(ready.owner.username).json(), code, ready.owner.password)
    assert reply.status_code == 200 and reply.json()["status"] == "approved", reply.text
    assert phone.page.evaluate("localStorage.length + sessionStorage.length") == 0
    browser.context.set_offline(False)
    expect(phone.page.get_by_text("Your codes work all the same")).to_be_hidden()
    phone.page.close()
    browser.may_be_unreachable = False


def test_codes_of_every_profile(phone):
    """Against an independent implementation."""
    for algorithm in ("SHA1", "SHA256", "SHA512"):
        for digits, period in ((6, 30), (7, 30), (8, 60)):
            secret, at = pyotp.random_base32(52), 1_700_000_000 + secrets.randbelow(10**8)
            made = phone.page.evaluate(
                """async ([parameters, time]) => {
                  const { codeAt, codeMaker } = await import("/assets/phone-codes.js");
                  return codeAt(await codeMaker(parameters), time);
                }""", [{"secret": secret, "algorithm": algorithm, "digits": digits, "period": period}, at * 1000])
            code = pyotp.TOTP(secret, digits=digits, interval=period, digest=getattr(hashlib, algorithm.lower())).at(at)
            assert made == {"code": code, "endsAt": (at // period + 1) * period * 1000}


def test_the_code_is_copied_and_nothing_that_is_kept_can_be_read(phone, ready):
    ready.browser.context.grant_permissions(["clipboard-read", "clipboard-write"])
    before = phone.code()
    phone.page.locator("#accounts [data-copy]").click()
    expect(phone.page.locator(".toast")).to_have_text("Copied")
    # Its time may pass meanwhile, once.
    assert phone.page.evaluate("navigator.clipboard.readText()") in (before, phone.code())
    kept = phone.page.evaluate("""async () => {
      const database = await new Promise((done) => { indexedDB.open("countersign-authenticator").onsuccess = ({ target }) => done(target.result); });
      const all = (name) => new Promise((done) => { database.transaction(name).objectStore(name).getAll().onsuccess = ({ target }) => done(target.result); });
      const [[{ privateKey }], [{ code }]] = [await all("keys"), await all("accounts")];
      database.close();
      const tried = await Promise.allSettled([crypto.subtle.exportKey("jwk", privateKey), crypto.subtle.exportKey("raw", code.key)]);
      return { extractable: [privateKey.extractable, code.key.extractable], tried: tried.map(({ status }) => status), names: Object.keys(code) };
    }""")
    assert kept == {"extractable": [False, False], "tried": ["rejected", "rejected"], "names": ["key", "digits", "period"]}


# ---- J9


# Colour and symbol.
LOOK = "glyph => [getComputedStyle(glyph).color, glyph.querySelector('use').getAttribute('href').split('#')[1]]"


def test_a_refusal_is_seen_on_both_sides_and_in_the_log(open_browser, phone, ready):
    page = SignInPage(open_browser().tab()).open()
    number = page.next(ready.owner.username)
    for act, here, there, reason in (
        ("wrong number", "That was another number", "That was another number", "wrong_number"),
        ("decline", "Declined", "The request was declined", "declined"),
    ):
        expect(phone.requests).to_have_count(1)
        if act == "decline":
            phone.press("Decline")
        else:
            phone.answer(other_number(number))
        phone.expect_outcome(here)
        page.expect_outcome(there)
        looks = [each.evaluate(LOOK) for each in (page.page.locator("#outcome-glyph"), phone.requests.first.locator("[data-outcome] .glyph"))]
        assert looks[0] == looks[1], f"{reason} looks different on the page and on the phone: {looks}"
        entry = ready.owner.administrator.get(f"/sign-ins?user={ready.owner.username}")["items"][0]
        assert entry["reason"] == reason, entry
        phone.press("OK")
        expect(phone.requests).to_have_count(0)
        page.try_again()
        number = page.number()
    phone.answer(number)
    page.expect_signed_in()


def test_a_report_is_asked_about_and_raises_the_alarm(open_browser, owner, demo):
    phone = PhonePage(open_browser().tab())
    phone.add(owner.session)
    application = Application(demo)
    begun = application.begin(owner.username, factor="secondFactor").json()
    phone.press("This was not me")
    phone.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert application.status(begun)["status"] == "pending"
    phone.press("This was not me")
    phone.page.get_by_role("dialog").get_by_role("button", name="Report it").click()
    phone.expect_outcome("Reported")
    assert application.status(begun)["reason"] == "reported"
    phone.press("Check for requests")
    expect(phone.page.locator(".toast")).to_have_text("Nothing waits for your answer.")
    # What was said stays until something else is to be.
    phone.expect_outcome("Reported")
    # Silenced requests do not ring, but whoever asks is told of them.
    begun = application.begin(owner.username, factor="secondFactor").json()
    assert len(begun["number"]) == 3
    expect(phone.page.locator("#no-requests")).to_contain_text("check for them")
    phone.press("Check for requests")
    expect(phone.requests.locator("[data-number]")).to_be_focused()
    expect(phone.page.locator("#no-requests")).to_be_hidden()
    phone.answer(begun["number"])
    phone.expect_outcome("Approved")


def test_that_nothing_waits_is_not_said_over_a_request(phone, ready):
    phone.press("Check for requests")
    expect(phone.page.locator(".toast")).to_have_text("Nothing waits for your answer.")
    begun = ready.begin(phone)
    # Well before it would go by itself.
    expect(phone.page.locator(".toast")).to_have_count(0, timeout=1000)
    ready.application.cancel(begun)


def test_what_waits_comes_before_what_became_of_others(phone, ready):
    phone.page.set_viewport_size({"width": 390, "height": 780})
    begun = {name: ready.begin(phone, application=name) for name in ("Payroll", "Wiki")}
    expect(phone.requests.nth(0).locator("[data-number]")).to_be_focused()
    # Begun anew at the desk: nobody has typed anything here, and the next thing to do is the other one's number.
    ready.application.cancel(begun["Payroll"])
    expect(phone.requests.nth(1).locator("[data-outcome-title]")).to_have_text("Withdrawn")
    number = phone.requests.nth(0).locator("[data-number]")
    expect(number).to_be_focused()
    box = number.bounding_box()
    assert box["y"] + box["height"] < 600, box
    expect(phone.page.locator("#announcer")).to_have_text(re.compile("^Withdrawn. .*Are you signing in.*Wiki$"))
    phone.answer(begun["Wiki"]["number"])
    phone.expect_outcome("Approved")
    expect(phone.requests).to_have_count(1)
    expect(phone.requests.locator("[data-outcome-title]")).to_be_focused()


def test_who_has_begun_to_type_a_number_types_it_into_no_other_request(phone, ready):
    begun = {name: ready.begin(phone, application=name) for name in ("Payroll", "Wiki", "Forum")}
    phone.page.keyboard.type(begun["Payroll"]["number"][:1])
    ready.application.cancel(begun["Payroll"])
    over = phone.requests.last.locator("[data-outcome-title]")
    expect(over).to_have_text("Withdrawn")
    expect(over).to_be_focused()
    # What became of one's own answer is in view.
    phone.page.set_viewport_size({"width": 390, "height": 780})
    phone.answer(begun["Wiki"]["number"])
    expect(over).to_have_text("Approved")
    expect(over).to_be_focused()
    expect(over).to_be_in_viewport()
    expect(phone.requests).to_have_count(2)
    ready.application.cancel(begun["Forum"])


def test_a_request_that_ends_without_an_answer_says_how(phone, ready):
    ready.application.cancel(ready.begin(phone))
    phone.expect_outcome("Withdrawn")
    phone.press("OK")
    # With each request that comes the phone asks what is allowed, and learns the time by the reply: that is not to come after the jump.
    with phone.page.expect_event("requestfinished", lambda asked: asked.url.endswith("/phone-sign-in")):
        begun = ready.begin(phone)
    phone.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 61_000; }")
    phone.expect_outcome("Time is up")
    ready.application.cancel(begun)


def test_what_was_approved_without_this_phone_is_not_called_its_own_approval(open_browser, owner, demo):
    """By a code typed at the desk, and on the person's other phone."""
    browser = open_browser()
    phone = PhonePage(browser.tab())
    phone.add(owner.session)
    other, application = register(owner.session, Phone()), Application(demo)
    begun = application.begin(owner.username, factor="secondFactor", application="Payroll").json()
    expect(phone.requests).to_have_count(1)
    assert application.code(begun, phone.code()).json()["status"] == "approved"
    phone.expect_outcome("Signed in")
    expect(phone.requests.locator("[data-outcome-words]")).to_contain_text("Payroll went on without this phone")
    phone.press("OK")
    begun = application.begin(owner.username, factor="secondFactor").json()
    expect(phone.requests).to_have_count(1)
    assert other.answer(other.challenge(begun["id"]), number=begun["number"]).json()["status"] == "approved"
    phone.expect_outcome("Signed in")


def test_what_the_server_refuses_is_explained(phone, ready):
    path = "**/v1/*/challenges/*/answer"

    def refuse(status: int, **members):
        phone.page.route(path, lambda route: route.fulfill(
            status=status, content_type="application/problem+json", headers={"Retry-After": "1"}, body=json.dumps(members)))

    for title, status, members in (
        ("Time is up", 410, {"code": "expired"}),
        ("No longer open", 409, {"code": "settled"}),
        ("Not accepted", 403, {"code": "refused"}),
        ("This app is too old", 403, {"code": "update_required", "minimum": "9.1"}),
    ):
        begun = ready.begin(phone)
        refuse(status, **members)
        phone.answer(begun["number"])
        phone.expect_outcome(title)
        phone.page.unroute(path)
        phone.press("OK")
        ready.application.cancel(begun)
    # What passes is repeated with the very same bytes, then left to the person.
    begun, sent = ready.begin(phone), []
    phone.page.route(path, lambda route: (sent.append(route.request.post_data), route.abort())[1])
    ready.browser.may_be_unreachable = True
    phone.answer(begun["number"])
    expect(phone.page.get_by_role("button", name="Approve")).to_have_attribute("aria-busy", "true")
    phone.page.wait_for_timeout(1200)
    phone.page.unroute(path)
    phone.expect_outcome("Approved")
    ready.browser.may_be_unreachable = False
    assert len(sent) > 1 and len(set(sent)) == 1
    assert ready.application.status(begun)["status"] == "approved"


def test_several_requests_in_two_tabs(phone, ready):
    second = PhonePage(ready.browser.tab()).open()
    begun = {name: ready.begin(phone, application=name) for name in ("Payroll", "Wiki")}
    expect(second.requests).to_have_count(2)
    assert phone.page.title().startswith("(2)")
    card = second.requests.filter(has_text="Wiki")
    card.locator("[data-number]").fill(begun["Wiki"]["number"])
    card.get_by_role("button", name="Approve").click()
    expect(card.get_by_role("heading", name="Approved")).to_be_visible()
    expect(phone.requests.nth(1).get_by_role("heading", name="Approved")).to_be_visible()
    # The one that listens for both closes: the other takes over.
    second.page.close()
    ready.application.cancel(begun["Payroll"])
    expect(phone.requests.first.get_by_role("heading", name=re.compile("Withdrawn|No longer open"))).to_be_visible()


# ---- J10 to J12


def test_a_new_phone_by_a_pass(open_browser, demo):
    """J11: the pass of the session counts once; without one a pass is typed."""
    owner = Owner(demo, as_pass=True)
    phone = PhonePage(open_browser().tab())
    phone.add(owner.session)
    phone.menu(owner.username)
    phone.press("Set up phone sign-in")
    phone.press("Continue")
    phone.finish_set_up()
    phone.menu(owner.username)
    phone.disable_phone_sign_in()
    phone.press("Set up phone sign-in")
    phone.press("Continue")
    phone.press("Use a Temporary Access Pass")
    phone.page.fill("#pass", owner.new_pass())
    phone.press("Next")
    phone.finish_set_up()
    # Removal: here, and at the server.
    phone.menu(owner.username)
    phone.press("Remove account")
    phone.page.get_by_role("dialog").get_by_role("button", name="Remove account").click()
    expect(phone.page.get_by_role("heading", name="Your phone, in this browser")).to_be_visible()
    owner.sign_in()
    assert owner.session.call("GET", "/me").json()["devices"] == []


def test_a_device_that_was_blocked_or_removed_says_so(open_browser, owner):
    phone = PhonePage(open_browser().tab())
    phone.add(owner.session)
    state = phone.page.locator("#accounts [data-state]")
    owner.administrator.call("POST", f"/users/{owner.user['id']}:block")
    expect(state).to_have_text("Not allowed now")
    owner.administrator.call("POST", f"/users/{owner.user['id']}:unblock")
    # Whoever turns to the phone sees how things are, and it listens again: the removal comes by its stream.
    phone.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(state).to_have_text("Second step and codes")
    device = owner.administrator.get(f"/users/{owner.user['id']}/devices")["items"][0]
    assert (device["platform"], device["appVersion"]) == ("web", "1.0.0")
    owner.administrator.call("DELETE", f"/users/{owner.user['id']}/devices/{device['id']}")
    expect(state).to_have_text("Not registered")
    expect(phone.page.locator("#accounts [data-code]")).to_be_hidden()


def test_a_refusal_that_comes_late_does_not_keep_the_phone_from_listening(open_browser, owner):
    phone = PhonePage(open_browser().tab())
    phone.add(owner.session)
    state, held = phone.page.locator("#accounts [data-state]"), []
    phone.page.route("**/devices/*/events", lambda route: route.continue_() if held else held.append(route))
    owner.administrator.call("POST", f"/users/{owner.user['id']}:block")
    # Its stream has ended, and the next one is asked for.
    Stack.wait_for(lambda: phone.page.wait_for_timeout(10) or held, 10, "the phone to open its stream again")
    for word, shown in (("block", "Not allowed now"), ("unblock", "Second step and codes")):
        owner.administrator.call("POST", f"/users/{owner.user['id']}:{word}")
        phone.page.evaluate("dispatchEvent(new Event('focus'))")
        expect(state).to_have_text(shown)
    with phone.page.expect_response(lambda reply: reply.url.endswith("/events") and reply.status == 200):
        held[0].fulfill(status=403, json={"type": "about:blank", "title": "Forbidden", "status": 403, "code": "refused"})
    expect(state).to_have_text("Second step and codes")


def test_an_app_below_the_minimum_is_told_so(open_browser, phone, ready, owner, administrator):
    """J12."""
    before = administrator.get("/settings")["minimumVersions"]
    administrator.change("/settings", {"minimumVersions": {"web": {"app": "2.5"}}})
    try:
        begun = ready.begin(phone)
        phone.answer(begun["number"])
        phone.expect_outcome("This app is too old")
        expect(phone.requests.locator("[data-outcome-words]")).to_contain_text("version 2.5 or later")
        assert ready.application.status(begun)["status"] == "pending"
        ready.application.cancel(begun)
        fresh = PhonePage(open_browser().tab()).open(owner.session.new_activation()["activationUri"])
        fresh.page.locator("#link-form button").click()
        expect(fresh.page.locator("#link-failed")).to_contain_text("version 2.5 or later")
    finally:
        administrator.change("/settings", {"minimumVersions": before})
