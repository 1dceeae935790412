"""The sign-in page in one window and the phone in another, where the number alone is not the way in: a policy that says push, no network, no phone sign-in."""

import re

from playwright.sync_api import expect

from .pages import SignInPage
from .phone_page import PhonePage
from .test_browser_phone import allowed_only


def ready_phone(browser, owner) -> PhonePage:
    phone = PhonePage(browser.tab())
    phone.add(owner.session)
    phone.menu(owner.username)
    phone.set_up_phone_sign_in(owner.password)
    return phone


def begin_without_reaching(page: SignInPage, phone: PhonePage, owner) -> None:
    """The page shows a number as ever, and the phone has nothing to enter it for."""
    page.next(owner.username)
    phone.press("Check for requests")
    expect(phone.page.locator(".toast").last).to_have_text("Nothing waits for your answer.")
    expect(phone.requests).to_have_count(0)


def confirm_second_step(page: SignInPage, phone: PhonePage, owner) -> None:
    """J7."""
    page.give_password(owner.password)
    expect(page.page.get_by_role("heading", name="One more step")).to_be_visible()
    expect(phone.requests.get_by_role("heading", name="Confirm your sign-in")).to_be_visible()
    phone.answer(page.number())
    phone.expect_outcome("Approved")
    page.expect_signed_in()


def test_where_the_policy_says_push_the_phone_is_the_second_step_after_the_password(open_browser, owner):
    phone = ready_phone(open_browser(), owner)
    page = SignInPage(open_browser().tab()).open()
    with allowed_only(owner, "push"):
        phone.page.evaluate("dispatchEvent(new Event('focus'))")
        expect(phone.page.locator("#accounts [data-state]")).to_have_text("Phone sign-in not allowed now")
        begin_without_reaching(page, phone, owner)
        confirm_second_step(page, phone, owner)


def test_who_has_disabled_phone_sign_in_keeps_the_second_step_and_the_codes(open_browser, owner):
    """J10."""
    phone = ready_phone(open_browser(), owner)
    phone.menu(owner.username)
    phone.disable_phone_sign_in()
    phone.press("Back")
    page = SignInPage(open_browser().tab()).open()
    begin_without_reaching(page, phone, owner)
    confirm_second_step(page, phone, owner)

    page.open("?prompt=login")
    page.next(owner.username)
    page.give_code(owner.password, phone.code())
    page.expect_signed_in()


def test_the_code_of_a_phone_without_a_connection_signs_in_and_gives_way_to_the_next(open_browser, owner):
    """J8. The phone's clock is moved, so that nobody waits for it."""
    handset = open_browser()
    phone = PhonePage(handset.tab())
    phone.page.clock.install()
    phone.add(owner.session)
    handset.may_be_unreachable = True
    handset.context.set_offline(True)
    expect(phone.page.get_by_text("Your codes work all the same")).to_be_visible()
    page = SignInPage(open_browser().tab()).open()
    page.next(owner.username)
    page.give_code(owner.password, phone.code())
    page.expect_signed_in()

    code, ring = phone.page.locator("#accounts [data-code]"), phone.page.locator("#accounts .ring .left")
    # To where the next code has just begun: of its ring as good as nothing is gone.
    before = code.text_content()
    to_next_code, hardly_begun = "30_000 - Date.now() % 30_000", re.compile(r"^1?\d(\.|$)")
    phone.page.clock.fast_forward(phone.page.evaluate(to_next_code))
    expect(code).not_to_have_text(before)
    expect(ring).to_have_attribute("stroke-dashoffset", hardly_begun)
    second = code.text_content()
    phone.page.clock.fast_forward(15_000)
    expect(ring).to_have_attribute("stroke-dashoffset", re.compile(r"^[5-8]\d"))
    expect(code).to_have_text(second)
    phone.page.clock.fast_forward(phone.page.evaluate(to_next_code))
    expect(code).not_to_have_text(second)
    expect(ring).to_have_attribute("stroke-dashoffset", hardly_begun)
    expect(code).to_have_text(re.compile(r"^\d{3} \d{3}$"))
