"""The load generator of wake-ups in a short form: over how many connections it sends, what is taken, and how it ends."""

import re
import subprocess
import time

import pytest

from proxy import Fate, Proxy
from push import Doubles
from stack import BIN, Stack, free_ports

PROGRAM = BIN / "countersign-push-load"


@pytest.fixture(scope="module")
def doubles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doubles")
    doubles = Doubles(folder, free_ports())
    yield doubles
    doubles.stop()


@pytest.fixture
def push(doubles):
    """A function that starts a run at a proxy in front of the doubles' APNs."""

    def start(proxy, *arguments):
        port = proxy.server_address[1]
        command = [PROGRAM, "--folder", doubles.folder, "--port", str(port), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return start


def outcomes(output):
    """How many of each, as the last line says."""
    [counts] = re.findall(r"^\d+ a second were taken; (.*)$", output, re.M)
    return {name: int(count) for name, count in (part.rsplit(" ", 1) for part in counts.split(", "))}


@pytest.mark.parametrize("floor, status", [(10, 0), (10_000_000, 1)])
def test_everything_goes_over_one_connection_and_is_taken_and_a_floor_decides_the_exit_code(doubles, push, floor, status):
    before = doubles.taken["apns"]
    with Proxy(lambda data: Fate.PASSED) as proxy, proxy.serving(f"127.0.0.1:{doubles.port}"):
        with push(proxy, "--path", "driver", "--seconds", 2, "--at-once", 200, "--at-least", floor) as run:
            output = run.communicate(timeout=30)[0]
    assert run.returncode == status, output
    sent = outcomes(output)
    assert set(sent) == {"delivered"} and sent["delivered"] >= 200, output
    # More at the same time than the double has streams for on a connection.
    assert proxy.connections == 1
    Stack.wait_for(lambda: doubles.taken["apns"] - before == sent["delivered"], 5, "the double to say how many it took")


def away(seconds):
    """A provider that is away for so long after it was asked first."""
    times = []

    def fate(_):
        times.append(time.monotonic())
        return Fate.LOST if times[-1] - times[0] < seconds else Fate.PASSED

    return fate


def test_a_provider_that_was_away_gets_what_waited(doubles, push):
    # It is asked again after at most two pauses, of three seconds together.
    rate, seconds = 20, 10
    before = doubles.taken["apns"]
    with Proxy(away(1.5)) as proxy, proxy.serving(f"127.0.0.1:{doubles.port}"):
        with push(proxy, "--path", "notifier", "--rate", rate, "--seconds", seconds) as run:
            output = run.communicate(timeout=60)[0]
    assert run.returncode == 0, output
    taken = re.findall(rf"^asked for at {rate} a second, taken (\d+) a second, memory \d+ MB$", output, re.M)
    assert len(taken) >= seconds - 1 and int(taken[0]) == 0, output
    # Whatever was asked for before the last second: its time was not over.
    sent = outcomes(output)
    assert sent["unreachable"] > 0 and rate * (seconds - 1) <= sent["delivered"] <= rate * seconds, output
    # What the run's end cut off may have been taken, too.
    Stack.wait_for(lambda: doubles.taken["apns"] - before >= sent["delivered"], 5, "the double to say how many it took")
