"""Administration by clicking: what an administrator sees and does, and what follows from it at once."""

import json
import re
import secrets

from client import Application, Person, Phone
from playwright.sync_api import Page, expect

from .pages import POLICY, SignInPage, only_challenge, other_number, signed_in, unique
from .test_every_page import look


def pick(page: Page, name: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search").fill(name)
    dialog.get_by_role("button", name=name).click()
    expect(dialog.locator("[data-taken]:visible")).to_have_text("Chosen")
    dialog.get_by_role("button", name="Done").click()


def save(page: Page, *sentences: str) -> None:
    """Reviews, reads what the change means, and saves."""
    page.get_by_role("button", name="Review and save").click()
    for sentence in sentences:
        expect(page.locator("#review-dialog")).to_contain_text(sentence)
    page.locator("#save").click()
    expect(page.locator("#review-dialog")).to_be_hidden()
    expect(page.locator("#save-bar")).to_be_hidden()
    expect(page.locator(".toast").last).to_have_text("The policy is saved and in force")


def rings(application, someone, **members) -> bool:
    """Whether a request that is made now reaches the person's phone."""
    request = application.begin(someone.username, **members).json()
    reaches = any(challenge["id"] == request["id"] for challenge in someone.phone.challenges())
    application.cancel(request)
    return reaches


# ---- who may

def test_an_administrator_signs_in_with_the_password_and_is_where_it_was_asked_for(browser, demo):
    page = browser.tab("/demo/admin/people?search=al")
    start = SignInPage(page)
    start.next(demo["admin"]["username"])
    start.give_password(demo["admin"]["password"])
    page.wait_for_url("**/demo/admin/people?search=al")
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    expect(page.locator("#search")).to_have_value("al")


def test_an_administrator_signs_in_by_number(browser, make_someone):
    someone = make_someone(roles=["administrator"])
    page = browser.tab("/demo/admin")
    number = SignInPage(page).next(someone.username)
    assert someone.phone.answer(only_challenge(someone.phone), number=number).status_code == 200
    page.wait_for_url("**/demo/admin")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_somebody_without_the_role_gets_a_page_that_says_so(browser, someone):
    reply = browser.context.request.post(
        "/v1/demo/session", data=json.dumps({"username": someone.username}), headers={"Content-Type": "application/json"})
    sign_in = reply.json()["signIn"]
    someone.phone.answer(only_challenge(someone.phone), number=sign_in["number"])
    browser.context.request.post(
        "/v1/demo/session/complete", data=json.dumps({"id": sign_in["id"], "secret": sign_in["secret"]}), headers={"Content-Type": "application/json"})
    page = browser.tab()
    assert page.goto("/demo/admin/audit").status == 403
    expect(page.get_by_role("heading", name="Only for administrators")).to_be_visible()
    look(page, "admin-refused")
    page.get_by_role("link", name="Sign in with another account").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.get_attribute("#sign-in", "data-return") == "/demo/admin/audit"


def test_an_ended_session_leads_to_sign_in_and_back_with_what_was_edited(browser, demo, admin, policy):
    page = admin("/policy")
    page.get_by_role("switch", name="Verification codes").uncheck()
    browser.context.clear_cookies()
    page.get_by_role("button", name="Review and save").click()
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    start = SignInPage(page)
    start.next(demo["admin"]["username"])
    start.give_password(demo["admin"]["password"])
    page.wait_for_url("**/demo/admin/policy")
    expect(page.get_by_text("Your unsaved changes are still here")).to_be_visible()
    expect(page.get_by_role("switch", name="Verification codes")).not_to_be_checked()
    expect(page.locator("#save-bar")).to_be_visible()


# ---- J1 and J2

def test_the_method_is_enabled_and_targeted_by_clicking(admin, policy, administrator, application, someone):
    group = unique("Staff")
    staff = administrator.call("POST", "/groups", json={"name": group}).json()
    page = admin("/policy")
    page.get_by_role("switch", name="Enable").uncheck()
    save(page, "disabled for everybody", "lose phone sign-in")
    assert not rings(application, someone)
    page.get_by_role("switch", name="Enable").check()
    save(page, "is enabled", "gain phone sign-in")
    assert rings(application, someone)

    page.get_by_text("Selected users and groups", exact=True).click()
    expect(page.get_by_text("Nobody is included")).to_be_visible()
    page.locator("#add-include").click()
    pick(page, group)
    save(page, f"{group} is included: Any.", "All users is no longer included")
    assert not rings(application, someone)
    administrator.call("POST", f"/groups/{staff['id']}/members", json={"add": [someone.user["id"]]})
    assert rings(application, someone), "in the group, the person is included"

    page.locator("#add-exclude").click()
    pick(page, someone.username)
    save(page, "is excluded", "1 person loses phone sign-in (1 with it set up)")
    assert not rings(application, someone), "exclude beats include"


def test_each_row_has_its_mode(admin, policy, application, someone):
    page = admin("/policy")
    page.locator("#add-include").click()
    pick(page, someone.username)
    row = page.locator("#include li").first
    for mode, passwordless, second in [("Push", False, True), ("Passwordless", True, False), ("Any", True, True)]:
        row.get_by_role("button", name="Configure").click()
        page.locator("#configure-modes").get_by_text(mode, exact=True).click()
        page.locator("#configure-done").click()
        expect(row.locator("[data-mode]")).to_have_text(mode)
        save(page, *(["After a password alone, 1 person with a phone then needs a code from the app as the second step: that step cannot be approved on the phone."] if mode == "Passwordless" else []))
        assert rings(application, someone) == passwordless, mode
        assert rings(application, someone, factor="secondFactor") == second, mode


def test_another_order_that_means_nothing_is_called_so(admin, policy, administrator, someone):
    group = administrator.call("POST", "/groups", json={"name": unique("Last")}).json()
    administrator.change(POLICY, {"excludeTargets": [{"targetType": "user", "id": someone.user["id"]}, {"targetType": "group", "id": group["id"]}]})
    page = admin("/policy")
    page.locator("#exclude li", has_text=someone.username).get_by_text("Remove", exact=True).click()
    page.locator("#add-exclude").click()
    pick(page, someone.username)
    save(page, "Only the order of the list changes", "Nobody gains or loses a way to sign in")


def test_the_letters_of_a_person_stay_on_their_tile_while_the_row_is_pointed_at(admin, policy, administrator, someone):
    administrator.change(POLICY, {"includeTargets": [
        {"targetType": "user", "id": someone.user["id"], "isRegistrationRequired": False, "authenticationMode": "any"}, *policy["includeTargets"]]})
    page = admin("/policy")
    tile = page.locator("#include li .glyph.letters").first
    colour = "element => getComputedStyle(element).backgroundColor"
    before = tile.evaluate(colour)
    page.locator("#include li").first.hover()
    assert tile.evaluate(colour) == before
    # A row that can be pressed is darker then, and its tile lighter.
    page.goto("/demo/admin/people")
    page.emulate_media(reduced_motion="reduce")
    row = page.locator("#people a.item").first
    row.hover()
    page.wait_for_timeout(100)
    assert row.evaluate(colour) != row.locator(".glyph").evaluate(colour)


def test_what_the_phone_shows_is_chosen_for_a_group(admin, policy, administrator, application, someone):
    group = unique("Visitors")
    administrator.call("POST", "/groups", json={"name": group}).json()
    page = admin("/policy")
    page.locator("#displayAppInformationRequiredState-state").select_option("disabled")
    page.get_by_role("button", name="Location: not shown to").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search").fill(group)
    dialog.get_by_role("button", name=group).click()
    save(page, "Application name: Disabled", f"not shown to {group}", "Nobody gains or loses a way to sign in")
    features = administrator.get(POLICY)["featureSettings"]
    assert features["displayAppInformationRequiredState"]["state"] == "disabled"
    assert features["displayLocationInformationRequiredState"]["excludeTarget"]["targetType"] == "group"
    page.reload()
    expect(page.locator('[data-feature="displayLocationInformationRequiredState"] [data-exclude]')).to_have_text(group)


def test_a_conflict_says_who_and_keeps_what_was_edited(admin, policy, administrator, someone):
    page = admin("/policy")
    page.locator("#add-exclude").click()
    pick(page, someone.username)
    administrator.change(POLICY, {"isSoftwareOathEnabled": False})
    page.get_by_role("button", name="Review and save").click()
    page.locator("#save").click()
    dialog = page.locator("#conflict-dialog")
    expect(dialog).to_contain_text("saved other changes today")
    expect(dialog).to_contain_text("First administrator")
    dialog.get_by_role("button", name="Reload and keep my changes").click()
    expect(page.get_by_role("switch", name="Verification codes")).not_to_be_checked()
    expect(page.locator("#exclude")).to_contain_text(someone.username)
    save(page)
    saved = administrator.get(POLICY)
    assert saved["isSoftwareOathEnabled"] is False
    assert saved["excludeTargets"] == [{"targetType": "user", "id": someone.user["id"]}]


def test_leaving_with_unsaved_changes_asks(admin):
    page = admin("/policy")
    page.get_by_role("switch", name="Enable").uncheck()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="People").click()
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"] and page.url.endswith("/policy")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("switch", name="Enable")).to_be_checked()
    page.get_by_role("link", name="People").click()
    page.wait_for_url("**/demo/admin/people")
    assert asked == ["beforeunload"]


# ---- people

def test_an_import_reports_each_bad_line_and_takes_the_others(admin):
    name = "i" + secrets.token_hex(5)
    page = admin("/people")
    page.get_by_role("button", name="Import").click()
    page.locator("#import-action").click()
    expect(page.get_by_text("Choose a file.")).to_be_visible()
    lines = ["username,displayName,groups", f"{name}1,First,Imported", ",Nobody,", f'{name}2,"broken" quote,', f"{name}3,Third,", f"{'x' * 300},Long,"]
    page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}])
    page.locator("#import-action").click()
    expect(page.get_by_role("heading", name="Report")).to_be_focused()
    expect(page.locator("#created")).to_have_text("2")
    expect(page.locator("#refused")).to_have_text("3")
    assert page.locator("#problem-rows th").all_text_contents() == ["3", "4", "6"]
    expect(page.locator("#problem-rows")).to_contain_text("The line is not CSV: a quotation mark is not closed, or text follows one.")
    page.locator("#report [data-close]").click()
    page.locator("#search").fill(name)
    expect(page.locator("#people li")).to_have_count(2)

    page.get_by_role("button", name="Import").click()
    page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(lines[:2]).encode()}])
    page.locator("#import-action").click()
    expect(page.locator("#unchanged")).to_have_text("1")
    expect(page.locator("#updated")).to_have_text("0")
    page.locator("#report [data-close]").click()

    page.get_by_role("button", name="Import").click()
    for content, fault, words in [
        (b"", "#file-error", "The file is empty."), (b"username;displayName\nx;y\n", "#file-error", "separated by semicolons or tabs"),
        (b"name,colour\nx,y\n", "#file-error", "First line: The columns may be username, displayName"),
        ("\ufeffusername\nx\n".encode("utf-16-le"), "#file-error", "The file is saved as UTF-16LE. Save it as UTF-8"),
    ]:
        page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": content}])
        page.locator("#import-action").click()
        expect(page.locator(fault)).to_contain_text(words)
    page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": b"username,displayName\n"}])
    page.locator("#import-action").click()
    expect(page.get_by_text("The file names nobody.")).to_be_visible()


def test_the_example_of_an_import_is_one(admin, administrator):
    page = admin("/people")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("What the file looks like").click()
    expect(page.locator("#import-form details")).to_contain_text("The only role is administrator.")
    name = "i" + secrets.token_hex(5)
    example = page.locator("#example").inner_text().replace("ada,", f"{name},")
    page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": example.encode()}])
    page.locator("#import-action").click()
    expect(page.locator("#created")).to_have_text("1")
    expect(page.locator("#refused")).to_have_text("0")
    [user] = administrator.get(f"/users?search={name}")["items"]
    assert (user["displayName"], user["roles"], len(user["groups"])) == ("Ada Lovelace", ["administrator"], 2)
    administrator.call("DELETE", f"/users/{user['id']}")


def test_an_import_reports_in_german_too(open_browser, demo):
    page = signed_in(open_browser(locale="de-DE"), demo, "/people")
    page.get_by_role("button", name="Importieren").click()
    lines = ["username,password,roles", ",,", "one,short,", "two,,king", "three,"]
    page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}])
    page.locator("#import-action").click()
    expect(page.locator("#refused")).to_have_text("4")
    assert page.locator("#problem-rows td").all_text_contents() == [
        "Ein Benutzername hat 1 bis 256 Zeichen und keine Steuerzeichen.", "Ein Passwort hat mindestens 8 Zeichen.",
        "Die einzige Rolle ist administrator.", "Die Zeile hat 2 Felder statt 3."]
    page.locator("#report [data-close]").click()

    page.get_by_role("button", name="Importieren").click()
    page.set_input_files("#file", files=[{"name": "people.csv", "mimeType": "text/csv", "buffer": b"displayName\nx\n"}])
    page.locator("#import-action").click()
    expect(page.locator("#file-error")).to_have_text("Erste Zeile: Die Spalte username fehlt.")


def test_a_name_that_is_taken_is_said_at_its_field(admin, someone):
    page = admin("/people")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("User name").fill(someone.username)
    page.locator("#add-action").click()
    expect(page.locator("#new-username-error")).to_have_text("That user name is taken already.")
    expect(page.get_by_label("User name")).to_be_focused()
    expect(page.locator("#add-failed")).to_be_hidden()


def test_a_password_that_is_too_short_is_said_at_its_field(admin, someone):
    page = admin("/people")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("User name").fill(unique("short"))
    page.fill("#new-password", "seven 7")
    page.locator("#add-action").click()
    expect(page.locator("#new-password-error")).to_have_text("A password has 8 characters or more.")
    expect(page.locator("#new-password")).to_be_focused()
    page = admin(f"/people/{someone.user['id']}")
    page.locator("#edit").click()
    page.fill("#edit-password", "🔑🔑🔑🔑")
    page.locator("#edit-action").click()
    expect(page.locator("#edit-password-error")).to_have_text("A password has 8 characters or more.")
    page.fill("#edit-password", "eight  8")
    page.locator("#edit-action").click()
    expect(page.locator(".toast")).to_have_text("Saved")


def test_a_large_directory_is_read_page_by_page(browser, admin, administrator):
    prefix = "z" + secrets.token_hex(3)
    lines = "\n".join(json.dumps({"username": f"{prefix}{number:05}", "displayName": f"Zed {number}"}) for number in range(1200))
    reply = administrator.call("POST", "/users:import", headers={"Content-Type": "application/x-ndjson"}, data=lines)
    assert reply.json()["created"] == 1200
    page = admin("/people")
    expect(page.locator("#people li a")).to_have_count(50)
    page.locator("#search").fill(prefix)
    expect(page.locator("#people li strong").first).to_have_text("Zed 0")
    for count in (100, 150):
        page.get_by_role("button", name="Show more").click()
        expect(page.locator("#people li")).to_have_count(count)
    focused = page.evaluate("document.activeElement.textContent")
    assert "Zed 100" in focused, "the first of the new rows has the focus"
    page.locator("#search").fill(f"{prefix}01199")
    expect(page.locator("#people li")).to_have_count(1)
    page.reload()
    expect(page.locator("#people li")).to_have_count(1)
    assert all("limit=50" in url for url in browser.requests if "/admin/users?" in url)


def test_blocking_ends_what_is_open_and_unblocking_lets_in_again(admin, application, someone):
    page = admin(f"/people/{someone.user['id']}")
    request = application.begin(someone.username).json()
    page.get_by_role("button", name="Block").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Block").click()
    expect(page.locator("#blocked")).to_be_visible()
    expect(page.locator("#devices [data-state]")).to_have_text("Not allowed now")
    assert application.status(request, wait=5)["status"] == "canceled"
    application.cancel(application.begin(someone.username).json())
    assert someone.phone.call("GET", "/challenges").status_code == 403
    page.get_by_role("link", name="Open the log").click()
    expect(page.locator("#entries li")).to_have_count(4)
    page.get_by_label("Reason").select_option("blocked")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#entries li")).to_have_count(2)
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Unblock").click()
    page.get_by_role("dialog").get_by_role("button", name="Unblock").click()
    expect(page.locator("#blocked")).to_be_hidden()
    expect(page.locator("#devices [data-state]")).to_have_text("Phone sign-in on")
    assert rings(application, someone)


def test_codes_are_unlocked_for_whoever_has_a_device(admin, administrator, someone):
    page = admin(f"/people/{someone.user['id']}")
    expect(page.locator("#account-title")).to_be_visible()
    expect(page.get_by_text("Too many wrong codes lock them.")).to_be_visible()
    page.get_by_role("button", name="Unlock", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Unlock").click()
    expect(page.locator(".toast").last).to_have_text("Verification codes are unlocked")
    page.get_by_role("button", name="Remove Test phone").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove device").click()
    expect(page.get_by_text("No phone is registered.")).to_be_visible()
    expect(page.get_by_role("button", name="Unlock", exact=True)).to_be_hidden()


def test_the_policy_is_explained_for_one_person(admin, policy, administrator, someone):
    group = unique("Explained")
    identity = administrator.call("POST", "/groups", json={"name": group}).json()["id"]
    page = admin(f"/people/{someone.user['id']}")
    page.get_by_role("button", name="Add to groups").click()
    pick(page, group)
    expect(page.locator("#groups")).to_contain_text(group)
    administrator.change(POLICY, {"includeTargets": [
        {"targetType": "group", "id": identity, "isRegistrationRequired": False, "authenticationMode": "push"}, *policy["includeTargets"]]})
    page.reload()
    expect(page.locator("#explain-facts")).to_contain_text("Push")
    expect(page.locator("#devices [data-state]")).to_have_text("Phone sign-in not allowed now")
    expect(page.locator("#explain-facts")).to_contain_text(group)
    expect(page.locator("#rules li")).to_have_text([
        "Enable: yes", "Exclude: does not apply", "Include, as a user: does not apply", f"Include, as a member of a group: decides ({group})"])
    administrator.change(POLICY, {"excludeTargets": [{"targetType": "group", "id": identity}]})
    page.reload()
    expect(page.locator("#explain-facts")).to_contain_text("After the password only")
    administrator.change(POLICY, {"state": "disabled"})
    page.reload()
    expect(page.locator("#explain-facts")).to_contain_text("Enable: no")


def test_the_administrators_role_is_given_and_taken(admin, someone):
    page = admin(f"/people/{someone.user['id']}")
    for is_given in (True, False):
        page.locator("#edit").click()
        page.get_by_label("Administrator of Demo").set_checked(is_given)
        page.locator("#edit-action").click()
        expect(page.locator("#edit-dialog")).to_be_hidden()
        expect(page.locator("#administrator")).to_be_visible(visible=is_given)


def test_a_group_is_made_filled_and_deleted_by_keyboard_alone(admin, someone):
    page = admin("/groups")
    name = unique("Keys")
    press = page.keyboard.press

    def reach(words: str) -> None:
        for _ in range(40):
            if words in page.evaluate("document.activeElement.matches('button,a') ? document.activeElement.ariaLabel || document.activeElement.textContent : ''"):
                return
            press("Tab")
        raise AssertionError(f"the keyboard does not reach {words}")

    reach("Add a group")
    press("Enter")
    page.keyboard.type(name)
    press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator("#add")).to_be_enabled()
    reach("Add people")
    press("Enter")
    page.keyboard.type(someone.username)
    expect(page.locator("#picker-rows li")).to_have_count(1)
    reach(someone.username)
    press("Enter")
    expect(page.locator("#picker-rows [data-taken]")).to_be_visible()
    expect(page.locator("#picker-search")).to_be_focused()
    press("Escape")
    expect(page.locator("#members li")).to_have_count(1)
    expect(page.locator("#add")).to_be_focused()
    press("Shift+Tab")
    reach("Delete")
    press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    press("Tab")
    press("Enter")
    page.wait_for_url("**/demo/admin/groups")


# ---- applications, settings

def test_an_application_has_its_secret_shown_once(admin, demo, someone):
    name = unique("Payroll")
    page = admin("/applications")
    page.get_by_role("button", name="Add an application").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Further names").fill("Wages\nBonus")
    page.locator("#add-action").click()
    expect(page.locator("#secret-value")).to_have_text(re.compile(r"^\S{32,}$"))
    secret = page.locator("#secret-value").text_content()
    identity = page.locator("#secret-facts").text_content().split(": ")[1]
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#secret-value")).to_have_text("")
    assert secret not in page.content()
    application = Application({**demo, "client": {"id": identity, "secret": secret}})
    request = application.begin(someone.username, application="Wages")
    assert request.status_code == 201, request.text
    application.cancel(request.json())
    expect(page.locator("#applications")).to_contain_text("Also shows: Wages, Bonus")
    page.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text(f"{name} is deleted")).to_be_visible()
    assert application.begin(someone.username).status_code == 401


def test_settings_name_the_field_that_is_wrong_and_take_effect(admin, settings, application, someone, administrator):
    settings(numberDigits=2, silenceMinutes=30)
    page = admin("/settings")
    page.get_by_label("Length of the number").fill("9")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#numberDigits-error")).to_have_text("Enter a whole number from 2 to 6.")
    expect(page.get_by_label("Length of the number")).to_be_focused()
    page.get_by_label("Length of the number").fill("4")
    page.get_by_label("App on iOS").fill("one")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#minimum-ios-app-error")).to_contain_text("numbers with dots between")
    page.get_by_label("App on iOS").fill("")
    administrator.change("/settings", {"silenceMinutes": 31})
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#failed")).to_contain_text("Somebody else has saved settings meanwhile")
    expect(page.get_by_label("Then silent for")).to_have_value("31")
    expect(page.get_by_label("Length of the number")).to_have_value("4")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved and in force")).to_be_visible()
    request = application.begin(someone.username).json()
    assert len(request["number"]) == 4
    application.cancel(request)


def test_settings_say_that_numbers_are_longer_after_a_report(admin, settings, application, someone):
    settings(numberDigits=2)
    page = admin("/settings")
    expect(page.locator("#numberDigits-hint")).to_contain_text("At least 3 for 24 hours once a person has reported")
    request = application.begin(someone.username).json()
    assert len(request["number"]) == 2
    someone.phone.answer(only_challenge(someone.phone), "report")
    request = application.begin(someone.username).json()
    assert len(request["number"]) == 3
    application.cancel(request)


# ---- the log of sign-ins

def test_the_sign_in_log_is_filtered_and_shows_everything_of_one(admin, application, someone):
    for decision in ("approve", "decline"):
        request = application.begin(someone.username, application="Payroll", context={"ipAddress": "203.0.113.9"}).json()
        someone.phone.answer(only_challenge(someone.phone), decision, number=request["number"] if decision == "approve" else None)
    page = admin("/sign-ins")
    page.get_by_label("User name").fill(someone.username.upper())
    page.get_by_label("Outcome").select_option("denied")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#entries li")).to_have_count(1)
    expect(page.locator("#entries li")).to_contain_text("Declined on the phone")
    assert "status=denied" in page.url
    page.reload()
    expect(page.locator("#entries li")).to_have_count(1)
    page.locator("#entries li button").click()
    dialog = page.get_by_role("dialog")
    for words in ("Declined on the phone", "Payroll", "203.0.113.9", "Test phone", "Request id"):
        expect(dialog).to_contain_text(words)
    dialog.get_by_role("link", name=someone.username).click()
    page.wait_for_url(f"**/people/{someone.user['id']}")
    page.go_back()
    page.get_by_label("From").fill("2020-01-01T00:00")
    page.get_by_label("To").fill("2020-01-02T00:00")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#entries [data-none]")).to_have_text("No sign-in fits these filters.")
    page.go_back()
    expect(page.locator("#entries li")).to_have_count(1)


def test_on_a_phone_the_filters_are_folded_away_until_they_are_asked_for_or_set(admin):
    page = admin("/sign-ins")
    form = page.get_by_label("Outcome")
    expect(form).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(form).to_be_hidden()
    page.locator("summary", has_text="Filters").click()
    form.select_option("denied")
    page.get_by_role("button", name="Apply").click()
    page.go_back()
    expect(form).to_be_hidden()
    page.go_forward()
    expect(form).to_be_visible()
    page.reload()
    expect(form).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(form).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(form).to_be_visible()


def test_the_log_says_where_sessions_are_that_asked_no_phone(admin, demo):
    page = admin("/sign-ins")
    expect(page.locator("main")).to_contain_text("a password or a Temporary Access Pass opened alone")
    page.get_by_role("link", name="Show opened sessions").click()
    page.wait_for_url("**/demo/admin/audit?action=session")
    expect(page.get_by_label("What")).to_have_value("session")
    # The administrator has come in by the password.
    expect(page.locator("#entries li").first).to_contain_text(f"Session opened: {demo['admin']['username']}\u00a0· password")


def test_the_log_names_what_was_asked_though_it_was_not_done(admin, administrator, demo):
    username = unique("wrong").replace(" ", "")
    administrator.create_user(username, "right password")
    person, phone = Person(demo["base"], demo["tenant"]), Phone()
    person.sign_in(username, password="right password")
    activation = person.new_activation()
    phone.activate(activation["activationUri"])
    number = person.activation(activation["id"], wait=10)["number"]
    phone.answer(phone.challenges()[0], number=other_number(number))
    page = admin(f"/sign-ins?user={username}")
    row = page.locator("#entries li")
    expect(row).to_contain_text("Wrong number")
    expect(row).to_contain_text("Adding a phone")
    row.locator("button").click()
    expect(page.locator("#entry-facts div", has_text="Purpose")).to_contain_text("Adding a phone")
