"""Three times as much is asked as the system admits: it does as much as before, tells the rest when to come again, and keeps nothing of it.

One of its processes is slowed down for it. What a whole machine can do, and three times that in an open loop, is P3 of `make bench`."""

import contextlib
import os
import signal
import threading
import time

import pytest

from Benchmarks import machine
from stack import Gateway

from .conftest import LONG

# How many the gateway answers at the same time before it turns sign-ins away.
ADMITTED = 4
TIMES = 3
# Of each of these the slow process runs for a share.
TURN, SHARE = 0.04, 0.15


@contextlib.contextmanager
def slowed(pid: int):
    """The process gets a share of the time that it would take, so that it, and not this machine or who asks, is what limits the rest."""
    over = threading.Event()

    def run():
        while not over.wait(TURN * SHARE):
            os.kill(pid, signal.SIGSTOP)
            over.wait(TURN * (1 - SHARE))
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def tried(load) -> int:
    return load.history.count("invoke", "begin")


@pytest.mark.skipif(not LONG, reason="two rates are compared, which takes longer than the short form has")
def test_at_three_times_what_is_admitted_as_much_is_done_and_the_rest_is_told_when_to_come_again(trial, tmp_path):
    seconds = 30
    challenge = trial.stack.pids()["challenge"]
    gateway = Gateway(trial.stack, 1, f"--http.externalURL={trial.stack.base}", f"--http.requestsMax={ADMITTED}")
    resident = lambda: sum(machine.usage(pid).resident_kib for pid in (gateway.process.pid, *trial.stack.pids().values()))
    try:
        with slowed(challenge):
            # As many as it answers at the same time, so that nobody is turned away.
            with trial.load("calm", gateway.address, intents=["approve"], people=ADMITTED) as calm:
                calm.until_redeemed(2 * ADMITTED)
                most = calm.rate("redeem", seconds)
            with trial.load("overload", gateway.address, intents=["approve"]) as overload:
                overload.until_redeemed(2 * ADMITTED)
                before, first, begun = resident(), tried(overload), time.monotonic()
                done = overload.rate("redeem", seconds)
                asked = (tried(overload) - first) / (time.monotonic() - begun)
                after = resident()
        print(f"done {most:.1f}/s in a closed loop; then asked {asked:.1f}/s, done {done:.1f}/s; memory {before} and {after} KiB")
        assert asked >= TIMES * most
        assert done >= 0.9 * most
        assert after < 1.1 * before
        # Who has begun goes on; that each refusal says when to come again is the checker's to prove.
        turned_away = overload.put_off()
        assert turned_away and {(event.operation, event.facts["error"]) for event in turned_away} == {("begin", "503")}
        with trial.load("afterwards", gateway.address, intents=["approve"], people=ADMITTED // 2) as afterwards:
            afterwards.until_redeemed(10, seconds=10)
        assert afterwards.put_off() == []
    finally:
        assert gateway.stop() == 0
    trial.prove(tmp_path)
