"""What libzmq and TCP do by themselves, and that the bus is not met by it."""

import contextlib
import pathlib
import signal
import subprocess

import pytest
import requests

from bus import Instance
from stack import Gateway, Stack

SOURCE = pathlib.Path(__file__).parent / "heartbeats.c"


@pytest.fixture(scope="module")
def heartbeats(tmp_path_factory):
    program = tmp_path_factory.mktemp("heartbeats") / "heartbeats"
    subprocess.run(["clang", "-O1", "-o", program, SOURCE, "-lzmq", "-lpthread"], check=True)
    return program


def run(program, milliseconds: int, rounds: int) -> subprocess.CompletedProcess:
    return subprocess.run([program, str(milliseconds), "tcp://127.0.0.1:19990", str(rounds)], capture_output=True, text=True, timeout=30)


def test_zeromqs_own_heartbeats_end_a_process_that_does_not_read(heartbeats):
    """libzmq issue 3937, and why docs/protocol/messaging.md section 8 forbids them: should this fail, libzmq has been mended."""
    ended = run(heartbeats, 100, 20)
    assert ended.returncode == -signal.SIGABRT
    assert "Assertion failed: _input_stopped" in ended.stderr


def test_without_them_it_lives(heartbeats):
    ended = run(heartbeats, 0, 4)
    assert (ended.returncode, ended.stdout) == (0, "lived\n")


@contextlib.contextmanager
def kernel(setting: str, value: str):
    """A setting of TCP in this network namespace."""
    place = pathlib.Path("/proc/sys/net/ipv4") / setting
    before = place.read_text()
    place.write_text(value)
    try:
        yield
    finally:
        place.write_text(before)


def test_a_caller_that_meets_itself_at_an_address_where_nobody_is_lets_go_of_it(trial):
    """A connection to a closed port from that same port is TCP's simultaneous open (RFC 9293 section 3.5): both ends are the caller's. Ports from
    32768 are refused in configurations for that; where connections go out from lower ones, it must at least be over by itself."""
    port = trial.stack.first_port + 40
    gateway = Gateway(trial.stack, callees={"notifier": f"tcp://127.0.0.1:{port}"})
    try:
        # A closed connection would keep the callee from its port for another minute.
        with kernel("ip_local_port_range", f"{port} {port}"), kernel("tcp_max_tw_buckets", "0"):
            Stack.wait_for(lambda: '"reason":"handshake"' in pathlib.Path(gateway.log.name).read_text(), 10, "the gateway to meet itself")
        connected = lambda: requests.get(gateway.operations + "/readyz", timeout=5).json()["dependencies"]["bus.notifier"]
        assert not connected()
        itself = f"0100007F:{port:04X} 0100007F:{port:04X}"
        Stack.wait_for(lambda: itself not in pathlib.Path("/proc/net/tcp").read_text(), 5, "the connection to be closed")
        notifier = Instance(trial.stack, "notifier", port)
        notifier.start()
        try:
            Stack.wait_for(connected, 10, "the callee to be taken up")
        finally:
            notifier.stop()
    finally:
        assert gateway.stop() == 0

