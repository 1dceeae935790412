"""One system for all faults that it survives, and the proof over all that was asked of it while they happened."""

import math
import os
import pathlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from client import Administrator
from conftest import Someone
from stack import Stack

from .beneath import Beneath
from .load import SETTINGS, Load

LONG = os.environ.get("FAULTS") == "long"
# Each costs a second, since passwords are hashed slowly.
PEOPLE = 12 if LONG else 9


class Trial:
    """A system, its people, and every load that was put on it."""

    def __init__(self, stack: Stack, people: int):
        self.stack = stack
        demo = stack.demo()
        Administrator(demo).change("/settings", SETTINGS)
        # Each costs three derivations of a password's key, and two are derived at the same time.
        with ThreadPoolExecutor(2) as makers:
            self.people = list(makers.map(lambda _: Someone(demo), range(people)))
        self.loads: list[tuple[str, Load]] = []
        self.seed = 0

    def load(self, name: str | None, *gateways: str, people: int | None = None, **options) -> Load:
        """`name`: of its history, which is proved at the end; a load without one is its test's own to judge. `people`: all, or so many."""
        self.seed += 1
        load = Load(self.stack, self.people[:people], self.seed, gateways, **options)
        if name is not None:
            self.loads.append((name, load))
        return load

    def strike(self, blow) -> None:
        """`blow` again and again: for ten minutes while the people begin half of the sign-ins that they did without it, or in the short form
        for seven seconds while they begin all that they can."""
        pace = math.inf
        if LONG:
            with self.load("before-the-blows") as calm:
                calm.until_redeemed(20)
                most = calm.rate("begin", 30)
            pace = most / 2
        with self.load("blows", pace=pace) as load:
            load.until_redeemed(20)
            until = time.monotonic() + (600 if LONG else 7)
            while time.monotonic() < until:
                blow()
            load.until_redeemed(40)
        if LONG:
            begun = load.history.count("ok", "begin")
            print(f"{most:.1f} sign-ins/s began before; then {begun} at {pace:.1f}/s, of whose calls {len(load.put_off())} were repeated")

    def kill_at_points(self, failpoints: "Failpoints", method: str, points: tuple[str, ...]) -> None:
        """One process after the other, at each of these points of a request that somebody waits for."""
        with self.load(f"points-{method}") as load:
            load.until_redeemed(5)
            for point in points:
                # A process that ends within a second of its start, again and again, is given up by the supervisor.
                time.sleep(1)
                failpoints.wait(failpoints.arm(point, method, "kill"))
                load.until_redeemed(5)

    def log(self) -> dict[str, dict]:
        return {entry["id"]: entry for entry in Administrator(self.stack.demo()).sign_ins()}

    def settled_log(self, *loads: Load) -> dict[str, dict]:
        """The sign-in log, once nothing of these loads is open in it any more."""
        accepted = set().union(*(load.accepted() for load in loads))
        deadline = time.monotonic() + SETTINGS["requestLifetimeSeconds"] + SETTINGS["redeemWindowSeconds"] + 10
        while True:
            log = self.log()
            is_open = any(log[key]["status"] in ("pending", "approved") for key in accepted & log.keys())
            if not is_open or time.monotonic() > deadline:
                return log
            time.sleep(1)

    def prove(self, folder) -> None:
        """Fails with the sentences of the checker; the histories of all loads since the last proof are written to the folder."""
        found = []
        loads, self.loads = self.loads, []
        log = self.settled_log(*(load for _, load in loads))
        for name, load in loads:
            load.history.write(folder / f"{name}.jsonl")
            found += [f"{name}: {sentence}" for sentence in load.violations(log)]
        assert not found, "\n".join(found[:20]) + f"\n{len(found)} in all; histories in {folder}"


def lost_callees(operations: str, service: str = "") -> float:
    """How many connections to other services a process has lost, or to one of them."""
    lines = requests.get(operations + "/metrics", timeout=5).text.splitlines()
    lost = (line for line in lines if line.startswith("countersign_bus_callee_changes_total") and 'change="lost"' in line)
    return sum(float(line.rsplit(" ", 1)[1]) for line in lost if not service or f'service="{service}"' in line)


class Failpoints:
    """The folder by which the processes of a stack are told what to do at a point (`Sources/Failpoints`)."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.environment = {"COUNTERSIGN_FAILPOINTS": str(folder)}
        folder.mkdir()

    def arm(self, point: str, method: str, word: str) -> pathlib.Path:
        """The next request that comes to the point meets it; the file that is returned then holds the process's id."""
        reached = self.folder / f"{point}.{method}.reached"
        reached.unlink(missing_ok=True)
        whole = self.folder / "whole"
        whole.write_text(word)
        whole.rename(self.folder / f"{point}.{method}")
        return reached

    def wait(self, reached: pathlib.Path) -> int:
        Stack.wait_for(reached.exists, 15, f"{reached.stem} to be reached")
        return int(reached.read_text())


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_running():
    yield
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    assert not left, f"threads would hold up the end of the tests: {left}"


@pytest.fixture(scope="session")
def failpoints(tmp_path_factory):
    return Failpoints(tmp_path_factory.mktemp("points") / "points")


@pytest.fixture(scope="session")
def beneath(tmp_path_factory):
    # Ten minutes of sign-ins are some hundred megabytes.
    size = 1024 if LONG else 64
    beneath = Beneath(tmp_path_factory.mktemp("beneath"), tmp_path_factory.mktemp("faults") / "var", ["challenge"], size)
    yield beneath
    beneath.remove()


@pytest.fixture(scope="session")
def trial(beneath, failpoints):
    stack = Stack(beneath.var, {**failpoints.environment, **beneath.environment}).start()
    try:
        yield Trial(stack, PEOPLE)
    finally:
        status = stack.stop()
    assert status == 0, stack.log()[-2000:]
