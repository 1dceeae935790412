"""Whoever has no business on the bus is refused in the handshake or by name, is counted, and disturbs nobody."""

import contextlib
import os
import random
import socket
import time

import pytest
import zmq

from bus import DENIED, NACK, REPLY, REQUEST, Caller, frame, key
from stack import Stack

from .conftest import LONG
from .load import BRISK

LIST_PENDING, SETTLE = 303, 304


@contextlib.contextmanager
def undisturbed(trial, name: str):
    """While the block runs people sign in, and every call of theirs is answered."""
    with trial.load(name, intents=BRISK) as load:
        load.until_redeemed(3)
        yield
        load.until_redeemed(5)
    assert load.history.count("unknown") == 0


def counted(trial, kind: str, service: str = "challenge") -> float:
    return trial.stack.metric(service, f'countersign_bus_faults_total{{kind="{kind}"}}')


def connections(trial, stage: str, service: str = "challenge") -> float:
    return trial.stack.metric(service, f'countersign_bus_connections_total{{stage="{stage}"}}')


def babble(trial, data: bytes, service: str = "challenge") -> None:
    """Returns when the process has ended the connection."""
    port = int(trial.stack.bus(service).rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(data)
        # A wrong greeting ends the connection at once; one that is only begun would be waited for.
        connection.sendall(bytes(64))
        connection.settimeout(5)
        while connection.recv(1024):
            pass


def is_refused(caller: Caller) -> bool:
    reply = caller.ask(LIST_PENDING, b"", 1)
    return reply is None or reply.kind == NACK


def keys(trial):
    return trial.stack.var / "keys"


STRANGERS = {
    "no mechanism": lambda keys, service: {"server": None},
    "a password": lambda keys, service: {"server": None, "plain_username": b"gateway", "plain_password": b"gateway"},
    "a key that nobody knows": lambda keys, service: {"server": key(keys, f"{service}.pub"), "secret": zmq.curve_keypair()[1]},
    "a known key for another callee": lambda keys, service: {"server": zmq.curve_keypair()[0], "secret": key(keys, "gateway.key")},
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_who_has_no_key_of_ours_hears_nothing(trial, stranger):
    with undisturbed(trial, stranger.replace(" ", "-")):
        before = counted(trial, "refused_connection")
        with Caller(trial.stack.bus("challenge"), "gateway", **STRANGERS[stranger](keys(trial), "challenge")) as caller:
            assert not caller.is_ready(1)
            assert caller.ask(LIST_PENDING, b"", 0.5) is None
        Stack.wait_for(lambda: counted(trial, "refused_connection") > before, 5, "the refusal to be counted")


@pytest.mark.parametrize("service", Stack.SERVICES[:-1])
def test_every_end_point_refuses_strangers_and_garbage_and_serves_on(trial, service):
    """All that are called; a gateway only calls."""
    refused = lambda: counted(trial, "refused_connection", service)
    before = connections(trial, "trusted", service)
    for stranger, options in STRANGERS.items():
        known = refused()
        # One connection within the test, and so one refusal.
        with Caller(trial.stack.bus(service), "gateway", **options(keys(trial), service), reconnect_ivl=60_000) as caller:
            Stack.wait_for(lambda: refused() > known, 5, f"{stranger} to be refused and counted")
            assert not caller.is_ready(0.1)
        assert refused() == known + 1
    chance = random.Random(4)
    # What is no greeting at all is counted as a connection that was never trusted, garbage behind one as a refusal.
    for data, count in (
        (chance.randbytes(300), lambda: connections(trial, "accepted", service)), (zmtp_greeting(b"CURVE") + chance.randbytes(300), refused),
    ):
        known = count()
        babble(trial, data, service)
        Stack.wait_for(lambda: count() == known + 1, 5, "the garbage to be counted")
    assert connections(trial, "trusted", service) == before
    with trial.load(f"after-strangers-{service}", intents=["approve"], people=1) as load:
        load.until_redeemed(1)
    assert load.history.count("unknown") == 0


def zmtp_greeting(mechanism: bytes) -> bytes:
    """As a client of ZMTP 3.1 (RFC 37 of the ZeroMQ project, section 3.2)."""
    return b"\xff" + bytes(8) + b"\x7f\x03\x01" + mechanism.ljust(20, b"\0") + bytes(32)


def test_a_key_that_is_taken_away_is_refused_on_the_open_connection_too(trial):
    public, secret = zmq.curve_keypair()
    file = keys(trial) / "gateway-trial.pub"

    def connected() -> Caller:
        return Caller(trial.stack.bus("challenge"), "gateway", key(keys(trial), "challenge.pub"), secret)

    with undisturbed(trial, "revoked"):
        file.write_bytes(public + b"\n")
        deadline = time.monotonic() + 10
        while not (caller := connected()).is_ready(0.5):
            caller.close()
            assert time.monotonic() < deadline, "a key that joined the folder is not taken up"
        with caller:
            assert caller.ask(LIST_PENDING, b"").kind == REPLY
            file.unlink()
            Stack.wait_for(lambda: is_refused(caller), 5, "the connection to be dropped")
        before = counted(trial, "refused_connection")
        with connected() as again:
            assert not again.is_ready(1)
        assert counted(trial, "refused_connection") > before


def test_a_service_that_asks_what_it_may_not_is_refused_by_name(trial):
    with undisturbed(trial, "denied"), Caller.of(trial.stack, "challenge", "notifier") as caller:
        name = 'countersign_bus_refused_total{method="Settle",reason="denied"}'
        before = trial.stack.metric("challenge", name)
        assert caller.is_ready()
        reply = caller.ask(SETTLE, b"")
        assert (reply.kind, reply.status) == (NACK, DENIED)
        assert trial.stack.metric("challenge", name) == before + 1


def test_garbage_is_dropped_on_the_port_and_behind_the_handshake(trial):
    chance = random.Random(3)
    with undisturbed(trial, "garbage"):
        before = connections(trial, "accepted"), connections(trial, "trusted"), counted(trial, "malformed_frame")
        lengths = (1, 11, 64, 65, 300, 5_000)
        for length in lengths:
            babble(trial, chance.randbytes(length))
        Stack.wait_for(lambda: connections(trial, "accepted") == before[0] + len(lengths), 5, "the connections to be counted")
        assert connections(trial, "trusted") == before[1]
        with Caller.of(trial.stack, "challenge", "gateway") as caller:
            assert caller.is_ready()
            good = frame(REQUEST, b"", sequence=1, method=LIST_PENDING)
            for bad in (b"", b"\x51", good[:-1], good + b"x", b"\x00" + good[1:], good[:4] + b"\xff" + good[5:], chance.randbytes(200)):
                caller.socket.send(bad)
            assert caller.ask(LIST_PENDING, b"").kind == REPLY
        assert connections(trial, "trusted") == before[1] + 1
        assert counted(trial, "malformed_frame") >= before[2] + 7


def test_idle_connections_by_the_thousand_end_and_leave_nothing(trial):
    count = 10_000 if LONG else 1_000
    pid = trial.stack.pids()["challenge"]
    port = int(trial.stack.bus("challenge").rsplit(":", 1)[1])
    opened = lambda: len(os.listdir(f"/proc/{pid}/fd"))
    with undisturbed(trial, "idle"), contextlib.ExitStack() as connections:
        before = opened()
        for _ in range(count):
            connections.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        # A handshake has three seconds.
        Stack.wait_for(lambda: opened() < before + 20, 30, "the connections to be ended")
    assert trial.stack.pids()["challenge"] == pid


def test_a_peer_that_sends_without_reading_and_beats_in_zeromqs_own_way_ends_nothing(trial):
    """With libzmq's heartbeats on its own side such a peer ends the process (libzmq issue 3937); ours are off."""
    pid = trial.stack.pids()["challenge"]
    with undisturbed(trial, "never-reads"):
        with Caller.of(trial.stack, "challenge", "gateway", heartbeat_ivl=50, heartbeat_timeout=500, heartbeat_ttl=500, rcvhwm=2) as caller:
            for sequence in range(1, 5_000):
                with contextlib.suppress(zmq.Again):
                    caller.socket.send(frame(REQUEST, bytes(2_000), sequence=sequence, method=LIST_PENDING), zmq.DONTWAIT)
            time.sleep(2)
    assert trial.stack.pids()["challenge"] == pid


def test_the_histories_are_clean(trial, tmp_path_factory):
    trial.prove(tmp_path_factory.mktemp("histories"))
