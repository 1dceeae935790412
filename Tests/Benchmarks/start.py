"""P10: how long each process takes from its start until it can serve, and what it holds when nobody asks anything."""

import os
import signal
import time

import requests

from . import machine
from .report import Row, at_most
from .system import Run

REST_SECONDS = 3
PROMPTLY = 30


def cold_start(run: Run) -> list[Row]:
    """Each process alone is ended and started again by the supervisor, while the others run: what it waits for is there."""
    with run.processes() as stack:
        time.sleep(REST_SECONDS)
        resident = {name: machine.usage(pid).resident_kib / 1024 for name, pid in stack.pids().items()}
        started = {name: seconds_to_ready(stack, name) for name in stack.SERVICES}
    run.details["P10"] = {"secondsToReady": started, "residentMiB": resident}
    return [
        *(Row("P10", f"exec to ready, {name}", seconds, "s", None, at_most(1)) for name, seconds in started.items()),
        *(Row("P10", f"memory at rest, {name}", resident[name], "MiB", None, at_most(60)) for name in stack.SERVICES),
    ]


def seconds_to_ready(stack, name: str) -> float:
    old = stack.pids()[name]
    os.kill(old, signal.SIGTERM)
    stack.wait_for(lambda: stack.pids().get(name, old) != old, PROMPTLY, f"another {name}")
    born = machine.started_at(stack.pids()[name])
    stack.wait_for(lambda: is_ready(stack.operations(name)), PROMPTLY, f"{name} to be ready")
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - born)


def is_ready(address: str) -> bool:
    try:
        return requests.get(address + "/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
