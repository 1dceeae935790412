"""Two gateways in front of the same services: whatever is said twice at once has its effect once, and each hears of the other's."""

import concurrent.futures
import signal
import threading
import time

import pyotp
import pytest
import requests

from client import Application, Phone
from conftest import Someone
from stack import Gateway, Stack

ROUNDS = 200


@pytest.fixture(scope="module")
def gateway(stack):
    gateway = Gateway(stack)
    yield gateway
    assert gateway.stop() == 0


@pytest.fixture
def sides(demo, gateway):
    """The same application at both gateways."""
    return Application(demo), Application({**demo, "base": gateway.address})


def at(gateway: Gateway, phone: Phone) -> Phone:
    """The same phone at another gateway: what it signs still names the one external URL."""
    other = Phone(key=phone.key)
    other.id, other.base, other.tenant, other.origin = phone.id, phone.base, phone.tenant, gateway.address
    return other


def race(pool, *calls):
    barrier = threading.Barrier(len(calls))

    def go(call):
        barrier.wait()
        return call()

    return [reply.result() for reply in [pool.submit(go, call) for call in calls]]


def test_a_saved_change_rules_the_next_request_in_every_process_within_a_second(sides, gateway, administrator, someone):
    """Policy: both gateways, by explain; challenge, by what it sends to the phone. Settings: registration and verifier."""
    policy = "/policies/authenticator"
    path = f"/v1/{administrator.tenant}/admin{policy}/explain?user={someone.username}"
    headers = {"Authorization": f"Bearer {administrator.token}"}
    someone.browser.new_activation()

    def modes() -> list:
        return [requests.get(base + path, headers=headers, timeout=20).json()["mode"] for base in (administrator.base, gateway.address)]

    def reached() -> bool:
        request = sides[0].begin(someone.username).json()
        listed = [item["id"] for item in someone.phone.challenges()]
        sides[0].cancel(request)
        return request["id"] in listed

    def may_add() -> bool:
        reply = someone.browser.call("POST", "/me/activations")
        assert reply.status_code in (201, 409), reply.text
        return reply.status_code == 201

    def far_is_near() -> bool:
        someone.phone.clock_offset = -45
        try:
            return someone.phone.call("GET", "/challenges").status_code == 200
        finally:
            someone.phone.clock_offset = 0

    def within_a_second(*seen) -> None:
        saved = time.monotonic()
        for look, wanted in seen:
            while (found := look()) != wanted:
                assert time.monotonic() - saved < 1, (look.__name__, found)

    assert (modes(), reached(), far_is_near()) == (["any", "any"], True, True)
    try:
        administrator.change(policy, {"state": "disabled"})
        within_a_second((modes, [None, None]), (reached, False))
        administrator.change("/settings", {"clockSkewSeconds": 10, "activationsPerPerson": 1})
        within_a_second((far_is_near, False), (may_add, False))
    finally:
        administrator.change(policy, {"state": "enabled"})
        administrator.change("/settings", {"clockSkewSeconds": 60, "activationsPerPerson": 5})
    within_a_second((modes, ["any", "any"]), (reached, True), (far_is_near, True), (may_add, True))


def test_a_sign_in_goes_through_both(sides, gateway, someone):
    first, second = sides
    request = first.begin(someone.username).json()
    waited = {}
    waiter = threading.Thread(target=lambda: waited.update(second.status(request, wait=20)))
    waiter.start()
    phone = at(gateway, someone.phone)
    assert phone.answer(phone.challenge(request["id"]), number=request["number"]).json() == {"status": "approved", "reason": None}
    waiter.join(5)
    assert waited["status"] == "approved"
    assert second.redeem(request).status_code == 200
    assert first.redeem(request).status_code == 409


def test_a_phone_at_one_hears_of_a_request_at_the_other_at_once(sides, gateway, someone):
    heard, opened = [], threading.Event()

    def listen():
        for event, data in at(gateway, someone.phone).events():
            if event == "challenge":
                heard.append((data["id"], time.monotonic()))
                opened.set()
                if len(heard) == 2:
                    return

    sides[0].begin(someone.username)
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert opened.wait(10)
    begun = time.monotonic()
    request = sides[0].begin(someone.username).json()
    listener.join(5)
    assert heard[1][0] == request["id"] and heard[1][1] - begun < 1


def test_two_answers_race_and_one_wins(sides, gateway, someone):
    phones = someone.phone, at(gateway, someone.phone)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for count in range(ROUNDS):
            request = sides[0].begin(someone.username).json()
            challenge = phones[0].challenge(request["id"])
            approved = phones[count % 2].answer_text(challenge, "approve", request["number"])
            declined = phones[0].answer_text(challenge, "decline")
            replies = race(
                pool, lambda: phones[count % 2].send_answer(request["id"], approved),
                lambda: phones[1 - count % 2].send_answer(request["id"], declined),
            )
            assert sorted(reply.status_code for reply in replies) == [200, 409], [reply.text for reply in replies]
            won = next(reply for reply in replies if reply.status_code == 200).json()
            assert won["status"] == ("approved" if replies[0].status_code == 200 else "denied")
            assert sides[1].redeem(request).status_code == (200 if won["status"] == "approved" else 409)
            if won["status"] == "denied":
                # an approval forgives the refusals, so that the budget does not silence the next rounds
                again = sides[0].begin(someone.username).json()
                phones[0].answer(phones[0].challenge(again["id"]), number=again["number"])
                assert sides[0].redeem(again).status_code == 200


def test_two_redemptions_race_and_one_wins(sides, someone):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            request = sides[0].begin(someone.username).json()
            someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
            replies = race(pool, lambda: sides[0].redeem(request), lambda: sides[1].redeem(request))
            assert sorted(reply.status_code for reply in replies) == [200, 409]


def test_the_same_code_races_and_one_wins(sides, make_someone):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            someone = make_someone(phone_sign_in=False)
            codes = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"])
            for step in (-1, 0, 1):
                requests = [side.begin(someone.username, factor="secondFactor").json() for side in sides]
                code = codes.at(time.time() + 30 * step)
                replies = race(pool, *(lambda side=side, request=request: side.code(request, code) for side, request in zip(sides, requests)))
                statuses = sorted(reply.status_code for reply in replies)
                assert statuses in ([200, 422], [422, 422]), [reply.text for reply in replies]
                # the oldest step of the window may have passed meanwhile; the current one is always good
                assert step != 0 or statuses == [200, 422]
                for side, request in zip(sides, requests):
                    side.redeem(request), side.cancel(request)
                if statuses == [422, 422]:
                    break


def test_when_one_is_killed_the_other_goes_on(demo, stack, someone):
    lost = Gateway(stack, 2)
    application, other = Application({**demo, "base": lost.address}), Application(demo)
    request = application.begin(someone.username).json()
    lost.stop(signal.SIGKILL)
    someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    assert other.status(request, wait=5)["status"] == "approved"
    assert other.redeem(request).status_code == 200


def test_a_gateway_that_stops_takes_requests_until_a_proxy_can_know_it(stack, demo, someone):
    """What a proxy sends over an open connection while that is closed would be lost: the gateway first says that it stops, and waits."""
    stopping = Gateway(stack, 2, f"--http.externalURL={stack.base}", "--http.shutdownDelaySeconds=2")
    application = Application({**demo, "base": stopping.address})
    status = lambda: requests.get(stopping.address + "/readyz", timeout=5).status_code  # noqa: E731
    assert status() == 200 and application.begin(someone.username).status_code == 201
    stopping.process.send_signal(signal.SIGTERM)
    told = time.monotonic()
    Stack.wait_for(lambda: status() == 503, 1.5, "the gateway to say that it stops")
    # Over a connection that is open, and over one that is not yet.
    for _ in range(2):
        assert application.begin(someone.username).status_code == 201
        application = Application({**demo, "base": stopping.address})
    assert stopping.process.wait(timeout=30) == 0 and time.monotonic() - told >= 2
    stopping.log.close()
