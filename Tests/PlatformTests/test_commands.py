"""The commands, as a person in a terminal uses them."""

import json
import os
import re
import secrets
import subprocess
import time

import pyotp
import pytest

from client import Application, Person
from stack import BIN


def call(command, *arguments, input=None, **environment):
    return subprocess.run(
        [BIN / command, *map(str, arguments)], capture_output=True, text=True, input=input, timeout=40, env={**os.environ, **environment}
    )


def run(command, *arguments, expect=0, **options):
    done = call(command, *arguments, **options)
    assert done.returncode == expect, (command, arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def refused(status, command, *arguments, **options):
    """The sentence with which a command ends that did nothing: one line on standard error, and no output."""
    done = call(command, *arguments, **options)
    assert (done.returncode, done.stdout) == (status, ""), (command, arguments, done.returncode, done.stdout, done.stderr)
    name, sentence = done.stderr.split(": ", 1)
    assert name == command and sentence.count("\n") == 1, done.stderr
    return sentence.strip()


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


class Tenant:
    """A tenant of a test's own, made and administered by the command alone: its policy and settings are nobody else's."""

    def __init__(self, stack, folder, name=None):
        self.name = name or f"own-{secrets.token_hex(4)}"
        self.operator = ("--gateway", stack.base, "--operator-token-file", stack.var / "keys/operator.token")
        self.made = lines(run("countersign-admin", "tenant", "create", self.name, "--name", "Own", *self.operator, "--json"))[0]
        administrator = {"token": self.made["adminToken"], "username": "none", "password": "none"}
        self.demo = {"base": stack.base, "tenant": self.name, "client": {"id": "", "secret": ""}, "admin": administrator, "users": []}
        self.file = folder / f"{self.name}.json"
        self.file.touch(0o600)
        self.write()
        client = self.json("clients", "create", "Own application", "--any-application")[0]
        self.demo["client"] = {"id": client["id"], "secret": client["secret"]}
        self.write()

    def write(self):
        self.file.write_text(json.dumps(self.demo))

    def admin(self, *arguments, **options):
        return run("countersign-admin", *arguments, "--demo", self.file, **options)

    def json(self, *arguments, **options):
        return lines(self.admin(*arguments, "--json", **options))

    def refused(self, status, *arguments, **options):
        """What the command says, which is the same for people and for programs."""
        sentence = refused(status, "countersign-admin", *arguments, "--demo", self.file, **options)
        failure = self.json(*arguments, expect=status, **options)
        assert [(item["event"], item["detail"]) for item in failure] == [("error", sentence)]
        return failure[0]["error"], sentence


def test_a_sign_in_by_hand_with_the_three_commands(stack, demo, tmp_path):
    user = demo["users"][0]
    phone = tmp_path / "phone.json"
    browser = Person(demo["base"], demo["tenant"])
    assert browser.sign_in(user["username"], password=user["password"]).status_code == 200
    activation = browser.new_activation()
    qr = tmp_path / "qr.png"
    subprocess.run(["qrencode", "-o", qr, activation["activationUri"]], check=True)
    activated = subprocess.Popen(
        [BIN / "countersign-phone", "--file", phone, "activate", "--qr", qr, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    confirming = browser.activation(activation["id"], wait=10)
    assert confirming["state"] == "confirming", activated.communicate()
    out, err = activated.communicate(timeout=20)
    assert activated.returncode == 0, (out, err)
    assert phone.stat().st_mode & 0o777 == 0o600
    pending = lines(run("countersign-phone", "--file", phone, "pending", "--json"))
    run("countersign-phone", "--file", phone, "approve", pending[0]["id"], "--number", confirming["number"], "--json")
    assert browser.activation(activation["id"])["state"] == "active"

    application = Application(demo)
    request = application.begin(user["username"], factor="secondFactor").json()
    run("countersign-phone", "--file", phone, "approve", request["id"], "--number", request["number"])
    assert application.redeem(request).status_code == 200

    code = json.loads(run("countersign-phone", "--file", phone, "code", "--json").splitlines()[0])["code"]
    request = application.begin(user["username"], factor="secondFactor").json()
    assert application.code(request, code).status_code == 200


def test_the_code_generator_agrees_with_oathtool():
    for algorithm in ("SHA1", "SHA256", "SHA512"):
        for digits in ("6", "7", "8"):
            secret = pyotp.random_base32()
            now = int(time.time())
            theirs = subprocess.run(
                ["oathtool", f"--totp={algorithm}", "--base32", "--digits", digits, "--now", f"@{now}", secret], capture_output=True, text=True, check=True
            ).stdout.strip()
            ours = json.loads(run("countersign-code", "--secret", secret, "--algorithm", algorithm, "--digits", digits, "--at", now, "--json"))
            assert ours["code"] == theirs
            assert 0 < ours["secondsLeft"] <= 30


def uri(secret, **members):
    return f"otpauth://totp/Demo:alice?secret={secret}&issuer=Demo" + "".join(f"&{name}={value}" for name, value in members.items())


def oathtool(secret, now, algorithm="SHA1", digits=6, period=30):
    options = [f"--totp={algorithm}", "--base32", "--digits", str(digits), f"--time-step-size={period}s", "--now", f"@{now}"]
    return subprocess.run(["oathtool", *options, secret], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
def test_codes_from_a_uri_and_from_a_secret_agree_with_oathtool_in_every_length_and_period(algorithm):
    secret = "HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ"
    for digits, period in ((6, 30), (7, 45), (8, 60)):
        for now in (0, period - 1, period, int(time.time())):
            expected = {"code": oathtool(secret, now, algorithm, digits, period), "secondsLeft": period - now % period}
            text = uri(secret, algorithm=algorithm, digits=digits, period=period)
            assert json.loads(run("countersign-code", "-", "--at", now, "--json", input=text + "\n")) == expected
            parts = ("--algorithm", algorithm.lower(), "--digits", digits, "--period", period, "--at", now)
            spaced = " ".join(re.findall("....", secret.lower()))
            assert run("countersign-code", "--secret", "-", *parts, input=spaced) == f"{expected['code']}  {expected['secondsLeft']} s left\n"


def test_a_time_is_given_in_either_way_and_a_counter_has_no_time():
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238's
    for at in ("2005-03-18T01:58:29Z", "2005-03-18T02:58:29+01:00", "1111111109"):
        assert run("countersign-code", "--secret", secret, "--digits", 8, "--at", at) == "07081804  1 s left\n"
    for counter in (0, 7):
        theirs = subprocess.run(["oathtool", "--hotp", "--base32", "-c", str(counter), secret], capture_output=True, text=True, check=True).stdout
        assert run("countersign-code", f"otpauth://hotp/alice?secret={secret}&counter={counter}") == theirs


def test_what_no_code_can_be_made_from_is_refused_without_a_word_of_the_secret():
    secret = "HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ"
    base = ("countersign-code", "--secret", "-")
    for sentence, arguments, given in (
        ("the secret is not Base32", base, secret + "018"),
        ("standard input is empty", base, "\n"),
        ("the algorithm is SHA1, SHA256 or SHA512", (*base, "--algorithm", "MD5"), secret),
        ("a code has 6, 7 or 8 digits", (*base, "--digits", 9), secret),
        ("a period is between 30 and 60 seconds", (*base, "--period", 29), secret),
        ("a period is between 30 and 60 seconds", (*base, "--period", 61), secret),
        ("tomorrow is no time", (*base, "--at", "tomorrow"), secret),
        *(
            ("this is not an otpauth:// URI of a usable code", ("countersign-code", "-"), text)
            for text in (
                "https://example.org", secret, uri(secret, digits=9), uri(secret, period=0), uri(secret, algorithm="MD5"), uri(secret + "018"),
                uri(secret).replace("issuer=Demo", "issuer=Other"), uri(secret).replace("totp", "otp"),
            )
        ),
    ):
        assert refused(65, *arguments, input=given) == sentence
        done = call(*arguments, "--json", input=given)
        assert done.returncode == 65 and lines(done.stdout) == [{"event": "error", "error": "bad_data", "detail": sentence}]
        assert secret not in done.stdout + done.stderr
    for arguments in ((), ("-", "--secret", "-"), ("-", "--digits", 8), ("--secret", "-", "--watch", "--at", 1)):
        done = call("countersign-code", *arguments, input=secret)
        assert done.returncode == 64 and done.stdout == "" and secret not in done.stderr


def test_the_administrator_command_works_against_the_gateway(stack):
    demo = stack.var / "demo.json"
    admin = lambda *arguments, **options: run("countersign-admin", *arguments, "--demo", demo, **options)  # noqa: E731
    assert "alice" in admin("users", "list")
    admin("users", "create", "dora", "--display-name", "Dora")
    assert any(item["username"] == "dora" for item in lines(admin("users", "list", "--json")))
    assert "all_users" in admin("policy", "show")
    assert admin("pass", "issue", "dora").strip()
    assert "any" in admin("policy", "explain", "dora")
    admin("sign-ins")
    admin("audit")


def test_every_command_explains_itself_and_refuses_nonsense():
    for command in ("countersign-phone", "countersign-code", "countersign-admin"):
        assert "USAGE" in run(command, "--help")
        run(command, "--no-such-option", expect=64)


def test_what_is_not_there_is_66_in_every_command_and_an_object_with_json(stack, tmp_path):
    demo = stack.var / "demo.json"
    for command, *arguments in (
        ("countersign-admin", "users", "show", "nobody-of-this-name", "--demo", demo),
        ("countersign-admin", "users", "list", "--demo", tmp_path / "none.json"),
        ("countersign-phone", "code", "--file", tmp_path / "none.json"),
        ("countersign-code", "--account", "alice", "--file", tmp_path / "none.json"),
    ):
        failure = lines(run(command, *arguments, "--json", expect=66))[-1]
        assert failure["event"] == "error" and failure["error"] and failure["detail"], (command, failure)
        assert run(command, *arguments, expect=66) == ""


def test_a_token_that_others_may_read_is_not_used(stack, tmp_path):
    token = tmp_path / "token"
    token.write_text(stack.demo()["admin"]["token"])
    for mode, status in ((0o644, 66), (0o600, 0)):
        token.chmod(mode)
        run("countersign-admin", "users", "list", "--gateway", stack.base, "--tenant", "demo", "--token-file", token, expect=status)
