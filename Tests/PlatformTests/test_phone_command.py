"""The phone in a terminal against a running system: each answer, several accounts in one phone, codes as each tenant wants them."""

import json
import re
import secrets
import struct
import subprocess
import time
import zlib

import pytest

from client import Administrator, Application, Person, Phone, register
from stack import BIN

from .test_commands import Tenant, call, lines, oathtool, refused, run
from .test_readme import Terminal


class TerminalPhone:
    """The file of a phone. Whatever is shown, its keys and what its codes are made from are not."""

    def __init__(self, folder):
        self.file = folder / f"{secrets.token_hex(4)}.json"

    def __call__(self, *arguments, expect=0, **options):
        done = call("countersign-phone", *arguments, "--file", self.file, **options)
        assert done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr)
        for secret in self.secrets():
            assert secret not in done.stdout + done.stderr, arguments
        return done.stdout

    def json(self, *arguments, **options):
        return lines(self(*arguments, "--json", **options))

    def refused(self, status, *arguments, **options):
        return refused(status, "countersign-phone", *arguments, "--file", self.file, **options)

    def content(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {"keys": {}, "accounts": []}

    def secrets(self):
        content = self.content()
        return [*content["keys"].values(), *(account["offlineCode"]["secret"] for account in content["accounts"])]

    def pending(self, *arguments):
        return [item["id"] for item in self.json("pending", *arguments)]

    def code(self, *arguments):
        return self.json("code", *arguments)[0]["code"]


class Owner:
    """A person of a test's own, and an account in a phone in a terminal."""

    def __init__(self, demo, phone, username=None, *activate):
        self.username, self.password = username or "p" + secrets.token_hex(6), secrets.token_urlsafe(12)
        self.administrator, self.application, self.phone = Administrator(demo), Application(demo), phone
        self.user = self.administrator.create_user(self.username, self.password)
        self.browser = Person(demo["base"], demo["tenant"])
        assert self.browser.sign_in(self.username, password=self.password).status_code == 200
        activation = self.browser.new_activation()
        self.link = activation["activationUri"]
        self.account = phone.json("activate", "-", *activate, input=self.link)[0]["id"]
        confirming = self.browser.activation(activation["id"], wait=10)
        phone("approve", phone.json("pending", "--account", self.account)[0]["id"], "--number", confirming["number"])
        assert self.browser.activation(activation["id"])["deviceId"] == self.account

    def enable_phone_sign_in(self):
        self.phone("phone-sign-in", "enable", "--account", self.account, "--password-stdin", "--confirm", input=self.password)

    def begin(self, factor="secondFactor", **members):
        return self.application.begin(self.username, factor=factor, **members).json()

    def status(self, request):
        status = self.application.status(request)
        return status["status"], status["reason"]

    def code_status(self, code):
        """What the gateway says to an offline code as a second factor."""
        request = self.begin()
        status = self.application.code(request, code).status_code
        if status != 200:
            self.application.cancel(request)
        return status

    def reason(self, request):
        return next(item["reason"] for item in self.administrator.get(f"/sign-ins?user={self.username}")["items"] if item["id"] == request["id"])

    def devices(self):
        return {item["id"]: item["name"] for item in self.administrator.get(f"/users/{self.user['id']}/devices")["items"]}


@pytest.fixture
def phone(tmp_path):
    return TerminalPhone(tmp_path)


@pytest.fixture
def owner(demo, phone):
    return Owner(demo, phone)


def test_declining_ends_a_request_and_the_page_is_told_why(stack, owner, phone):
    page = subprocess.Popen(
        [BIN / "countersign-admin", "try", "sign-in", owner.username, "--second-factor", "--json", "--demo", stack.var / "demo.json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    shown = json.loads(page.stdout.readline())
    request = phone.json("pending")[0]
    assert (request["id"], request["user"], request["account"], request["purpose"]) == (shown["id"], owner.username, owner.account, "secondFactor")
    assert phone("decline", shown["id"]) == "Declined.\n"
    out, err = page.communicate(timeout=20)
    assert page.returncode == 77 and "denied: declined" in err, (out, err)
    assert owner.reason(shown) == "declined" and phone.pending() == []
    assert phone.refused(66, "decline", shown["id"]) == "there is no such open request"

    request = owner.begin()
    assert phone.json("decline", request["id"]) == [{"event": "answered", "id": request["id"], "status": "denied", "reason": "declined"}]
    assert owner.status(request) == ("denied", "declined")
    assert owner.application.redeem(request).status_code == 409
    assert len(owner.begin()["number"]) == 2, "declining raises no alarm"


def test_reporting_ends_a_request_and_makes_the_next_numbers_longer(owner, phone):
    request = owner.begin()
    assert len(request["number"]) == 2
    assert phone("report", request["id"]) == "Reported.\n"
    assert owner.status(request) == ("denied", "reported") and owner.reason(request) == "reported"
    assert owner.application.redeem(request).status_code == 409

    following = owner.begin()
    assert len(following["number"]) == 3 and phone.json("pending")[0]["numberDigits"] == 3
    answered = {"event": "answered", "id": following["id"], "status": "denied", "reason": "reported"}
    assert phone.json("report", following["id"]) == [answered] and owner.status(following) == ("denied", "reported")


def test_a_wrong_number_denies_and_a_number_of_another_length_is_not_sent(owner, phone):
    request = owner.begin()
    for number in ("7", "123", "ab"):
        assert phone.json("approve", request["id"], "--number", number, expect=65)[-1]["error"] == "invalid_number"
    assert owner.status(request) == ("pending", None)
    assert "--number is needed" in phone("approve", request["id"], "--json", input="", expect=64)
    wrong = str(10 + (int(request["number"]) - 9) % 90)
    assert "That was not the number" in phone("approve", request["id"], "--number", wrong, expect=1)
    assert owner.status(request) == ("denied", "wrong_number")


def test_phone_sign_in_is_enabled_with_the_password_and_disabled_again(owner, phone):
    assert phone.json("phone-sign-in", "status") == [{"account": owner.account, "enabled": False, "needsCredential": True}]
    owner.begin("passwordless")
    assert phone.pending() == [], "no phone sign-in yet"
    wrong = phone.json("phone-sign-in", "enable", "--password-stdin", "--confirm", input="not the password", expect=77)
    assert wrong[-1]["error"] == "invalid_credentials" and "not the password" not in json.dumps(wrong)
    assert phone("phone-sign-in", "status") == f"Phone sign-in is off for {owner.username} at Demo.\n"

    setup = phone.json("phone-sign-in", "enable", "--password-stdin", input=owner.password)[0]
    assert phone.json("phone-sign-in", "status")[0]["enabled"] is False, "not before its number is confirmed"
    phone("approve", setup["challengeId"], "--number", setup["number"])
    assert phone.json("phone-sign-in", "status")[0]["enabled"] is True and phone.json("accounts")[0]["phoneSignIn"] is True
    request = owner.begin("passwordless")
    phone("approve", request["id"], "--number", request["number"])
    assert owner.application.redeem(request).json()["method"] == "push"

    waiting, second = owner.begin("passwordless"), owner.begin()
    assert phone("phone-sign-in", "disable") == f"Phone sign-in is off for {owner.username} at Demo.\n"
    assert owner.status(waiting)[0] == "canceled" and owner.reason(waiting) == "phone_sign_in_disabled"
    assert phone.json("accounts")[0]["phoneSignIn"] is False and phone.json("phone-sign-in", "status")[0]["enabled"] is False
    passwordless = owner.begin("passwordless")
    assert passwordless["id"] not in phone.pending() and second["id"] in phone.pending(), "the second factor stays"
    phone("approve", second["id"], "--number", second["number"])
    assert owner.application.redeem(second).status_code == 200 and owner.code_status(phone.code()) == 200


def test_phone_sign_in_that_the_policy_refuses_is_not_offered_and_said_in_words(stack, phone, tmp_path):
    tenant = Tenant(stack, tmp_path)
    tenant.admin("policy", "mode", "all_users", "push")
    owner = Owner(tenant.demo, phone)
    words = f"Own does not allow phone sign-in for {owner.username}"
    told = {"account": owner.account, "enabled": False, "needsCredential": True, "refusal": "refused"}
    assert phone.json("phone-sign-in", "status") == [told]
    off = f"Phone sign-in is off for {owner.username} at Own.\n"
    assert phone("phone-sign-in", "status") == f"{off}It cannot be set up now: {words}.\n"
    assert phone.refused(77, "phone-sign-in", "enable", "--password-stdin", input="") == words, "before anything is read"
    assert phone.json("phone-sign-in", "enable", "--activation-session", expect=77) == [{"event": "error", "error": "refused", "detail": words}]

    activation = owner.browser.new_activation()
    terminal = Terminal(BIN / "countersign-phone", "--file", TerminalPhone(tmp_path).file, "activate", activation["activationUri"])
    terminal.shows(r"^Number: ")
    terminal.type(owner.browser.activation(activation["id"], wait=10)["number"])
    assert terminal.ends().endswith(f"\nApproved.\nPhone sign-in stays off: {words}.\n")

    tenant.admin("policy", "mode", "all_users", "any")
    owner.enable_phone_sign_in()
    tenant.admin("policy", "mode", "all_users", "push")
    on, now = phone("phone-sign-in", "status").splitlines()
    assert on.startswith("Phone sign-in is on since ") and now == f"It cannot be used now: {words}."


def test_two_people_in_one_phone_each_have_their_own_requests_and_codes(demo, phone):
    ann, ben = Owner(demo, phone), Owner(demo, phone)
    assert [(item["id"], item["username"], item["state"]) for item in phone.json("accounts")] == [
        (person.account, person.username, "active") for person in (ann, ben)]
    for_ann, for_ben = ann.begin(), ben.begin()
    assert {(item["account"], item["id"]) for item in phone.json("pending")} == {(ann.account, for_ann["id"]), (ben.account, for_ben["id"])}
    assert phone.pending("--account", ben.username) == [for_ben["id"]]
    assert phone.refused(66, "approve", for_ann["id"], "--number", for_ann["number"], "--account", ben.username) == "there is no such open request"
    phone("approve", for_ben["id"], "--number", for_ben["number"])
    phone("decline", for_ann["id"], "--account", ann.username.upper())
    assert (ann.status(for_ann), ben.status(for_ben)) == (("denied", "declined"), ("approved", None))

    codes = {item["username"]: item for item in phone.json("code")}
    assert {name: item["account"] for name, item in codes.items()} == {ann.username: ann.account, ben.username: ben.account}
    assert ann.code_status(codes[ben.username]["code"]) == 422, "a code is good for its own person"
    for person in (ann, ben):
        assert person.code_status(codes[person.username]["code"]) == 200

    for arguments in (("phone-sign-in", "status"), ("rename", "Which?"), ("remove",)):
        assert phone.refused(64, *arguments) == "several accounts: name one with --account"
    assert phone.refused(66, "code", "--account", "nobody") == "there is no such account"
    for name in ("", "x" * 65, "two\nlines"):
        assert phone.refused(65, "rename", name, "--account", ben.username) == "a name has 1 to 64 characters, none of them a control character"
    phone("rename", "Ben's terminal", "--account", ben.username)
    assert ben.devices() == {ben.account: "Ben's terminal"} and "Ben's terminal" not in ann.devices().values()
    phone("remove", "--account", ann.username)
    assert ann.devices() == {} and [item["id"] for item in phone.json("accounts")] == [ben.account]
    request = ben.begin()
    phone("approve", request["id"], "--number", request["number"])
    assert ben.application.redeem(request).status_code == 200, "the key that both shared is still there"


def test_one_name_in_two_tenants_is_chosen_with_the_tenant_and_signs_in_without_a_password_in_one(stack, demo, phone, tmp_path):
    here, name = Owner(demo, phone), f"other-{secrets.token_hex(4)}"
    other = Tenant(stack, tmp_path, name)
    there = Owner(other.demo, phone, here.username)
    ambiguous = "several accounts have this name: add @tenant, or give the id"
    assert phone.refused(64, "code", "--account", here.username) == ambiguous
    assert refused(65, "countersign-code", "--account", here.username, "--file", phone.file) == ambiguous
    for person, tenant in ((here, "demo"), (there, name)):
        other_one = there if person is here else here
        named = f"{person.username}@{tenant}"
        code = json.loads(run("countersign-code", "--account", named, "--file", phone.file, "--json"))["code"]
        shown = phone.json("code", "--account", named)[0]
        assert (shown["account"], shown["tenant"]) == (person.account, tenant)
        assert other_one.code_status(code) == 422 and person.code_status(code) == 200
        request = person.begin()
        assert phone.pending("--account", named) == [request["id"]]
        phone("decline", request["id"], "--account", person.account)

    here.enable_phone_sign_in()
    options = ("--account", there.account, "--password-stdin", "--confirm")
    assert "disable it there first" in phone.refused(77, "phone-sign-in", "enable", *options, input=there.password)
    phone("phone-sign-in", "disable", "--account", here.account)
    there.enable_phone_sign_in()
    request = there.begin("passwordless")
    phone("approve", request["id"], "--number", request["number"])
    assert there.application.redeem(request).json()["user"]["username"] == there.username
    assert [item["phoneSignIn"] for item in phone.json("accounts")] == [False, True]


def test_an_account_with_a_key_of_its_own_is_a_phone_of_its_own(demo, phone):
    people = [Owner(demo, phone), Owner(demo, phone, None, "--own-key")]
    assert len(phone.content()["keys"]) == 2
    for person in people:
        person.enable_phone_sign_in()
    assert [item["phoneSignIn"] for item in phone.json("accounts")] == [True, True]
    phone("remove", "--account", people[1].account)
    assert len(phone.content()["keys"]) == 1, "its key went with it"


def test_a_phone_that_was_removed_elsewhere_says_so_and_one_removed_here_alone_stays_there(owner, phone):
    phone("remove", "--local")
    assert phone.json("accounts") == [] and list(owner.devices()) == [owner.account]
    assert phone.refused(66, "pending") == "no account yet: activate one first"

    activation = owner.browser.new_activation()
    # A second device of the person, removed by the administrator before anything is confirmed.
    account = phone.json("activate", activation["activationUri"])[0]
    assert account["state"] == "awaitingConfirmation"
    reply = owner.administrator.call("DELETE", f"/users/{owner.user['id']}/devices/{account['id']}")
    assert reply.status_code == 204, reply.text
    for command in (("pending",), ("phone-sign-in", "status")):
        assert phone.refused(77, *command) == "the server does not know this device any more; activate it again"
    assert len(phone.json("code")) == 1, "codes need no server"


def test_a_link_is_good_once_and_what_is_no_link_is_refused(owner, phone, tmp_path):
    stranger = TerminalPhone(tmp_path)
    assert stranger.json("activate", "-", input=owner.link, expect=77)[0]["error"] == "ticket_used"
    ticket = re.search(r"ticket=([^&]+)", owner.link)[1]
    for link in ("countersign://activate?server=nonsense", owner.link.replace("ticket=", "tickets="), "https://example.org", ""):
        sentence = stranger.refused(65, "activate", "-", input=link + "\n")
        assert sentence == "this is not an activation link" and ticket not in sentence
    assert stranger.json("accounts") == [] and list(owner.devices()) == [owner.account]


def picture(path, *texts):
    """A PNG with a QR code of each text, side by side."""
    rows = []
    for text in texts:
        art = subprocess.run(["qrencode", "-t", "ASCII", "-m", "4", "-v", "12", "-o", "-", text], capture_output=True, text=True, check=True).stdout
        rows.append([line[::2] for line in art.splitlines()])
    cells = ["".join(parts) for parts in zip(*rows, strict=True)]
    scale, pixels = 4, b""
    for line in cells:
        row = b"".join((b"\x00" if cell == "#" else b"\xff") * scale for cell in line)
        pixels += (b"\x00" + row) * scale
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    header = struct.pack(">IIBBBBB", len(cells[0]) * scale, len(cells) * scale, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))
    return path


def test_an_image_activates_only_where_it_shows_one_activation_code(owner, phone, tmp_path):
    first, second = owner.browser.new_activation()["activationUri"], owner.browser.new_activation()["activationUri"]
    stranger = TerminalPhone(tmp_path)
    text = tmp_path / "text.png"
    text.write_text("not an image")
    assert stranger.refused(65, "activate", "--qr", text) == f"{text} is not a PNG, JPEG, GIF or WebP image of a usable size"
    other = picture(tmp_path / "other.png", "https://example.org")
    assert stranger.refused(65, "activate", "--qr", other) == f"{other} shows no activation code"
    both = picture(tmp_path / "both.png", first, second)
    assert stranger.refused(65, "activate", "--qr", both) == f"{both} shows several activation codes"
    assert stranger.refused(66, "activate", "--qr", tmp_path / "none.png").endswith("none.png: no such file")
    assert stranger.json("accounts") == []

    beside = picture(tmp_path / "beside.png", "https://example.org", second)
    account = stranger.json("activate", "--qr", beside, "--name", "From a picture")[0]
    assert account["deviceName"] == "From a picture" and account["username"] == owner.username
    assert owner.devices()[account["id"]] == "From a picture"


def test_a_phone_file_that_others_can_read_or_that_is_broken_is_not_used(owner, phone):
    account = ("countersign-code", "--account", owner.username, "--file", phone.file)
    phone.file.chmod(0o644)
    assert phone.json("accounts", expect=77)[-1]["error"] == "file_exposed"
    assert "chmod 600" in refused(77, *account) and "chmod 600" in phone.refused(77, "code")
    assert phone.file.stat().st_mode & 0o777 == 0o644, "that is the owner's to mend"
    phone.file.chmod(0o600)
    assert run(*account)
    phone.file.write_text(phone.file.read_text()[:-40])
    assert phone.refused(74, "accounts").endswith("the file is not one that this program wrote")
    assert refused(65, *account).endswith("the file is not one that this program wrote")


@pytest.mark.parametrize("algorithm, digits, period", [("SHA256", 8, 60), ("SHA512", 7, 30)])
def test_codes_of_a_uri_a_secret_and_a_phones_account_are_accepted_as_the_tenant_wants_them(stack, phone, tmp_path, algorithm, digits, period):
    tenant = Tenant(stack, tmp_path)
    tenant.admin("settings", "set", f"offlineCodeAlgorithm={algorithm}", f"offlineCodeDigits={digits}", f"offlineCodePeriodSeconds={period}")
    terminal = Owner(tenant.demo, phone)
    codes = [(terminal, ("--account", terminal.username, "--file", phone.file), None)]
    for source in ("uri", "secret"):
        person = Owner(tenant.demo, TerminalPhone(tmp_path))
        code = register(person.browser, Phone()).registration["offlineCode"]
        assert (code["algorithm"], code["digits"], code["period"]) == (algorithm, digits, period)
        parts = ("--secret", "-", "--algorithm", algorithm, "--digits", digits, "--period", period)
        codes.append((person, ("-",), code["uri"]) if source == "uri" else (person, parts, code["secret"]))
    for person, arguments, given in codes:
        shown = json.loads(run("countersign-code", *arguments, "--json", input=given))
        assert len(shown["code"]) == digits and 0 < shown["secondsLeft"] <= period
        request = person.begin()
        assert person.application.code(request, shown["code"]).status_code == 200
        assert person.application.redeem(request).json()["amr"] == ["otp"]
        assert person.code_status(shown["code"]) == 422, "a code is good once"
    stored = phone.content()["accounts"][0]["offlineCode"]
    now = int(time.time())
    ours = json.loads(run("countersign-code", "--account", terminal.username, "--file", phone.file, "--at", now, "--json"))
    assert ours == {"code": oathtool(stored["secret"], now, algorithm, digits, period), "secondsLeft": period - now % period}
