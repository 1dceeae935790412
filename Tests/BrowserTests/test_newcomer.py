"""What an administrator does by clicking only, and how a newcomer follows from it: two windows and a phone, every step in a real page."""

import re
import secrets

from playwright.sync_api import Page, expect

from .pages import SignInPage, unique
from .phone_page import PhonePage
from .test_admin import pick, save
from .test_security_info import begin_to_add


class Office:
    """The administrator's window, and a hand that only follows links and presses buttons."""

    def __init__(self, page: Page, demo: dict):
        self.page = page
        start = SignInPage(page)
        start.next(demo["admin"]["username"])
        start.give_password(demo["admin"]["password"])
        page.wait_for_url("**/demo/admin")

    def turn_to(self, place: str) -> None:
        self.page.get_by_role("navigation").get_by_role("link", name=place).click()
        expect(self.page.get_by_role("heading", name=place, exact=True, level=1)).to_be_visible()

    def add(self, button: str, label: str, name: str) -> None:
        """A person or a group, whose own page then opens."""
        self.page.get_by_role("button", name=button).click()
        self.page.get_by_label(label, exact=True).fill(name)
        self.page.locator("#add-action").click()
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    def issue_pass(self, username: str) -> str:
        self.turn_to("People")
        self.page.locator("#search").fill(username)
        self.page.get_by_role("link", name=username).click()
        self.page.get_by_role("button", name="Issue a pass").click()
        self.page.get_by_role("button", name="Issue", exact=True).click()
        shown = self.page.locator("#secret-value")
        expect(shown).to_have_text(re.compile(r"^\S{8,}$"))
        access_pass = shown.text_content()
        self.page.get_by_role("button", name="Done").click()
        return access_pass


def test_a_newcomer_of_a_group_that_is_targeted_signs_in_by_number(open_browser, demo, policy):
    """J1, J2 and J11, then J3, J4 and J6."""
    username, group = "n" + secrets.token_hex(6), unique("Newcomers")
    office = Office(open_browser().tab("/demo/admin"), demo)
    office.turn_to("People")
    office.add("Add a person", "User name", username)
    office.turn_to("Groups")
    office.add("Add a group", "Name", group)
    office.page.get_by_role("button", name="Add people").click()
    pick(office.page, username)
    expect(office.page.locator("#members")).to_contain_text(username)
    office.turn_to("Authenticator")
    office.page.get_by_text("Selected users and groups", exact=True).click()
    office.page.locator("#add-include").click()
    pick(office.page, group)
    row = office.page.locator("#include li", has_text=group)
    row.get_by_role("button", name="Configure").click()
    office.page.locator("#configure-modes").get_by_text("Passwordless", exact=True).click()
    office.page.locator("#configure-done").click()
    save(office.page, f"{group} is included: Passwordless.", "All users is no longer included")
    access_pass = office.issue_pass(username)

    start = SignInPage(open_browser().tab()).open()
    window = start.page
    start.next(username)
    window.get_by_role("button", name="I can’t use my app right now").click()
    window.get_by_role("button", name="My phone is lost, broken or new").click()
    window.fill("#pass", access_pass)
    window.get_by_role("button", name="Sign in", exact=True).click()
    start.expect_signed_in()
    link = begin_to_add(window)
    phone = PhonePage(open_browser().tab()).open()
    phone.paste(link)
    phone.accept_link()
    expect(window.get_by_role("heading", name="Enter this number on your phone")).to_be_visible()
    phone.confirm(window.text_content("#add-number"))
    expect(window.get_by_role("heading", name="Your phone is ready")).to_be_visible()
    window.get_by_role("button", name="Done").click()
    phone.press("Set up phone sign-in")
    phone.press("Continue")
    # The pass that opened the session a moment ago is proof enough: nothing is asked for again.
    phone.finish_set_up()

    window.get_by_role("button", name="Sign out").click()
    expect(window.get_by_text("You have signed out.")).to_be_visible()
    number = start.next(username)
    phone.answer(number)
    phone.expect_outcome("Approved")
    start.expect_signed_in()
    expect(window.locator("#devices")).to_contain_text("Phone sign-in on")
