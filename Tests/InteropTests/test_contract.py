"""What the contract says at its edges: shapes, replays, refusals, races, limits."""

import concurrent.futures
import hashlib
import json
import secrets
import threading
import time

import pyotp
import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from client import Person, Phone, b64u, digest, server_sent_events, sign, unb64u


def problem(reply, status, code):
    assert reply.status_code == status, (reply.status_code, reply.text)
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    body = reply.json()
    assert body["code"] == code and body["status"] == status
    assert body["requestId"] == reply.headers["X-Request-Id"]
    return body


def test_every_user_name_gets_the_same_shape(application, administrator, someone):
    blocked = administrator.create_user("blockedperson", "some password here")
    assert administrator.call("POST", f"/users/{blocked['id']}:block").status_code in (200, 204)
    administrator.create_user("phoneless", "some password here")
    shapes = set()
    for name in (someone.username, "nobody-here", "blockedperson", "phoneless"):
        reply = application.begin(name)
        assert reply.status_code == 201
        body = reply.json()
        shapes.add(
            (
                tuple((key, type(value).__name__) for key, value in body.items()),
                len(body["id"]), len(body["secret"]), len(body["number"]), tuple(body["methods"]), len(reply.content),
                tuple(sorted(key.lower() for key in reply.headers)),
            )
        )
        assert reply.headers["Location"].endswith(f"/sign-ins/{body['id']}")
        assert application.status(body)["status"] == "pending"
    assert len(shapes) == 1


def test_listed_members_are_always_present(application, someone):
    request = application.begin(someone.username).json()
    assert list(request) == ["id", "secret", "status", "number", "createdAt", "expiresAt", "methods"]
    assert application.status(request) == {
        "id": request["id"], "status": "pending", "reason": None, "method": None, "expiresAt": request["expiresAt"],
    }


def test_the_receipt_verifies_offline(application, someone):
    request = application.begin(someone.username).json()
    someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    body = application.redeem(request).json()
    head, payload, signature = body["receipt"].split(".")
    key = body["receiptKey"]
    public = ec.EllipticCurvePublicNumbers(
        int.from_bytes(unb64u(key["x"]), "big"), int.from_bytes(unb64u(key["y"]), "big"), ec.SECP256R1()
    ).public_key()
    raw = unb64u(signature)
    public.verify(
        encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")), f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256())
    )
    claims = json.loads(unb64u(payload))
    assert claims["content"] == b64u(hashlib.sha256(unb64u(body["receiptContent"])).digest())
    assert claims["challenge"] == request["id"] and claims["number"] == request["number"]


def test_answers_that_are_not_genuine_are_refused_with_one_neutral_text(application, someone, make_someone):
    request = application.begin(someone.username).json()
    challenge = someone.phone.challenge(request["id"])
    other = make_someone()
    stranger = Phone()
    stranger.id, stranger.base, stranger.tenant = someone.phone.id, someone.phone.base, someone.phone.tenant
    texts = {
        "another person's device": other.phone.answer_text(challenge, number=request["number"]),
        "a wrong key": stranger.answer_text(challenge, number=request["number"]),
        "a foreign audience": someone.phone.answer_text(challenge, number=request["number"], changes={"aud": "http://elsewhere/demo"}),
        "another content": someone.phone.answer_text(challenge, number=request["number"], changes={"content": digest(b"{}")}),
        "another challenge": someone.phone.answer_text(challenge, number=request["number"], changes={"challenge": "A" * 22}),
    }
    details = set()
    for what, text in texts.items():
        body = problem(someone.phone.send_answer(request["id"], text), 403, "refused")
        details.add(body["detail"])
    details.add(problem(someone.phone.send_answer("A" * 22, texts["another challenge"]), 403, "refused")["detail"])
    assert len(details) == 1
    # none of them used up the number's one try
    assert someone.phone.answer(challenge, number=request["number"]).json()["status"] == "approved"


def test_a_second_answer_is_refused_and_the_identical_retry_gets_the_first_reply(application, someone):
    request = application.begin(someone.username).json()
    challenge = someone.phone.challenge(request["id"])
    text = someone.phone.answer_text(challenge, number=request["number"])
    first = someone.phone.send_answer(request["id"], text)
    assert someone.phone.send_answer(request["id"], text).json() == first.json()
    problem(someone.phone.answer(challenge, "decline"), 409, "settled")
    problem(application.cancel(request), 409, "settled")


def test_a_proof_is_accepted_once_and_for_its_own_request_only(someone):
    phone = someone.phone
    url = f"{phone.base}/v1/{phone.tenant}/devices/{phone.id}/challenges"
    proof = phone.proof("GET", url, None)
    assert phone.call("GET", "/challenges", proof=proof).status_code == 200
    assert phone.call("GET", "/challenges", proof=proof).status_code == 401
    assert phone.call("GET", "/challenges", proof=phone.proof("POST", url, None)).status_code == 401
    assert phone.call("GET", "/challenges", proof=phone.proof("GET", url + "x", None)).status_code == 401
    assert phone.call("GET", "/challenges", proof=phone.proof("GET", url, None, jti="short")).status_code == 401


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_phone_whose_clock_is_an_hour_wrong_is_told_so(someone, hours):
    phone = someone.phone
    phone.clock_offset = hours * 3600
    reply = phone.call("GET", "/challenges")
    problem(reply, 401, "clock_skew")
    assert reply.headers["Date"]
    phone.clock_offset = 0
    assert phone.call("GET", "/challenges").status_code == 200


def test_an_answer_with_a_wrong_clock_still_counts(application, someone):
    request = application.begin(someone.username).json()
    challenge = someone.phone.challenge(request["id"])
    assert someone.phone.answer(challenge, number=request["number"], changes={"iat": int(time.time()) - 3600}).json()["status"] == "approved"


def test_cancel_ends_a_request_everywhere(application, someone):
    request = application.begin(someone.username).json()
    challenge = someone.phone.challenge(request["id"])
    assert application.cancel(request).status_code == 204
    assert application.cancel(request).status_code == 204
    assert application.status(request)["status"] == "canceled"
    assert someone.phone.challenges() == []
    problem(someone.phone.answer(challenge, number=request["number"]), 409, "settled")
    problem(application.redeem(request), 409, "not_approved")


def test_the_fourth_open_request_never_reaches_the_phone(application, someone):
    opened = [application.begin(someone.username).json() for _ in range(4)]
    listed = {item["id"] for item in someone.phone.challenges()}
    assert listed == {request["id"] for request in opened[:3]}
    for request in opened:
        application.cancel(request)


def test_the_budget_silences_but_lists(application, someone):
    for _ in range(5):
        request = application.begin(someone.username).json()
        assert someone.phone.answer(someone.phone.challenge(request["id"]), "decline").status_code == 200
    heard = []
    silent = application.begin(someone.username).json()

    def listen():
        for event, data in someone.phone.events():
            if event is not None:
                heard.append((event, data["id"]))
                if event == "challenge":
                    break

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    assert silent["id"] in {item["id"] for item in someone.phone.challenges()}
    # an approval by push lifts the silence
    assert someone.phone.answer(someone.phone.challenge(silent["id"]), number=silent["number"]).json()["status"] == "approved"
    ringing = application.begin(someone.username).json()
    listening.join(10)
    assert not listening.is_alive(), "the next request rings"
    assert ("challenge", silent["id"]) not in heard and ("challenge", ringing["id"]) in heard


def test_a_report_raises_the_digits_to_three(application, someone):
    request = application.begin(someone.username).json()
    someone.phone.answer(someone.phone.challenge(request["id"]), "report")
    assert len(application.begin(someone.username).json()["number"]) == 3


def test_a_request_of_one_client_is_unknown_to_another(application, administrator, someone, demo):
    made = administrator.call("POST", "/clients", json={"name": "Other"})
    assert made.status_code == 201, made.text
    from client import Application

    other = Application({**demo, "client": {"id": made.json()["id"], "secret": made.json()["secret"]}})
    request = application.begin(someone.username).json()
    problem(other.call("GET", request), 404, "not_found")
    problem(application.call("GET", request, secret="A" * 43), 404, "not_found")
    problem(other.begin(someone.username, application="Payroll"), 422, "unknown_application")


def test_bearer_tokens_of_the_token_end_point_work(application, someone, demo):
    url = f"{demo['base']}/v1/{demo['tenant']}/token"
    reply = requests.post(url, data={"grant_type": "client_credentials"}, auth=application.credentials, timeout=30)
    assert reply.status_code == 200 and reply.json()["token_type"].lower() == "bearer", reply.text
    begun = requests.post(
        application.url("/sign-ins"), json={"username": someone.username}, headers={"Authorization": "Bearer " + reply.json()["access_token"]}, timeout=30
    )
    assert begun.status_code == 201
    refused = requests.post(application.url("/sign-ins"), json={"username": "x"}, auth=(application.credentials[0], "wrong"), timeout=30)
    problem(refused, 401, "not_authenticated")
    assert refused.headers["WWW-Authenticate"]


def test_a_token_is_had_again_by_its_idempotency_key(application, demo):
    url, headers = f"{demo['base']}/v1/{demo['tenant']}/token", {"Idempotency-Key": "token-" + secrets.token_hex(8)}
    ask = lambda: requests.post(url, data={"grant_type": "client_credentials"}, auth=application.credentials, headers=headers, timeout=30)  # noqa: E731
    first, again = ask(), ask()
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    # Whoever has not the secret learns nothing of the key.
    stranger = requests.post(url, data={"grant_type": "client_credentials"}, auth=(application.credentials[0], "wrong"), headers=headers, timeout=30)
    assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")
    headers["Idempotency-Key"] += "-another"
    assert ask().json()["access_token"] != first.json()["access_token"]


def test_what_location_names_can_be_read(administrator, someone):
    made = administrator.call("POST", "/clients", json={"name": "Location", "applications": ["Shop"]})
    kept = {name: value for name, value in made.json().items() if name != "secret"}
    bearer = {"Authorization": f"Bearer {administrator.token}"}
    found = requests.get(administrator.base + made.headers["Location"], headers=bearer, timeout=30)
    assert (found.status_code, found.json()) == (200, kept)
    assert administrator.call("DELETE", f"/clients/{kept['id']}").status_code == 204
    problem(administrator.call("GET", f"/clients/{kept['id']}"), 404, "not_found")
    device = someone.phone.call("GET", "")
    assert device.status_code == 200, device.text
    assert (device.json()["id"], device.json()["state"]) == (someone.phone.id, "active")


@pytest.mark.parametrize("path", ["/admin/users?limit=0", "/admin/audit?cursor=x", "/admin/sign-ins?status=x", "/me/sign-ins?limit=0", "/sign-ins/x?wait=99"])
def test_who_asks_is_looked_at_before_what_is_asked(demo, path):
    problem(requests.get(f"{demo['base']}/v1/{demo['tenant']}{path}", timeout=30), 401, "not_authenticated")


def test_an_idempotency_key_repeats_the_first_reply(application, someone):
    headers = {"Idempotency-Key": "begin-" + b64u(hashlib.sha256(someone.username.encode()).digest()[:9])}
    first = application.begin(someone.username, headers=headers)
    second = application.begin(someone.username, headers=headers)
    assert first.status_code == second.status_code == 201 and first.json() == second.json()
    problem(application.begin("somebody-else", headers=headers), 422, "idempotency_mismatch")
    request = first.json()
    someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    key = {"Idempotency-Key": "redeem-" + request["id"]}
    redeemed = application.redeem(request, headers=key)
    assert redeemed.status_code == 200 and application.redeem(request, headers=key).json() == redeemed.json()
    problem(application.redeem(request), 409, "already_redeemed")


def test_unknown_members_and_bad_values_are_named(application):
    body = problem(application.begin("alice", numbre=1), 400, "unknown_member")
    assert "numbre" in body["detail"]
    assert application.begin("alice", context={"anything": 1}).status_code == 201
    problem(application.begin(""), 422, "invalid_username")
    problem(application.begin("x" * 257), 422, "invalid_username")
    problem(application.http.post(application.url("/sign-ins"), data=b"{", headers={"Content-Type": "application/json"}, auth=application.credentials), 400, "malformed")
    problem(application.http.post(application.url("/sign-ins"), data=b"a=1", auth=application.credentials, headers={"Content-Type": "application/x-www-form-urlencoded"}), 415, "unsupported_media_type")
    huge = application.http.post(application.url("/sign-ins"), json={"username": "x" * 70000}, auth=application.credentials)
    problem(huge, 413, "too_large")


def test_settings_out_of_range_name_member_and_range(administrator):
    current = administrator.call("GET", "/settings")
    reply = administrator.call("PATCH", "/settings", headers={"If-Match": current.headers["ETag"]}, json={"numberDigits": 9})
    body = problem(reply, 422, "out_of_range")
    assert "numberDigits" in body["detail"] and "2" in body["detail"] and "6" in body["detail"]
    problem(administrator.call("PATCH", "/settings", json={"numberDigits": 3}), 428, "precondition_required")
    problem(administrator.call("PATCH", "/settings", headers={"If-Match": '"stale"'}, json={"numberDigits": 3}), 412, "precondition_failed")


def test_wrong_codes_are_counted_across_requests(application, someone):
    codes = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"])
    near = {codes.at(time.time() + 30 * step) for step in range(-3, 5)}
    wrong = next(code for code in (f"{value:06d}" for value in range(1000)) if code not in near)
    for _ in range(3):
        request = application.begin(someone.username, factor="secondFactor").json()
        problem(application.code(request, wrong), 422, "invalid_code")
        application.cancel(request)
    request = application.begin(someone.username, factor="secondFactor").json()
    limited = application.code(request, codes.now())
    problem(limited, 429, "too_many_attempts")
    assert int(limited.headers["Retry-After"]) > 0


def test_unknown_people_meet_the_same_limit_for_codes(application):
    name = "ghost-of-nobody"
    for _ in range(3):
        problem(application.code(application.begin(name, factor="secondFactor").json(), "000000"), 422, "invalid_code")
    problem(application.code(application.begin(name, factor="secondFactor").json(), "000000"), 429, "too_many_attempts")


def test_events_of_a_sign_in_start_with_the_current_status_and_end_when_settled(application, someone):
    request = application.begin(someone.username).json()
    url = application.url(f"/sign-ins/{request['id']}/events")
    with requests.get(url, auth=application.credentials, headers={"Sign-In-Secret": request["secret"]}, stream=True, timeout=30) as reply:
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        events = server_sent_events(reply)
        assert next(events)[1]["status"] == "pending"
        someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
        settled = [data["status"] for event, data in events if event == "status"]
    assert settled == ["approved"]


def test_a_connected_phone_hears_of_a_request_and_of_its_end(application, someone):
    heard, ready, done = [], threading.Event(), threading.Event()
    first = application.begin(someone.username).json()

    def listen():
        for event, data in someone.phone.events():
            if event is not None:
                heard.append((event, data["id"], time.monotonic()))
                ready.set()
                if len(heard) == 4:
                    break
        done.set()

    threading.Thread(target=listen, daemon=True).start()
    assert ready.wait(10), "what is open is sent at once"
    second = application.begin(someone.username).json()
    begun = time.monotonic()
    application.cancel(first)
    application.cancel(second)
    assert done.wait(10), heard
    assert ("challenge", first["id"]) == heard[0][:2]
    assert {(event, identifier) for event, identifier, _ in heard} == {
        (event, request["id"]) for event in ("challenge", "settled") for request in (first, second)
    }
    assert next(at for event, identifier, at in heard if (event, identifier) == ("challenge", second["id"])) - begun < 1


def test_the_stream_of_a_removed_device_ends_at_once(someone):
    ended, opened = threading.Event(), threading.Event()

    def listen():
        url = f"{someone.phone.base}/v1/{someone.phone.tenant}/devices/{someone.phone.id}/events"
        headers = {"Authorization": "DeviceProof " + someone.phone.proof("GET", url, None)}
        with requests.get(url, headers=headers, stream=True, timeout=40) as reply:
            assert reply.status_code == 200
            opened.set()
            for _ in reply.iter_content(1):
                pass
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    assert opened.wait(10)
    assert someone.browser.call("DELETE", f"/me/devices/{someone.phone.id}").status_code == 204
    assert ended.wait(5)


def test_block_ends_sessions_and_open_requests(application, administrator, someone):
    request = application.begin(someone.username).json()
    assert administrator.call("POST", f"/users/{someone.user['id']}:block").status_code in (200, 204)
    assert application.status(request, wait=5)["status"] == "canceled"
    assert someone.browser.call("GET", "/me").status_code == 401
    assert administrator.call("POST", f"/users/{someone.user['id']}:unblock").status_code in (200, 204)
    again = application.begin(someone.username).json()
    assert someone.phone.challenge(again["id"])


def test_two_answers_race_and_one_wins(application, make_someone):
    someone = make_someone()
    second = Phone(key=someone.phone.key)
    second.id, second.base, second.tenant = someone.phone.id, someone.phone.base, someone.phone.tenant
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(100):
            request = application.begin(someone.username).json()
            challenge = someone.phone.challenge(request["id"])
            approve = pool.submit(someone.phone.answer, challenge, "approve", request["number"])
            decline = pool.submit(second.answer, challenge, "decline")
            statuses = sorted([approve.result().status_code, decline.result().status_code])
            assert statuses == [200, 409]
            if decline.result().status_code == 200:
                approved = application.begin(someone.username).json()
                someone.phone.answer(someone.phone.challenge(approved["id"]), number=approved["number"])


def test_two_redemptions_race_and_one_wins(application, someone):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(25):
            request = application.begin(someone.username).json()
            someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
            replies = [reply.result().status_code for reply in [pool.submit(application.redeem, request) for _ in range(8)]]
            assert sorted(replies) == [200] + [409] * 7


def test_import_reports_each_bad_line_by_number(administrator):
    text = "username,displayName,password,groups\nimported1,One,,Staff\n,Nameless,,\nimported2,Two,,Staff;Other\n"
    reply = administrator.call("POST", "/users:import", data=text.encode(), headers={"Content-Type": "text/csv"})
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["created"] == 2 and [item["line"] for item in body["problems"]] == [3]
    lines = "\n".join(json.dumps({"username": f"nd{index}", "displayName": str(index)}) for index in range(1200)) + "\nnot json\n"
    reply = administrator.call("POST", "/users:import", data=lines.encode(), headers={"Content-Type": "application/x-ndjson"})
    assert reply.json()["created"] == 1200 and reply.json()["problems"][0]["line"] == 1201
    page = administrator.get("/users?search=nd&limit=1000")
    assert len(page["items"]) == 1000 and page["next"]
    assert len(administrator.get(f"/users?search=nd&limit=1000&cursor={page['next']}")["items"]) == 200


def test_the_audit_log_says_who_changed_what(administrator):
    administrator.create_user("auditee")
    entries = administrator.get("/audit?limit=50")["items"]
    assert any("auditee" in json.dumps(entry) for entry in entries)
    assert entries == sorted(entries, key=lambda entry: entry["at"], reverse=True)


def test_a_sign_in_that_was_not_me(demo, application, administrator, make_someone):
    me, other = make_someone(), make_someone()
    request = application.begin(me.username).json()
    me.phone.answer(me.phone.challenge(request["id"]), number=request["number"])
    assert application.redeem(request).status_code == 200
    report = f"/me/sign-ins/{request['id']}:report"
    guest = Person(demo["base"], demo["tenant"])
    assert guest.sign_in(other.username, temporaryAccessPass=administrator.issue_pass(other.user["id"])).status_code == 200
    problem(other.browser.call("POST", report), 404, "not_found")
    problem(me.browser.call("POST", "/me/sign-ins/unknown:report"), 404, "not_found")
    # What is not found ends nothing.
    assert guest.call("GET", "/me").status_code == 200
    problem(requests.post(f"{demo['base']}/v1/{demo['tenant']}{report}", timeout=30), 401, "not_authenticated")
    elsewhere = Person(demo["base"], demo["tenant"])
    elsewhere.http.cookies.update(me.browser.http.cookies)
    stranger = Person(demo["base"], demo["tenant"])
    assert stranger.sign_in(me.username, temporaryAccessPass=administrator.issue_pass(me.user["id"])).status_code == 200
    begun = stranger.new_activation()
    for _ in range(2):
        assert me.browser.call("POST", report).status_code == 204
    problem(stranger.call("GET", "/me"), 401, "not_authenticated")
    assert me.browser.call("GET", "/me").status_code == elsewhere.call("GET", "/me").status_code == 200, "the session that reported"
    late = Phone().activate(begun["activationUri"])
    assert late.status_code in (403, 409, 410), late.text
    entry = administrator.get(f"/sign-ins?user={me.username}")["items"][0]
    assert (entry["id"], entry["status"], entry["reason"]) == (request["id"], "redeemed", "reported")
    following = application.begin(me.username).json()
    assert len(following["number"]) == 3 and me.phone.challenge(following["id"]), "silent, but listed"
