"""A disk that is full or that fails, descriptors that have run out, a clock that jumps: what was not committed is never said to be."""

import contextlib
import datetime
import time

import pytest

from stack import Stack

from .beneath import no_descriptors
from .conftest import lost_callees
from .load import BRISK


def until_put_off(load, or_else=lambda: False) -> None:
    """Returns when a call got no answer, or that it should come later; or when `or_else` holds."""
    before = load.history.count("unknown")
    Stack.wait_for(lambda: load.history.count("unknown") > before or or_else(), 15, "a call to be put off")


def test_a_full_disk_stops_that_service_and_nothing_is_lost(trial, beneath):
    with trial.load("disk-full", intents=BRISK) as load:
        load.until_redeemed(10)
        with beneath.full_disk("challenge"):
            until_put_off(load)
            time.sleep(2)
        load.until_redeemed(20)


def test_a_disk_that_cannot_sync_is_never_trusted(trial, beneath):
    with trial.load("fsync", intents=BRISK) as load:
        load.until_redeemed(10)
        with beneath.no_sync():
            until_put_off(load)
            time.sleep(2)
        load.until_redeemed(20)


def test_a_process_without_a_descriptor_left_harms_nobody(trial):
    """It carries on, or it ends and is started again: libdispatch ends a process whose threads it cannot count in /proc
    (swift-corelibs-libdispatch, src/event/workqueue.c)."""
    pid = trial.stack.pids()["challenge"]
    with trial.load("descriptors", intents=BRISK) as load:
        load.until_redeemed(5)
        with no_descriptors(pid):
            # Its callers come anew, and find nobody who can take them.
            trial.stack.kill("verifier")
            until_put_off(load, or_else=lambda: trial.stack.pids().get("challenge") != pid)
        load.until_redeemed(20)


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_clocks_jump_and_jump_back(trial, beneath, hours):
    """Deadlines go by the monotonic clock, so that no call fails; verifier's clock stays that of the phones, which it judges by it."""
    before = lost_callees(trial.stack.operations("gateway"))
    with trial.load(f"clock{hours:+}", intents=BRISK) as load:
        load.until_redeemed(5)
        with contextlib.ExitStack() as moved:
            for service in ("policy", "registration", "challenge", "notifier", "gateway"):
                moved.enter_context(beneath.clock_moved(service, hours * 3600))
            load.until_redeemed(20)
            log = trial.log()
            times = [datetime.datetime.fromisoformat(log[sign_in]["at"]).timestamp() for sign_in in load.accepted() & log.keys()]
            assert any((at - time.time()) * hours > 3000 for at in times), "the clocks did not jump"
        load.until_redeemed(20)
    assert lost_callees(trial.stack.operations("gateway")) == before
    assert load.put_off() == []


def test_the_histories_are_clean(trial, tmp_path):
    trial.prove(tmp_path)
