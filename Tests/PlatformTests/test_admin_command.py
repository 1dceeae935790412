"""The operator's tool against a running system: each change is seen where it matters, at the next sign-in."""

import json
import secrets

import pyotp
import pytest
import requests

from client import Application, Person
from conftest import Someone
from stack import Stack

from .test_commands import Tenant, call, lines, refused, run


@pytest.fixture
def tenant(stack, tmp_path):
    return Tenant(stack, tmp_path)


def person_of(tenant, **options):
    return Someone(tenant.demo, **options)


def reaches(tenant, someone, factor="passwordless"):
    """Whether a request of this kind is shown on the person's phone."""
    application = Application(tenant.demo)
    request = application.begin(someone.username, factor=factor).json()
    reached = any(item["id"] == request["id"] for item in someone.phone.challenges())
    application.cancel(request)
    return reached


def soon(condition, what):
    """What is changed rules in every process within a second."""
    Stack.wait_for(condition, 5, what)


def password_works(tenant, username, password):
    return Person(tenant.demo["base"], tenant.name).sign_in(username, password=password).status_code == 200


def test_a_tenant_is_made_once_and_its_token_is_shown_once(tenant, tmp_path):
    repeated = ("countersign-admin", "tenant", "create", tenant.name, "--name", "Another", *tenant.operator)
    assert lines(run(*repeated, "--json")) == [{"id": tenant.name, "name": "Own", "adminToken": None}], "a repeat finds it as it is"
    assert "(shown once, when it was made)" in run(*repeated) and tenant.admin("users", "list") == ""
    shown = lines(run("countersign-admin", "tenant", "list", *tenant.operator, "--json"))
    assert {"id": tenant.name, "name": "Own"} in shown
    assert refused(65, "countersign-admin", "tenant", "create", "No Name", *tenant.operator) == "a tenant's id has 1 to 63 of a-z, 0-9 and -"

    renewed = lines(run("countersign-admin", "tenant", "renew-token", tenant.name, *tenant.operator, "--json"))[0]["adminToken"]
    code, sentence = tenant.refused(77, "users", "list")
    assert code == "not_authenticated" and tenant.made["adminToken"] not in sentence
    tenant.demo["admin"]["token"] = renewed
    tenant.write()
    assert tenant.admin("users", "list") == ""

    administrators = tmp_path / "administrator.token"
    administrators.write_text(renewed)
    administrators.chmod(0o600)
    sentence = refused(77, "countersign-admin", "tenant", "list", "--gateway", tenant.demo["base"], "--operator-token-file", administrators)
    assert sentence.endswith("(not_authenticated)") and renewed not in sentence, "an administrator is no operator"
    away = ("countersign-admin", "tenant", "list", "--gateway", "http://127.0.0.1:1", "--operator-token-file", administrators)
    assert refused(69, *away) == "http://127.0.0.1:1 cannot be reached"


def test_groups_are_made_filled_emptied_renamed_and_removed(tenant):
    ids = {name: tenant.json("users", "create", name)[0]["id"] for name in ("ann", "ben", "cara")}
    made = tenant.json("groups", "create", "Finance")[0]
    assert made["name"] == "Finance" and made["memberCount"] == 0
    members = lambda group: sorted(item["username"] for item in tenant.json("groups", "members", group))  # noqa: E731

    assert tenant.admin("groups", "add", "Finance", "ann", ids["ben"]) == "Changed.\n"
    assert members("Finance") == members(made["id"]) == ["ann", "ben"]
    assert tenant.json("groups", "list") == [{**made, "memberCount": 2}]
    assert tenant.json("users", "show", "ann")[0]["groups"] == [made["id"]]
    assert tenant.admin("groups", "list").split("\n")[1].split() == ["Finance", "2", made["id"]]

    assert tenant.refused(66, "groups", "add", "Finance", "cara", "nobody") == ("not_found", "there is no user nobody")
    assert members("Finance") == ["ann", "ben"], "all or nobody"
    assert tenant.admin("groups", "remove", "Finance", "ann") == "Changed.\n" and members("Finance") == ["ben"]
    assert tenant.refused(65, "groups", "create", "Finance")[0] == "already_exists"
    assert tenant.refused(66, "groups", "members", "Nowhere") == ("not_found", "there is no group Nowhere")

    assert tenant.json("groups", "rename", "Finance", "Money")[0] == {**made, "name": "Money", "memberCount": 1}
    assert tenant.refused(66, "groups", "members", "Finance")[0] == "not_found" and members("Money") == ["ben"]
    assert tenant.json("users", "create", "dan", "--group", "Money")[0]["groups"] == [made["id"]]
    assert tenant.admin("groups", "delete", "Money") == "Removed.\n"
    assert tenant.admin("groups", "list") == "" and len(tenant.json("users", "list")) == 4, "its members stay"


def test_settings_are_read_changed_and_refused_out_of_range(tenant):
    number = lambda: Application(tenant.demo).begin("anybody").json()["number"]  # noqa: E731
    before = tenant.json("settings", "show")[0]
    assert before["numberDigits"] == 2 and len(number()) == 2
    changed = tenant.json("settings", "set", "numberDigits=4", "offlineCodeAlone=true", "profile=standard")[0]
    assert changed == {**before, "numberDigits": 4, "offlineCodeAlone": True} == tenant.json("settings", "show")[0]
    soon(lambda: len(number()) == 4, "the number to have four digits")
    assert json.loads(tenant.admin("settings", "show")) == changed, "also without --json"

    for error, sentence, assignments in (
        ("out_of_range", "numberDigits must be a whole number from 2 to 6 (out_of_range)", ["numberDigits=7"]),
        ("out_of_range", "requestLifetimeSeconds must be a whole number from 30 to 300 (out_of_range)", ["requestLifetimeSeconds=29"]),
        ("out_of_range", "numberDigits must be a whole number from 2 to 6 (out_of_range)", ["silenceMinutes=9", "numberDigits=1"]),
        ("invalid_value", "offlineCodePeriodSeconds must be: 30 or 60 (invalid_value)", ["offlineCodePeriodSeconds=45"]),
        ("invalid_value", "offlineCodeAlgorithm must be: SHA1, SHA256, SHA512 (invalid_value)", ["offlineCodeAlgorithm=MD5"]),
        ("unknown_member", "unknown member: numberOfDigits (unknown_member)", ["numberOfDigits=3"]),
        ("bad_data", "numberDigits is not key=value", ["numberDigits"]),
        ("bad_data", "numberDigits is given twice", ["numberDigits=3", "numberDigits=5"]),
    ):
        assert tenant.refused(65, "settings", "set", *assignments) == (error, sentence)
    assert tenant.json("settings", "show")[0] == changed, "what was refused changed nothing"
    assert tenant.json("settings", "set", "numberDigits=null", "offlineCodeAlone=false")[0] == before
    soon(lambda: len(number()) == 2, "the number to have two digits")


def test_an_applications_secret_is_shown_once_and_good_until_it_is_deleted(tenant, tmp_path):
    def status(client, **members):
        return Application({**tenant.demo, "client": client}).begin("anybody", **members).status_code

    made = tenant.json("clients", "create", "Payroll", "--application", "Holidays")[0]
    plain = dict(line.split(None, 1) for line in tenant.admin("clients", "create", "Wiki").splitlines())
    assert plain["name"] == "Wiki" and status(plain) == status(made) == 201
    assert [status(made, application=name) for name in ("Payroll", "Holidays", "Wiki")] == [201, 201, 422]
    assert status({**made, "secret": plain["secret"]}) == 401
    assert status(tenant.demo["client"], application="Anything") == 201, "--any-application"

    listed = tenant.json("clients", "list")
    assert {(item["name"], item["id"]) for item in listed} == {
        ("Own application", tenant.demo["client"]["id"]), ("Payroll", made["id"]), ("Wiki", plain["id"])}
    logged = tenant.admin("audit", "--json")
    assert "client.create" in logged
    for shown in (json.dumps(listed), tenant.admin("clients", "list"), logged, tenant.admin("audit")):
        assert made["secret"] not in shown and plain["secret"] not in shown

    secret = tmp_path / "secret"
    secret.write_text(plain["secret"])
    arguments = ("try", "sign-in", "anybody", "--client", plain["id"], "--client-secret-file", secret)
    secret.chmod(0o644)
    assert plain["secret"] not in tenant.refused(66, *arguments)[1]
    secret.chmod(0o600)
    assert tenant.admin("clients", "delete", plain["id"]) == "Removed.\n"
    soon(lambda: status(plain) == 401, "the application to be refused")
    assert tenant.refused(77, *arguments)[0] == "not_authenticated"
    place = ("--gateway", tenant.demo["base"], "--tenant", tenant.name)
    # The application's credentials are what decides: an administrator's token is not asked for.
    assert refused(77, "countersign-admin", *arguments, *place).endswith("(not_authenticated)")
    assert refused(64, "countersign-admin", "try", "add-phone", "anybody", *place).startswith("--token-file, COUNTERSIGN_TOKEN")
    assert status(made) == 201 and plain["id"] not in tenant.admin("clients", "list")
    assert tenant.refused(66, "clients", "delete", plain["id"])[0] == "not_found"
    assert tenant.refused(65, "clients", "create", "Odd", "--role", "emperor")[0] == "invalid_value"


def test_an_application_administers_only_with_that_role(tenant):
    for roles, status in (((), 77), (("--role", "admin"), 0)):
        made = tenant.json("clients", "create", f"Script {status}", *roles)[0]
        reply = requests.post(
            f"{tenant.demo['base']}/v1/{tenant.name}/token", data={"grant_type": "client_credentials"}, auth=(made["id"], made["secret"]), timeout=20)
        token = reply.json()["access_token"]
        run("countersign-admin", "groups", "list", "--gateway", tenant.demo["base"], "--tenant", tenant.name, expect=status, COUNTERSIGN_TOKEN=token)


def test_a_blocked_person_is_kept_out_until_unblocked(tenant):
    someone = person_of(tenant)
    application = Application(tenant.demo)
    waiting = application.begin(someone.username).json()
    assert tenant.admin("users", "block", someone.username.upper()) == "Blocked.\n"
    assert application.status(waiting, wait=5)["status"] == "canceled"
    assert someone.browser.call("GET", "/me").status_code == 401, "the session is over"
    assert not password_works(tenant, someone.username, someone.password)
    blocked = application.begin(someone.username).json()
    assert someone.phone.call("GET", "/challenges").status_code == 403, "the phone hears of nothing"
    assert tenant.json("users", "show", someone.username)[0]["blocked"] is True and "blocked" in tenant.admin("users", "list")
    entry = tenant.json("sign-ins", "--user", someone.username, "--limit", 1)[0]
    assert (entry["id"], entry["reason"]) == (blocked["id"], "blocked")

    assert tenant.admin("users", "unblock", someone.user["id"]) == "Unblocked.\n"
    request = application.begin(someone.username).json()
    assert someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"]).json()["status"] == "approved"
    assert application.redeem(request).status_code == 200
    assert "blocked" not in tenant.admin("users", "list")
    assert tenant.refused(66, "users", "block", "nobody") == ("not_found", "there is no user nobody")


def test_a_change_of_policy_decides_the_next_sign_in(tenant):
    someone = person_of(tenant)
    tenant.admin("groups", "create", "Finance")
    tenant.admin("groups", "add", "Finance", someone.username)
    explained = lambda: tenant.json("policy", "explain", someone.username)[0]["mode"]  # noqa: E731

    def becomes(mode, *factors):
        reached = lambda: [factor for factor in ("passwordless", "secondFactor") if reaches(tenant, someone, factor)] == list(factors)  # noqa: E731
        soon(reached, f"{mode} to reach {factors}")
        assert explained() == mode

    becomes("any", "passwordless", "secondFactor")
    tenant.admin("policy", "mode", "group:Finance", "push")
    becomes("push", "secondFactor")
    tenant.admin("policy", "mode", f"user:{someone.username}", "deviceBasedPush")
    becomes("deviceBasedPush", "passwordless")
    tenant.admin("policy", "mode", f"user:{someone.username}", "unset")
    becomes("push", "secondFactor")
    tenant.admin("policy", "mode", "group:Finance", "excluded")
    becomes(None)
    assert f"group {tenant.json('groups', 'list')[0]['id']}" in tenant.admin("policy", "explain", someone.username)
    tenant.admin("policy", "mode", "group:Finance", "unset")
    becomes("any", "passwordless", "secondFactor")


def test_the_method_is_turned_off_and_on_and_the_policy_patched_from_a_file(tenant, tmp_path):
    someone = person_of(tenant)
    assert tenant.json("policy", "disable")[0]["state"] == "disabled"
    soon(lambda: not reaches(tenant, someone), "the method to be off")
    assert tenant.json("policy", "enable")[0]["state"] == "enabled"
    soon(lambda: reaches(tenant, someone), "the method to be on")

    before = tenant.json("policy", "show")[0]
    patch = tmp_path / "patch.json"
    patch.write_text('{"isSoftwareOathEnabled": false}')
    assert tenant.json("policy", "patch", patch)[0] == {**before, "isSoftwareOathEnabled": False}
    assert tenant.json("policy", "explain", someone.username)[0]["features"]["offlineCodes"] is False
    assert tenant.json("policy", "patch", "-", input='{"isSoftwareOathEnabled": true}')[0] == before

    for status, error, text in (
        (65, "bad_data", '{"state": '), (65, "unknown_member", '{"stat": "enabled"}'), (65, "invalid_value", '{"state": "perhaps"}'),
        (65, "unknown_target", '{"excludeTargets": [{"targetType": "user", "id": "nobody"}]}'),
    ):
        patch.write_text(text)
        assert tenant.refused(status, "policy", "patch", patch)[0] == error
    assert tenant.refused(66, "policy", "patch", tmp_path / "none.json")[1].endswith("none.json: no such file")
    assert tenant.refused(66, "policy", "mode", "group:Nowhere", "push") == ("not_found", "there is no group Nowhere")
    assert tenant.refused(65, "policy", "mode", "everybody", "push") == ("bad_data", "a target is all_users, group:NAME or user:NAME")
    tenant.admin("policy", "mode", "all_users", "never", expect=64)
    assert tenant.json("policy", "show")[0] == before, "what was refused changed nothing"


def test_people_are_imported_from_csv_and_each_bad_line_is_named(tenant, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(
        'username,displayName,password,groups\nann,"Ann, A.",first password,Staff\n,Nameless,third password,\nben,Ben,second password,Staff;Night\n'
        "cara,Cara\n", newline="")
    done = call("countersign-admin", "users", "import", file, "--demo", tenant.file)
    assert done.returncode == 1 and dict(line.split() for line in done.stdout.splitlines()) == {
        "created": "2", "updated": "0", "unchanged": "0"}
    bad = done.stderr.splitlines()
    assert [line.split(":")[1] for line in bad] == [" line 3", " line 5"] and bad[1].endswith("the line has 2 fields, not 4 (malformed)")
    assert "password" not in done.stdout + done.stderr
    assert {item["username"]: item["displayName"] for item in tenant.json("users", "list")} == {"ann": "Ann, A.", "ben": "Ben"}
    groups = {name: sorted(item["username"] for item in tenant.json("groups", "members", name)) for name in ("Staff", "Night")}
    assert groups == {"Staff": ["ann", "ben"], "Night": ["ben"]}
    assert password_works(tenant, "ann", "first password") and not password_works(tenant, "ann", "second password")

    file.write_text("username,displayName\nANN,Ann of Accounts\ndan,Dan\n")
    assert tenant.json("users", "import", file) == [{"created": 1, "updated": 1, "unchanged": 0, "problemCount": 0, "problems": []}]
    assert tenant.json("users", "import", file) == [{"created": 0, "updated": 0, "unchanged": 2, "problemCount": 0, "problems": []}]
    assert tenant.json("users", "show", "ann")[0]["displayName"] == "Ann of Accounts"
    assert password_works(tenant, "ann", "first password"), "what is not named stays"
    objects = tmp_path / "people.ndjson"
    objects.write_text('{"username": "eve", "password": "fourth password"}\n{"username": "fay", "shoeSize": 38}\n')
    report = tenant.json("users", "import", objects, expect=1)[0]
    assert (report["created"], [(item["line"], item["code"]) for item in report["problems"]]) == (1, [(2, "unknown_member")])
    assert password_works(tenant, "eve", "fourth password")

    count = len(tenant.json("users", "list"))
    file.write_text("username,shoeSize\ngil,38\n")
    assert tenant.refused(65, "users", "import", file)[0] == "malformed"
    assert tenant.refused(66, "users", "import", tmp_path / "none.csv")[1].endswith("none.csv: no such file")
    assert len(tenant.json("users", "list")) == count


def test_a_person_is_changed_and_removed_and_no_password_is_on_the_command_line(tenant, tmp_path):
    file = tmp_path / "password"
    file.write_text("from a file\n")
    file.chmod(0o600)
    made = tenant.json("users", "create", "ann", "--password-file", file)[0]
    assert password_works(tenant, "ann", "from a file")
    changed = tenant.json("users", "update", "ann", "--display-name", "Ann", "--role", "administrator", "--password-file", "-", input="typed in\n")[0]
    assert changed == {**made, "displayName": "Ann", "roles": ["administrator"]}
    assert password_works(tenant, "ann", "typed in") and not password_works(tenant, "ann", "from a file")
    assert tenant.json("users", "update", "ann", "--no-roles", "--no-password")[0] == {**made, "displayName": "Ann"}
    assert not password_works(tenant, "ann", "typed in")
    file.chmod(0o644)
    assert "from a file" not in tenant.refused(66, "users", "update", "ann", "--password-file", file)[1]
    assert tenant.refused(65, "users", "create", "ANN")[0] == "already_exists"
    assert tenant.refused(65, "users", "create", "a b\tc")[0] in ("invalid_username", "invalid_value")
    tenant.admin("users", "create", "ben", "--password", "shown to everybody", expect=64)

    someone = person_of(tenant)
    device = tenant.json("users", "devices", someone.username)[0]
    assert device["id"] == someone.phone.id
    assert tenant.refused(66, "users", "remove-device", someone.username, "none")[0] == "not_found"
    assert tenant.admin("users", "remove-device", someone.username, device["id"]) == "Removed.\n"
    assert someone.phone.call("GET", "/challenges").status_code == 401 and tenant.admin("users", "devices", someone.username) == ""
    assert tenant.admin("users", "delete", someone.username) == "Removed.\n"
    assert not password_works(tenant, someone.username, someone.password)
    assert tenant.refused(66, "users", "show", someone.username)[0] == "not_found"


def test_a_pass_opens_one_session_or_several_and_is_in_no_log(tenant):
    tenant.admin("users", "create", "ann")
    opens = lambda text: Person(tenant.demo["base"], tenant.name).sign_in("ann", temporaryAccessPass=text).status_code  # noqa: E731
    once = tenant.json("pass", "issue", "ann", "--lifetime", 30)[0]
    assert once["usableOnce"] is True and [opens(once["temporaryAccessPass"]) for _ in range(2)] == [200, 401]
    again = tenant.json("pass", "issue", "ann", "--reusable")[0]
    assert again["usableOnce"] is False and [opens(again["temporaryAccessPass"]) for _ in range(2)] == [200, 200]
    assert tenant.admin("pass", "withdraw", "ann") == "Withdrawn.\n"
    assert opens(again["temporaryAccessPass"]) == 401
    assert tenant.refused(65, "pass", "issue", "ann", "--lifetime", 9)[0] == "out_of_range"
    for shown in (tenant.admin("audit", "--json"), tenant.admin("sign-ins", "--json"), tenant.admin("users", "show", "ann", "--json")):
        assert once["temporaryAccessPass"] not in shown and again["temporaryAccessPass"] not in shown


def test_codes_that_were_locked_are_unlocked(tenant):
    tenant.admin("settings", "set", "wrongCodesBeforeDelay=7", "wrongCodesBeforeLock=5")
    someone = person_of(tenant, phone_sign_in=False)
    codes = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"])
    application = Application(tenant.demo)

    def code(text):
        request = application.begin(someone.username, factor="secondFactor").json()
        status = application.code(request, text).status_code
        if status != 200:
            application.cancel(request)
        return status

    wrong = next(text for text in (f"{number:06}" for number in range(9)) if not codes.verify(text, valid_window=3))
    soon(lambda: code(wrong) == 429, "the codes to be locked")
    assert code(codes.now()) == 429
    assert tenant.admin("users", "unlock-codes", someone.username) == "Unlocked.\n"
    assert code(codes.now()) == 200


def test_what_is_missing_to_reach_a_tenant_is_named(stack, tmp_path):
    token = tmp_path / "token"
    token.write_text(secrets.token_urlsafe(20))
    token.chmod(0o600)
    gateway = ("--gateway", stack.base)
    for status, sentence, arguments in (
        (64, "--gateway or --demo is needed", ()),
        (64, "--tenant (letters a-z, digits and -) or --demo is needed", (*gateway, "--token-file", token)),
        (64, "--tenant (letters a-z, digits and -) or --demo is needed", (*gateway, "--tenant", "No/Name", "--token-file", token)),
        (64, "--token-file, COUNTERSIGN_TOKEN or --demo is needed", (*gateway, "--tenant", "demo")),
    ):
        assert refused(status, "countersign-admin", "users", "list", *arguments) == sentence
    wrong = call("countersign-admin", "users", "list", *gateway, "--tenant", "demo", "--token-file", token, "--json")
    assert wrong.returncode == 77 and lines(wrong.stdout)[0]["error"] == "not_authenticated"
    assert token.read_text() not in wrong.stdout + wrong.stderr
