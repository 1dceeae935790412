"""What the edge promises beside the journeys: repeats in a browser and of imports, whole lists, values between what is allowed."""

import json
import os
import secrets
import uuid

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
    assert (other.json()["created"], other.json()["updated"]) == (0, 1)


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
