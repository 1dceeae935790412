"""The commands, as a person in a terminal uses them."""

import json
import os
import subprocess
import time

import pyotp

from client import Application, Person
from stack import BIN


def run(command, *arguments, input=None, expect=0, **environment):
    done = subprocess.run(
        [BIN / command, *map(str, arguments)], capture_output=True, text=True, input=input, timeout=40, env={**os.environ, **environment}
    )
    assert done.returncode == expect, (command, arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


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
