"""Processes are killed in the middle of running sign-ins: nothing accepted is lost, nobody is approved twice."""

import concurrent.futures
import os
import pathlib
import signal
import threading
import time

import pytest
import requests

from Benchmarks import population
from client import Administrator, Application, Phone
from stack import Stack

# Each has as many requests open as one may.
PEOPLE, EACH = 67, 3
RUNNING = PEOPLE * EACH


class History:
    """What was accepted, and what became of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted: dict[str, dict] = {}
        self.approvals: dict[str, int] = {}
        self.redemptions: dict[str, int] = {}

    def count(self, table: dict[str, int], key: str) -> None:
        with self.lock:
            table[key] = table.get(key, 0) + 1


def started(pid: int) -> float:
    """When a process began, in seconds since the machine did."""
    ticks = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK")


def until_answered(call, seconds: float = 30):
    """Repeats a call that may be repeated while the system is recovering: as a client does on 503 and broken connections."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            reply = call()
            if reply.status_code != 503:
                return reply
        except requests.exceptions.ConnectionError:
            reply = None
        assert time.monotonic() < deadline, "no answer for 30 s" if reply is None else reply.text
        time.sleep(0.05)


def one_sign_in(demo, member, history):
    application = Application(demo)
    phone = Phone(key=member.key)
    phone.id, phone.base, phone.tenant = member.device, demo["base"], demo["tenant"]
    key = {"Idempotency-Key": f"begin-{threading.get_ident()}-{time.monotonic_ns()}"}
    begun = until_answered(lambda: application.begin(member.username, headers=key))
    assert begun.status_code == 201, begun.text
    request = begun.json()
    history.accepted[request["id"]] = request
    listed = until_answered(lambda: phone.call("GET", "/challenges"))
    assert listed.status_code == 200, listed.text
    challenge = next((item for item in listed.json()["challenges"] if item["id"] == request["id"]), None)
    assert challenge is not None, f"accepted request {request['id']} is lost"
    text = phone.answer_text(challenge, number=request["number"])
    answered = until_answered(lambda: phone.send_answer(request["id"], text))
    assert answered.status_code == 200 and answered.json()["status"] == "approved", answered.text
    history.count(history.approvals, request["id"])
    redeem_key = {"Idempotency-Key": "redeem-" + request["id"]}
    redeemed = until_answered(lambda: application.redeem(request, headers=redeem_key))
    assert redeemed.status_code == 200, redeemed.text
    assert redeemed.json()["user"]["username"] == member.username
    history.count(history.redemptions, request["id"])
    # without the key a second redemption is refused, whatever was killed in between
    again = until_answered(lambda: application.redeem(request))
    assert again.status_code == 409, again.text


@pytest.fixture(scope="module")
def fault_stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("faults") / "var").start()
    # Made by the API each would cost two hashes of a password.
    people = list(population.members("fault", PEOPLE))
    stack.stop()
    population.add(stack, people)
    stack.start()
    yield stack, stack.demo(), people
    assert stack.stop() == 0


@pytest.mark.parametrize("service", Stack.SERVICES)
def test_a_killed_process_loses_nothing_that_was_accepted(fault_stack, service):
    stack, demo, people = fault_stack
    history = History()
    errors = []

    before = stack.pids()[service]
    with concurrent.futures.ThreadPoolExecutor(RUNNING) as pool:
        running = [pool.submit(one_sign_in, demo, people[index % PEOPLE], history) for index in range(RUNNING)]
        Stack.wait_for(lambda: len(history.accepted) >= RUNNING // 4, 60, "a quarter of the sign-ins to be accepted")
        killed = time.clock_gettime(time.CLOCK_BOOTTIME)
        stack.kill(service)
        Stack.wait_for(lambda: stack.pids().get(service, before) != before, 10, f"{service} to be started again")
        # By the process's own record: so many threads may look late.
        assert started(stack.pids()[service]) - killed < 1.5
        for result in running:
            error = result.exception()
            if error is not None:
                errors.append(error)
    assert not errors, errors[0]
    assert len(history.accepted) == RUNNING
    assert set(history.approvals) == set(history.redemptions) == set(history.accepted)
    assert f"{service} ended with status 137; starting it again" in stack.log()
    log = {item["id"]: item for item in Administrator(demo).sign_ins()}
    assert all(log[key]["status"] == "redeemed" for key in history.accepted)


def test_while_challenge_is_away_nobody_is_signed_in_wrongly(fault_stack):
    stack, demo, people = fault_stack
    application = Application(demo)
    pid = stack.pids()["challenge"]
    os.kill(pid, signal.SIGSTOP)
    try:
        reply = application.begin(people[0].username)
        assert reply.status_code == 503 and int(reply.headers["Retry-After"]) > 0
        assert reply.json()["code"] in ("unavailable", "overloaded")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert until_answered(lambda: application.begin(people[0].username)).status_code == 201


def test_without_notifier_everything_is_ready_says_so_and_signs_people_in(fault_stack):
    stack, demo, people = fault_stack

    def ready(url):
        reply = requests.get(url + "/readyz", timeout=5)
        return reply.status_code, reply.json()

    pid = stack.pids()["notifier"]
    os.kill(pid, signal.SIGSTOP)
    try:
        for service in ("challenge", "gateway"):
            Stack.wait_for(lambda: not ready(stack.operations(service))[1]["dependencies"]["bus.notifier"], 20, f"{service} to miss notifier")
            status, report = ready(stack.operations(service))
            assert status == 200 and report["ready"], report
        status, public = ready(stack.base)
        assert status == 200 and public["status"] == "ready", public
        assert public["services"] == {"policy": "reachable", "registration": "reachable", "challenge": "reachable", "verifier": "reachable", "notifier": "unreachable"}
        history = History()
        one_sign_in(demo, people[0], history)
        assert set(history.redemptions) == set(history.accepted) != set()
    finally:
        os.kill(pid, signal.SIGCONT)
    Stack.wait_for(lambda: ready(stack.operations("gateway"))[1]["dependencies"]["bus.notifier"], 20, "the gateway to find notifier again")
