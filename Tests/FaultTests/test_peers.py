"""Peers that are far away, and peers of an earlier version of the protocol: nothing fails."""

import contextlib
import hashlib

from bus import REPLY, Caller, Instance, message
from stack import Gateway, Stack

from . import network
from .conftest import lost_callees
from .load import BRISK

AUTHENTICATE_TOKEN = 101


@contextlib.contextmanager
def gateway(trial, **callees: str):
    gateway = Gateway(trial.stack, callees=callees)
    try:
        yield gateway
    finally:
        assert gateway.stop() == 0


def test_callees_that_are_slow_to_reach_are_not_taken_for_dead(trial):
    """200 ms ± 100 ms in each direction, each connection at its own pace, and every twentieth packet lost."""
    first = trial.stack.first_port + 34
    with contextlib.ExitStack() as far:
        callees = {}
        for place, service in enumerate(Stack.SERVICES[:-1]):
            far.enter_context(network.delayed(first + place, int(trial.stack.bus(service).rsplit(":", 1)[1]), 0.1, 0.3))
            callees[service] = f"tcp://127.0.0.1:{first + place}"
        with gateway(trial, **callees) as distant:
            before = lost_callees(distant.operations)
            with network.lossy(range(first, first + len(callees)), 0.05), trial.load("far", distant.address, intents=BRISK) as load:
                load.until_redeemed(8, seconds=60)
            assert lost_callees(distant.operations) == before
            assert load.history.count("unknown") == 0


def test_an_instance_of_the_version_before_serves_beside_this_one(trial):
    old = Instance(trial.stack, "verifier", trial.stack.first_port + 34)
    old.start()
    try:
        with gateway(trial, verifier=old.endpoint) as alone, trial.load("old-alone", alone.address, intents=BRISK) as load:
            load.until_redeemed(10)
        assert load.history.count("unknown") == 0
        answered = old.answered
        assert answered >= 20
        with gateway(trial, verifier=f"{old.endpoint},{trial.stack.bus('verifier')}") as both:
            with trial.load("old-and-present", both.address, intents=BRISK) as load:
                load.until_redeemed(20)
        assert load.history.count("unknown") == 0
        assert old.answered > answered
    finally:
        old.stop()


def test_a_caller_of_the_version_before_is_answered(trial):
    demo = trial.stack.demo()
    body = message((1, demo["tenant"]), (2, hashlib.sha256(demo["admin"]["token"].encode()).digest()))
    with Caller.of(trial.stack, "policy", "gateway") as caller:
        assert caller.is_ready()
        reply = caller.ask(AUTHENTICATE_TOKEN, body)
    assert (reply.kind, reply.status) == (REPLY, 0)
    assert reply.body.startswith(message((1, "admin")))


def test_the_histories_are_clean(trial, tmp_path_factory):
    trial.prove(tmp_path_factory.mktemp("histories"))
