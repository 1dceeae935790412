"""The pictures of the README; `make pictures` takes them again."""

from playwright.sync_api import expect

from .pages import SignInPage, signed_in
from .phone_page import Owner, PhonePage
from .test_every_page import PICTURES, SETTLED

FOLDER = PICTURES / "readme"
WIDE, NARROW = {"width": 1120, "height": 780}, {"width": 390, "height": 780}


def take(page, name: str, size: dict) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size(size)
    page.evaluate(SETTLED)
    page.screenshot(path=FOLDER / f"{name}.png")


def test_the_pictures_of_the_readme(open_browser, demo, place_shown):
    phone_browser = open_browser()
    owner = Owner(demo, username="robin")
    phone = PhonePage(phone_browser.tab())
    phone.add(owner.session)
    phone.menu(owner.username)
    phone.set_up_phone_sign_in(owner.password)
    page = SignInPage(open_browser().tab()).open()
    number = page.next(owner.username)
    expect(phone.requests).to_have_count(1)
    take(page.page, "sign-in", WIDE)
    take(phone.page, "phone", NARROW)
    phone.answer(number)
    page.expect_signed_in()
    expect(page.page.locator("#devices li")).to_have_count(1)
    take(page.page, "security-info", WIDE)
    admin = signed_in(open_browser(), demo, "/policy")
    expect(admin.locator("#include li").first).to_be_visible()
    take(admin, "policy", WIDE)
