"""Processes that are killed, stopped or cut off while people sign in: nothing that was accepted is lost, nobody is signed in twice or
wrongly, and all goes on by itself once the fault is over. The last test proves it on the whole history; the ones before it leave nothing
open whose time it would have to wait for."""

import os
import random
import signal
import time

import pytest

from client import Application
from stack import Stack

from . import network
from .conftest import LONG, lost_callees
from .load import BRISK

# The services in the order of their ports (scripts/supervise).
BEHIND = Stack.SERVICES[:-1]


def port(trial, service: str) -> int:
    return trial.stack.first_port + 10 + Stack.SERVICES.index(service)


@pytest.mark.parametrize("service", Stack.SERVICES)
def test_a_process_is_killed(trial, service):
    with trial.load(f"kill-{service}") as load:
        load.until_redeemed(10)
        before = trial.stack.kill(service)
        Stack.wait_for(lambda: trial.stack.pids().get(service, before) != before, 1.5, f"{service} to be started again")
        load.until_redeemed(40)
    assert f"{service} ended with status 137; starting it again" in trial.stack.log()


def test_a_random_process_is_killed_every_second(trial):
    chance = random.Random(1)

    def kill():
        service = chance.choice(Stack.SERVICES)
        before = trial.stack.kill(service)
        time.sleep(1)
        Stack.wait_for(lambda: trial.stack.pids().get(service, before) != before, 1.5, f"{service} to be started again")

    trial.strike(kill)


def test_all_processes_are_restarted_at_once(trial):
    before = network.overflows()
    with trial.load("restart-all") as load:
        load.until_redeemed(10)
        for pid in trial.stack.pids().values():
            os.kill(pid, signal.SIGKILL)
        load.until_redeemed(40)
    assert network.overflows() == before


@pytest.mark.parametrize("service", Stack.SERVICES)
def test_a_process_is_told_to_end(trial, service):
    """It answers what it has accepted, refuses the rest by name, and is away within 15 s."""
    with trial.load(f"drain-{service}") as load:
        load.until_redeemed(10)
        pid = trial.stack.pids()[service]
        os.kill(pid, signal.SIGTERM)
        Stack.wait_for(lambda: trial.stack.pids().get(service, pid) != pid, 15, f"{service} to end and to be started again")
        load.until_redeemed(30)
    assert f"{service} ended with status 0; starting it again" in trial.stack.log()


@pytest.mark.parametrize("service", ["challenge", "verifier", "registration"] if LONG else ["challenge"])
def test_a_process_stands_still_and_goes_on(trial, service):
    """A pause that is longer than anybody waits: what it was told before must not take effect behind the others' backs."""
    with trial.load(f"stop-{service}") as load:
        load.until_redeemed(10)
        pid = trial.stack.pids()[service]
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(10 if LONG else 4)
        finally:
            os.kill(pid, signal.SIGCONT)
        load.until_redeemed(30)


POINTS = ("after-receive", "before-commit", "after-commit-before-reply", "after-reply")


# What commits something for a sign-in.
METHODS = ["Settle", "Redeem"] + (["BeginChallenge", "CancelChallenge", "SubmitCode", "VerifyDeviceProof", "VerifyCode"] if LONG else [])


@pytest.mark.parametrize("method", METHODS)
def test_a_process_is_killed_at_each_point_of_a_request(trial, failpoints, method):
    trial.kill_at_points(failpoints, method, POINTS)


@pytest.mark.parametrize("method", ["Settle", "Redeem"])
def test_a_process_stands_still_between_an_effect_and_its_commit(trial, failpoints, method):
    with trial.load(f"still-{method}") as load:
        load.until_redeemed(5)
        pid = failpoints.wait(failpoints.arm("before-commit", method, "stop"))
        try:
            time.sleep(10 if LONG else 4)
        finally:
            os.kill(pid, signal.SIGCONT)
        load.until_redeemed(10)


def test_what_comes_to_its_commit_too_late_is_not_committed(trial, failpoints):
    """Nobody repeats it: its caller was told that it was not served, and began anew."""
    application, someone, before, begun = Application(trial.stack.demo()), trial.people[0], set(trial.log()), time.monotonic()
    reached = failpoints.arm("before-commit", "BeginChallenge", "stop")
    reply = application.begin(someone.username)
    pid = failpoints.wait(reached)
    try:
        assert reply.status_code == 503, reply.text
        # A gateway waits for 5 s at most.
        time.sleep(max(0, begun + 5.5 - time.monotonic()))
    finally:
        os.kill(pid, signal.SIGCONT)
    anew = application.begin(someone.username)
    assert anew.status_code == 201, anew.text
    assert application.cancel(anew.json()).status_code == 204
    assert set(trial.log()) - before == {anew.json()["id"]}


@pytest.mark.parametrize("fault", [network.black_hole, network.deaf, network.mute], ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("service", BEHIND if LONG else ["challenge"])
def test_a_process_is_cut_off(trial, service, fault):
    pids, gateway = trial.stack.pids(), trial.stack.operations("gateway")
    with trial.load(f"{fault.__name__}-{service}", intents=BRISK) as load:
        load.until_redeemed(10)
        before = lost_callees(gateway, service)
        with fault(port(trial, service)):
            # Three beats after the last one that came through, which may have been sent after the cut where one direction is left.
            Stack.wait_for(lambda: lost_callees(gateway, service) > before, 6, f"{service} to be given up")
            time.sleep(6 if LONG else 0.5)
        load.until_redeemed(20, seconds=15)
    assert trial.stack.pids() == pids


@pytest.mark.parametrize("service", BEHIND if LONG else ["challenge"])
def test_connections_are_reset_again_and_again(trial, service):
    with trial.load(f"reset-{service}", intents=BRISK) as load:
        load.until_redeemed(10)
        before = lost_callees(trial.stack.operations("gateway"), service)
        with network.resets(port(trial, service), every=0.5, for_each=0.05):
            time.sleep(30 if LONG else 5)
        load.until_redeemed(20, seconds=15)
        assert lost_callees(trial.stack.operations("gateway"), service) > before


def test_packets_are_lost(trial):
    ports = range(port(trial, BEHIND[0]), port(trial, BEHIND[-1]) + 1)
    with trial.load("loss", intents=BRISK) as load:
        with network.lossy(ports, 0.05):
            load.until_redeemed(100 if LONG else 20, seconds=120)
        load.until_redeemed(20)


def test_the_histories_are_clean(trial, tmp_path_factory):
    trial.prove(tmp_path_factory.mktemp("histories"))
