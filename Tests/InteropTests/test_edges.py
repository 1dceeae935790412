"""What the edge promises beside the journeys: repeats in a browser and of imports, whole lists, values between what is allowed."""

import base64
import json
import os
import pathlib
import secrets
import socket
import struct
import time
import uuid

import pyotp
import requests

from client import Person, b64u, unb64u

NDJSON = {"Content-Type": "application/x-ndjson"}


def key() -> dict:
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_a_repeat_in_the_same_browser_is_the_same_request_and_in_another_browser_another_one(demo, someone):
    browser, again = Person(demo["base"], demo["tenant"]), key()
    body = {"username": someone.username, "password": someone.password}
    first, second = (browser.call("POST", "/session", json=body, headers=again) for _ in range(2))
    assert first.status_code == second.status_code == 202, second.text
    assert first.json() == second.json()
    stranger = Person(demo["base"], demo["tenant"]).call("POST", "/session", json=body, headers=again)
    assert stranger.status_code == 202 and stranger.json()["signIn"]["id"] != first.json()["signIn"]["id"]


def test_a_repeat_of_a_browser_that_calls_itself_otherwise_is_the_same_request(demo, someone):
    browser, again = Person(demo["base"], demo["tenant"]), key()
    assert browser.sign_in(someone.username).status_code == 202
    replies = [
        browser.call("POST", "/session", json={"username": someone.username}, headers={**again, "User-Agent": name}) for name in ("Old/1", "Renewed/2")
    ]
    assert [reply.status_code for reply in replies] == [202, 202], replies[1].text
    assert replies[0].json() == replies[1].json()


def test_an_empty_credential_is_a_wrong_one_and_an_empty_password_beside_a_code_none(demo, someone, application):
    for name in ("password", "temporaryAccessPass"):
        reply = Person(demo["base"], demo["tenant"]).sign_in(someone.username, **{name: ""})
        assert (reply.status_code, reply.json()["code"]) == (401, "invalid_credentials"), reply.text
    code = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"]).now()
    accepted = application.code(application.begin(someone.username, factor="secondFactor").json(), code, password="")
    assert accepted.status_code == 200 and accepted.json()["method"] == "code", accepted.text


def test_the_qr_code_of_the_longest_user_names(demo, administrator):
    for name, status in (("字" * 250 + secrets.token_hex(3), 200), ("🦊" * 250 + secrets.token_hex(3), 422)):
        user = administrator.create_user(name)
        browser = Person(demo["base"], demo["tenant"])
        assert browser.sign_in(name, temporaryAccessPass=administrator.issue_pass(user["id"])).status_code == 200
        image = browser.call("GET", f"/me/activations/{browser.new_activation()['id']}/qr.svg")
        assert image.status_code == status, image.text
        assert status == 200 or image.json()["code"] == "invalid_username"


def test_an_older_request_of_a_browser_can_be_completed_after_a_newer_one_began(demo, someone):
    browser = Person(demo["base"], demo["tenant"])
    older, _ = (browser.sign_in(someone.username, password=someone.password).json()["signIn"] for _ in range(2))
    approved = someone.phone.answer(someone.phone.challenge(older["id"]), number=older["number"])
    assert approved.json()["status"] == "approved", approved.text
    done = browser.call("POST", "/session/complete", json={"id": older["id"], "secret": older["secret"]})
    assert done.status_code == 200, done.text


def test_a_repeated_import_gets_the_same_report_and_changes_nothing(administrator):
    name = "import" + secrets.token_hex(4)
    body = f'{{"username":"{name}"}}\nnot JSON\n'
    again = {**NDJSON, **key()}
    reports = [administrator.call("POST", "/users:import", data=body, headers=again) for _ in range(2)]
    assert [reply.status_code for reply in reports] == [200, 200], reports[1].text
    assert reports[0].json() == reports[1].json()
    assert (reports[0].json()["created"], reports[0].json()["problemCount"]) == (1, 1)
    other = administrator.call("POST", "/users:import", data=body, headers={**NDJSON, **key()})
    assert tuple(other.json()[name] for name in ("created", "updated", "unchanged")) == (0, 0, 1)


def test_a_file_of_bad_lines_gets_its_report(administrator):
    reply = administrator.call("POST", "/users:import", data="x\n" * 10_001, headers=NDJSON)
    assert reply.status_code == 200, reply.text
    report = reply.json()
    assert report["problemCount"] == 10_001 and [line["line"] for line in report["problems"]] == list(range(1, 10_001))


def test_tenants_are_listed_page_by_page(stack, demo):
    operator = {"Authorization": "Bearer " + (stack.var / "keys/operator.token").read_text().strip()}
    url = demo["base"] + "/v1/tenants"
    made = {f"page-{secrets.token_hex(4)}" for _ in range(2)}
    for tenant in made:
        reply = requests.post(url, json={"id": tenant, "name": "A page"}, headers=operator, timeout=20)
        assert reply.status_code == 201, reply.text
    seen, cursor = [], None
    while True:
        page = requests.get(url, params={"limit": 1, **({"cursor": cursor} if cursor else {})}, headers=operator, timeout=20).json()
        assert len(page["items"]) <= 1
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert made | {demo["tenant"]} <= set(seen) and len(seen) == len(set(seen))


def test_an_offline_code_lasts_30_or_60_seconds_and_nothing_between(administrator):
    tag = administrator.call("GET", "/settings").headers["ETag"]
    reply = administrator.call("PATCH", "/settings", headers={"If-Match": tag}, json={"offlineCodePeriodSeconds": 45})
    assert reply.status_code == 422, reply.text
    assert reply.json()["member"] == "offlineCodePeriodSeconds" and reply.json()["allowed"] == "30 or 60"


def test_a_proof_may_have_a_long_identifier(someone):
    url = f"{someone.phone.base}/v1/{someone.phone.tenant}/devices/{someone.phone.id}/challenges"
    for length, status in ((16, 200), (256, 200), (257, 401)):
        proof = someone.phone.proof("GET", url, None, jti=b64u(os.urandom(length)))
        assert someone.phone.call("GET", "/challenges", proof=proof).status_code == status


def test_what_an_application_says_of_the_browser_is_cut_and_cleaned(application, someone):
    context = {"ipAddress": "203.0.113.7\n" + "0" * 100, "userAgent": "\u202eBrowser\u200b " + "é" * 400}
    request = application.begin(someone.username, context=context)
    assert request.status_code == 201, request.text
    content = json.loads(unb64u(someone.phone.challenge(request.json()["id"])["content"]))
    assert content["ipAddress"] == ("203.0.113.7" + "0" * 100)[:64]
    assert content["userAgent"] == "Browser " + "é" * 252


def exchange(stack, head: str, body: bytes = b"") -> tuple[bytes, bytes]:
    """Sends a head as it is written, and the body once the server asks for it; what came before the body, and after."""
    with socket.create_connection(("127.0.0.1", stack.first_port), timeout=20) as raw:
        raw.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        first = raw.recv(65536)
        if body and b" 100 " in first:
            raw.sendall(body)
            return first, raw.recv(65536)
        return first, b""


def test_a_request_without_host_is_malformed_but_a_check_of_the_process_needs_none(stack, demo):
    refused, _ = exchange(stack, f"GET /v1/{demo['tenant']}/me HTTP/1.1\nConnection: close")
    assert refused.startswith(b"HTTP/1.1 400 ") and b'"detail":"the request has no Host"' in refused
    answered, _ = exchange(stack, "GET /readyz HTTP/1.0")
    assert b" 200 " in answered.splitlines()[0]


def test_a_body_is_asked_for_when_nothing_else_refuses_it(stack, demo, application):
    body = b'{"username":"alice"}'
    head = f"POST /v1/{demo['tenant']}/%s HTTP/1.1\nHost: 127.0.0.1\nConnection: close\nExpect: 100-continue\nContent-Type: %s\nContent-Length: %d%s"
    basic = "\nAuthorization: Basic " + base64.b64encode(":".join(application.credentials).encode()).decode()
    asked, made = exchange(stack, head % ("sign-ins", "application/json", len(body), basic), body)
    assert asked.startswith(b"HTTP/1.1 100 ") and made.startswith(b"HTTP/1.1 201 "), (asked, made)
    refused, _ = exchange(stack, head % ("sign-ins", "application/json", 65537, basic))
    assert refused.startswith(b"HTTP/1.1 413 ")
    refused, _ = exchange(stack, head % ("admin/users:import", "text/csv", 100, ""))
    assert refused.startswith(b"HTTP/1.1 401 ")
    bearer = f"\nAuthorization: Bearer {demo['admin']['token']}"
    line = b"username\nexpected\n"
    asked, report = exchange(stack, head % ("admin/users:import", "text/csv", len(line), bearer), line)
    assert asked.startswith(b"HTTP/1.1 100 ") and report.startswith(b"HTTP/1.1 200 "), (asked, report)


def test_who_goes_away_before_a_stream_begins_leaves_its_place(stack, demo, application, someone):
    place = f"127.0.0.1:{stack.first_port}"
    basic = base64.b64encode(":".join(application.credentials).encode()).decode()

    def leave(path: str, after: float, **headers) -> None:
        with socket.create_connection(("127.0.0.1", stack.first_port), timeout=10) as connection:
            # Its end is a reset (socket(7), SO_LINGER).
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            lines = [f"GET /v1/{demo['tenant']}{path} HTTP/1.1", f"Host: {place}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            time.sleep(after)

    events = f"/devices/{someone.phone.id}/events"
    for number in range(96):
        after = number % 24 / 2000
        request = application.begin(secrets.token_hex(6)).json()
        leave(f"/sign-ins/{request['id']}/events", after, Authorization=f"Basic {basic}", Sign_In_Secret=request["secret"])
        leave(events, after, Authorization="DeviceProof " + someone.phone.proof("GET", f"{someone.phone.base}/v1/{demo['tenant']}{events}", None))
    taken = lambda: [stack.metric("gateway", f"countersign_http_{what}_open") for what in ("waits", "streams")]  # noqa: E731
    stack.wait_for(lambda: taken() == [0, 0], 10, "the places to be free")


def test_a_lost_administrators_token_is_replaced_by_the_operator(stack, demo):
    operator = {"Authorization": "Bearer " + (stack.var / "keys/operator.token").read_text().strip()}
    tenant = f"renewed-{secrets.token_hex(4)}"
    made = requests.post(demo["base"] + "/v1/tenants", json={"id": tenant, "name": "Renewed"}, headers=operator, timeout=20).json()
    settings, renewal = f"{demo['base']}/v1/{tenant}/admin/settings", f"{demo['base']}/v1/{tenant}:renew-admin-token"

    def status(token: str) -> int:
        return requests.get(settings, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code

    assert status(made["adminToken"]) == 200
    assert requests.post(renewal, headers={"Authorization": f"Bearer {made['adminToken']}"}, timeout=20).status_code in (401, 403)
    again = {**operator, **key()}
    first, repeat = (requests.post(renewal, headers=again, timeout=20) for _ in range(2))
    assert first.status_code == 200 and first.json() == repeat.json() and first.json()["name"] == "Renewed"
    assert (status(made["adminToken"]), status(first.json()["adminToken"])) == (401, 200)
    audit = requests.get(
        f"{demo['base']}/v1/{tenant}/admin/audit", headers={"Authorization": f"Bearer {first.json()['adminToken']}"}, timeout=20
    ).json()["items"]
    assert audit[0]["action"] == "tenant.renewAdminToken" and first.json()["adminToken"] not in json.dumps(audit)


def test_idle_connections_to_the_operations_port_are_bounded_and_hold_up_nobody_for_long(stack):
    held = [socket.create_connection(("127.0.0.1", stack.first_port + 20), timeout=20) for _ in range(200)]
    assert sum(1 for name in (pathlib.Path("/proc") / str(stack.pids()["policy"]) / "fd").iterdir()) < 150
    for raw in held:
        raw.close()
    assert requests.get(stack.operations("policy") + "/healthz", timeout=20).status_code == 200
