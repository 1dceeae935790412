"""J1 to J12: what people do, step by step, against real processes."""

import threading
import time

import pyotp

from client import Administrator, Person, Phone, register, set_up_phone_sign_in

POLICY = "/policies/authenticator"


def sign_in_by_number(application, someone):
    request = application.begin(someone.username).json()
    reply = someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    assert reply.json() == {"status": "approved"} or reply.json()["status"] == "approved", reply.text
    return request


def test_j1_the_method_is_enabled_and_disabled_for_everybody_within_a_second(application, administrator, someone):
    try:
        administrator.change(POLICY, {"state": "disabled"})
        deadline = time.monotonic() + 1
        reached = True
        while reached and time.monotonic() < deadline:
            request = application.begin(someone.username).json()
            reached = any(item["id"] == request["id"] for item in someone.phone.challenges())
            application.cancel(request)
        assert not reached
    finally:
        administrator.change(POLICY, {"state": "enabled"})


def test_j1_exclude_beats_include(application, administrator, someone):
    try:
        administrator.change(POLICY, {"excludeTargets": [{"targetType": "user", "id": someone.user["id"]}]})
        request = application.begin(someone.username).json()
        assert request["number"]
        assert someone.phone.challenges() == []
        explained = administrator.get(f"{POLICY}/explain?user={someone.username}")
        assert explained["mode"] is None
        assert explained["decidingTarget"] == {"targetType": "user", "id": someone.user["id"]}
    finally:
        administrator.change(POLICY, {"excludeTargets": []})


def test_j2_push_mode_prevents_passwordless_and_device_based_push_prevents_second_factor(application, administrator, someone):
    group = administrator.call("POST", "/groups", json={"name": "J2"}).json()
    reply = administrator.call("POST", f"/groups/{group['id']}/members", json={"add": [someone.user["id"]]})
    assert reply.status_code in (200, 204), reply.text
    everybody = {"targetType": "group", "id": "all_users", "isRegistrationRequired": False, "authenticationMode": "any"}
    try:
        for mode, reached in (("push", "secondFactor"), ("deviceBasedPush", "passwordless")):
            target = {"targetType": "group", "id": group["id"], "isRegistrationRequired": False, "authenticationMode": mode}
            administrator.change(POLICY, {"includeTargets": [everybody, target]})
            for factor in ("passwordless", "secondFactor"):
                request = application.begin(someone.username, factor=factor).json()
                listed = [item["id"] for item in someone.phone.challenges()]
                assert (request["id"] in listed) == (factor == reached), (mode, factor)
                application.cancel(request)
    finally:
        administrator.change(POLICY, {"includeTargets": [everybody]})


def test_j3_and_j4_a_phone_registers_and_is_set_up_for_phone_sign_in(demo, administrator):
    username, password = "j3person", "correct horse battery"
    administrator.create_user(username, password)
    browser = Person(demo["base"], demo["tenant"])
    assert browser.sign_in(username, password=password).status_code == 200
    phone = register(browser, Phone())
    me = browser.call("GET", "/me").json()
    assert [device["id"] for device in me["devices"]] == [phone.id]
    before = phone.call("GET", "/phone-sign-in").json()
    assert before == {"enabled": False, "createdDateTime": None, "refusal": None, "needsCredential": True}
    assert phone.call("POST", "/phone-sign-in", body={"password": "wrong"}).status_code in (401, 403)
    set_up_phone_sign_in(phone, password=password)
    after = phone.call("GET", "/phone-sign-in").json()
    assert after["enabled"] is True and after["createdDateTime"]


def test_j5_one_key_has_phone_sign_in_in_one_tenant_only(stack, demo, someone):
    token = (stack.var / "keys" / "operator.token").read_text().strip()
    import requests

    made = requests.post(
        f"{demo['base']}/v1/tenants", json={"id": "second", "name": "Second"}, headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert made.status_code == 201, made.text
    other = Administrator(demo, token=made.json()["adminToken"], tenant="second")
    other.create_user("twice", "another password")
    browser = Person(demo["base"], "second")
    assert browser.sign_in("twice", password="another password").status_code == 200
    phone = register(browser, Phone(key=someone.phone.key))
    assert phone.call("GET", "/phone-sign-in").json()["refusal"] == "single_tenant"
    refused = phone.call("POST", "/phone-sign-in", body={"password": "another password"})
    assert refused.status_code == 409 and refused.json()["code"] == "single_tenant"
    assert "tenant" in refused.json()["detail"]
    # the other tenant sees neither the person nor the sign-ins of the first
    assert other.get(f"/users?search={someone.username}")["items"] == []
    assert other.call("GET", f"/users/{someone.user['id']}").status_code == 404
    assert all(item["username"] != someone.username for item in other.get("/sign-ins")["items"])


def test_j6_sign_in_by_number_wakes_the_waiting_page_at_once(application, someone):
    request = application.begin(someone.username, application="Payroll", context={"ipAddress": "203.0.113.7", "userAgent": "Browser"}).json()
    assert request["status"] == "pending" and len(request["number"]) == 2 and request["methods"] == ["push", "code"]
    outcome = {}

    def wait():
        outcome.update(application.status(request, wait=25), at=time.monotonic())

    waiting = threading.Thread(target=wait)
    waiting.start()
    challenge = someone.phone.challenge(request["id"])
    import client

    content = __import__("json").loads(client.unb64u(challenge["content"]))
    assert content["application"] == "Payroll" and content["ipAddress"] == "203.0.113.7" and content["id"] == request["id"]
    assert request["number"] not in client.unb64u(challenge["content"]).decode().replace(request["id"], "").split('"')
    reply = someone.phone.answer(challenge, number=request["number"])
    answered = time.monotonic()
    assert reply.status_code == 200 and reply.json()["status"] == "approved"
    waiting.join(timeout=10)
    assert outcome["status"] == "approved" and outcome["method"] == "push"
    assert outcome["at"] - answered < 0.5
    redeemed = application.redeem(request)
    assert redeemed.status_code == 200
    body = redeemed.json()
    assert body["user"]["username"] == someone.username and body["amr"] == ["swk", "user"] and body["receipt"]
    assert application.redeem(request).json()["code"] == "already_redeemed"


def test_j7_the_same_request_as_a_second_factor(application, make_someone):
    someone = make_someone(phone_sign_in=False)
    request = application.begin(someone.username, factor="secondFactor").json()
    challenge = someone.phone.challenge(request["id"])
    assert challenge["purpose"] == "secondFactor"
    assert someone.phone.answer(challenge, number=request["number"]).json()["status"] == "approved"
    assert application.redeem(request).json()["method"] == "push"


def test_j8_offline_code_with_the_password_or_as_a_second_factor(application, someone):
    codes = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"])
    request = application.begin(someone.username, factor="secondFactor").json()
    code = codes.now()
    accepted = application.code(request, code)
    assert accepted.status_code == 200 and accepted.json()["method"] == "code", accepted.text
    assert application.redeem(request).json()["amr"] == ["otp"]
    again = application.begin(someone.username, factor="secondFactor").json()
    replayed = application.code(again, code)
    assert replayed.status_code == 422 and replayed.json()["code"] == "invalid_code"
    alone = application.begin(someone.username).json()
    refused = application.code(alone, codes.at(time.time() + 30))
    assert refused.status_code == 422 and refused.json()["code"] == "invalid_code"
    together = application.code(alone, codes.at(time.time() + 30), someone.password)
    assert together.status_code == 200, together.text
    assert application.redeem(alone).json()["amr"] == ["pwd", "otp"]


def test_j9_each_refusal_has_its_own_reason_on_the_page_and_in_the_log(application, administrator, someone):
    reasons = {}
    for decision, reason in (("decline", "declined"), ("approve", "wrong_number"), ("report", "reported")):
        request = application.begin(someone.username).json()
        challenge = someone.phone.challenge(request["id"])
        number = None if decision != "approve" else str(10 + (int(request["number"]) - 9) % 90)
        reply = someone.phone.answer(challenge, decision, number)
        assert reply.json() == {"status": "denied", "reason": reason}, reply.text
        status = application.status(request)
        assert (status["status"], status["reason"]) == ("denied", reason)
        reasons[request["id"]] = reason
    log = {item["id"]: item for item in administrator.get(f"/sign-ins?user={someone.username}")["items"]}
    assert {key: log[key]["reason"] for key in reasons} == reasons


def test_j10_phone_sign_in_is_disabled_and_the_account_stays(application, someone):
    assert someone.phone.call("DELETE", "/phone-sign-in").status_code == 204
    passwordless = application.begin(someone.username).json()
    second = application.begin(someone.username, factor="secondFactor").json()
    listed = [item["id"] for item in someone.phone.challenges()]
    assert passwordless["id"] not in listed and second["id"] in listed
    assert someone.browser.call("DELETE", f"/me/devices/{someone.phone.id}").status_code == 204
    assert someone.phone.call("GET", "/challenges").status_code == 401


def test_j11_a_temporary_access_pass_brings_a_new_phone(demo, administrator):
    user = administrator.create_user("j11person")
    secret = administrator.issue_pass(user["id"])
    browser = Person(demo["base"], demo["tenant"])
    assert browser.sign_in("j11person", temporaryAccessPass=secret).status_code == 200
    assert Person(demo["base"], demo["tenant"]).sign_in("j11person", temporaryAccessPass=secret).status_code == 401
    phone = register(browser, Phone())
    set_up_phone_sign_in(phone)


def test_j11_the_old_phone_lets_the_person_add_a_new_one(demo, someone):
    browser = Person(demo["base"], demo["tenant"])
    reply = browser.sign_in(someone.username, password=someone.password)
    assert reply.status_code == 202, reply.text
    request = reply.json()["signIn"]
    assert someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"]).json()["status"] == "approved"
    stranger = Person(demo["base"], demo["tenant"])
    refused = stranger.call("POST", "/session/complete", json={"id": request["id"], "secret": request["secret"]})
    assert refused.status_code == 403
    done = browser.call("POST", "/session/complete", json={"id": request["id"], "secret": request["secret"]})
    assert done.status_code == 200, done.text
    register(browser, Phone())
    assert len(browser.call("GET", "/me").json()["devices"]) == 2


def test_j12_an_older_phone_is_told_so_and_never_approves(demo, administrator, someone):
    browser = someone.browser
    activation = browser.new_activation()
    refused = Phone(platform="ios", os_version="7.1").activate(activation["activationUri"])
    assert refused.status_code == 422 and refused.json()["code"] == "update_required", refused.text
    old = register(browser, Phone(platform="android", os_version="6.0"))
    set_up_phone_sign_in(old, password=someone.password)
    assert old.call("PATCH", "", body={"osVersion": "5.1"}).status_code == 200
    from client import Application

    application = Application(demo)
    request = application.begin(someone.username).json()
    challenge = old.challenge(request["id"])
    late = old.answer(challenge, number=request["number"])
    assert late.status_code == 403 and late.json()["code"] == "update_required" and late.json()["minimum"]
    assert application.status(request)["status"] == "pending"
    assert someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"]).json()["status"] == "approved"
