"""The whole journey of a person, of a phone holder and of an administrator, by keyboard alone."""

import re

from playwright.sync_api import expect

from .keyboard import Keyboard
from .pages import POLICY, SignInPage, signed_in, unique
from .phone_page import PhonePage


class Desk:
    """A browser window with the sign-in page, and hands."""

    def __init__(self, browser):
        self.start = SignInPage(browser.tab())
        self.page, self.keys = self.start.page, Keyboard(self.start.page)

    def begin(self, username: str) -> str:
        self.start.open("?prompt=login")
        expect(self.page.locator("#username")).to_be_focused()
        self.keys.type(username)
        self.keys.press("Enter")
        return self.start.number()

    def sign_in_by_password(self, owner) -> None:
        self.begin(owner.username)
        self.keys.walk()
        self.keys.use("Other ways to sign in")
        expect(self.page.get_by_role("heading", name="Choose a way to sign in")).to_be_focused()
        self.keys.walk()
        self.keys.use("Use my password")
        expect(self.page.locator("#password")).to_be_focused()
        self.keys.type(owner.password)
        self.keys.press("Enter")

    def link(self) -> str:
        """Opens the dialog that adds a phone, as far as its link."""
        expect(self.page.locator("#add")).to_be_enabled()
        self.keys.walk()
        self.keys.use("Add method")
        expect(self.page.get_by_role("radio", name="Authenticator app")).to_be_focused()
        self.keys.walk()
        self.keys.reach("Add")
        self.keys.use("Add")
        self.keys.use("Next")
        expect(self.page.locator("#qr")).to_be_visible()
        self.keys.use("Can’t scan the code?")
        self.keys.walk()
        return self.page.input_value("#activation-link")


class Handset:
    """The phone in a browser, and hands."""

    def __init__(self, browser):
        self.phone = PhonePage(browser.tab()).open()
        self.page, self.keys = self.phone.page, Keyboard(self.phone.page)

    def add(self, link: str) -> None:
        self.keys.walk()
        self.keys.use("Add account")
        self.keys.walk()
        self.keys.use("Paste the link")
        expect(self.page.locator("#link")).to_be_focused()
        self.keys.type(link)
        self.keys.press("Enter")
        self.phone.expect_screen("link")
        self.keys.walk()
        self.keys.use("Add", "Enter")
        self.phone.expect_screen("confirm")
        expect(self.page.locator("#confirm-number")).to_be_focused()

    def set_up_phone_sign_in(self, password: str) -> None:
        self.keys.use("Set up phone sign-in")
        self.keys.use("Continue")
        self.phone.expect_screen("secret")
        self.keys.type(password)
        self.keys.press("Enter")
        self.phone.expect_screen("set-up-number")
        self.keys.type(self.page.text_content("#set-up-shown"))
        self.keys.press("Enter")
        self.phone.expect_screen("register")
        self.keys.use("Register")
        self.phone.expect_screen("finish")
        self.keys.use("Finish")
        self.phone.expect_screen("home")

    def expect_request(self) -> None:
        """It takes the focus where nothing else needs it."""
        expect(self.phone.requests.last.locator("[data-number]")).to_be_focused()


def test_a_person_and_a_phone_by_keyboard_alone(open_browser, owner):
    desk, handset = Desk(open_browser()), Handset(open_browser())
    desk.sign_in_by_password(owner)
    desk.start.expect_signed_in()
    handset.add(desk.link())
    expect(desk.page.get_by_role("heading", name="Enter this number on your phone")).to_be_focused()
    handset.keys.type(desk.page.text_content("#add-number"))
    handset.keys.press("Enter")
    expect(handset.page.get_by_role("heading", name="Your account is added")).to_be_focused()
    expect(desk.page.get_by_role("heading", name="Your phone is ready")).to_be_focused()
    desk.keys.use("Done")
    expect(desk.page.locator("#add")).to_be_focused()
    handset.set_up_phone_sign_in(owner.password)

    number = desk.begin(owner.username)
    handset.expect_request()
    handset.keys.walk()
    handset.keys.reach("Number on the sign-in page")
    handset.keys.type(number)
    handset.keys.press("Enter")
    handset.phone.expect_outcome("Approved")
    expect(handset.page.locator("[data-outcome-title]")).to_be_focused()
    handset.keys.use("OK")
    handset.keys.walk()
    desk.start.expect_signed_in()

    desk.page.reload()
    expect(desk.page.locator("#devices li")).to_have_count(1)
    desk.keys.use("Use as default: Verification code")
    expect(desk.page.get_by_role("heading", name="Sign-in methods")).to_be_focused()
    desk.keys.reach("Remove ")
    desk.keys.press("Enter")
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    desk.keys.walk()
    desk.keys.press("Escape")
    expect(dialog).to_be_hidden()
    expect(desk.page.locator("#devices [data-remove]")).to_be_focused()

    code = handset.phone.code()
    desk.begin(owner.username)
    desk.keys.use("I can’t use my app right now")
    desk.keys.walk()
    desk.keys.use("My phone has no connection", "Space")
    expect(desk.page.locator("#code-password")).to_be_focused()
    desk.keys.walk()
    desk.keys.reach("Password")
    desk.keys.type(owner.password)
    desk.keys.press("Tab")
    desk.keys.type(code)
    desk.keys.press("Enter")
    desk.start.expect_signed_in()

    expect(desk.page.locator("#devices li")).to_have_count(1)
    desk.keys.use("Remove ")
    desk.keys.use("Remove device")
    expect(desk.page.get_by_role("heading", name="No phone yet")).to_be_visible()
    expect(desk.page.locator("#add")).to_be_focused()


def test_a_phone_refuses_by_keyboard_alone(open_browser, owner):
    """Decline, and report after a question."""
    handset = Handset(open_browser())
    handset.phone.add(owner.session)
    handset.phone.menu(owner.username)
    handset.phone.set_up_phone_sign_in(owner.password)
    desk = Desk(open_browser())
    desk.begin(owner.username)
    handset.expect_request()
    handset.keys.use("Decline")
    handset.phone.expect_outcome("Declined")
    desk.start.expect_outcome("The request was declined")
    expect(desk.page.locator("#outcome-title")).to_be_focused()
    desk.keys.walk()
    desk.keys.use("Try again")
    desk.start.number()
    handset.keys.reach("This was not me")
    handset.keys.press("Enter")
    dialog = handset.page.locator("#report-dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    handset.keys.walk()
    handset.keys.press("Escape")
    expect(handset.phone.requests.last.locator("[data-report]")).to_be_focused()
    handset.keys.press("Enter")
    handset.keys.press("Tab", "Enter")
    handset.phone.expect_outcome("Reported")
    desk.start.expect_outcome("The request was reported")


def test_the_policy_by_keyboard_alone(open_browser, demo, policy, administrator, someone):
    page = signed_in(open_browser(), demo, "/policy")
    keys = Keyboard(page)
    expect(page.locator("#include li").first).to_be_visible()
    keys.walk()
    keys.use("Add users and groups: Exclude")
    expect(page.locator("#picker-search")).to_be_focused()
    keys.type(someone.username)
    expect(page.locator("#picker-rows li")).to_have_count(1)
    keys.use(someone.username)
    expect(page.locator("#picker-search")).to_be_focused()
    keys.walk()
    keys.press("Escape")
    expect(page.locator("#add-exclude")).to_be_focused()
    keys.reach("Configure", "Shift+Tab")
    keys.press("Enter")
    keys.walk()
    keys.press("Escape")
    expect(page.locator("#include [data-configure]").first).to_be_focused()
    keys.use("Review and save")
    expect(page.locator("#save")).to_be_enabled()
    keys.walk()
    keys.use("Save")
    expect(page.locator(".toast").last).to_have_text("The policy is saved and in force")
    assert [target["id"] for target in administrator.get(POLICY)["excludeTargets"]] == [someone.user["id"]]


def test_the_people_by_keyboard_alone(open_browser, demo, someone):
    page = signed_in(open_browser(), demo, "/people")
    keys = Keyboard(page)
    expect(page.locator("#people a").first).to_be_visible()
    name = unique("Keys").lower().replace(" ", "")
    keys.reach("Add a person")
    keys.press("Enter")
    expect(page.locator("#new-username")).to_be_focused()
    keys.walk()
    keys.reach("User name")
    keys.press("Enter")
    expect(page.locator("#new-username")).to_be_focused()
    expect(page.locator("#new-username-error")).to_be_visible()
    keys.type(name)
    keys.press("Enter")
    page.wait_for_url(re.compile("/people/"))
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator("#rules li").first).to_be_visible()
    keys.walk()
    page.goto("/demo/admin/people")
    keys.reach("Search")
    keys.type(someone.username)
    expect(page.locator("#people a")).to_have_count(1)
    keys.use(someone.username)
    page.wait_for_url(re.compile("/people/"))
    keys.use("Block")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    keys.walk()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    keys.reach("Block")
