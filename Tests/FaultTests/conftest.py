"""One system for all faults that it survives, and the proof over all that was asked of it while they happened."""

import os
import pathlib

import pytest

from client import Administrator
from conftest import Someone
from stack import Stack

from .checker import violations
from .load import INTENTS, SETTINGS, Load

LONG = os.environ.get("FAULTS") == "long"
PEOPLE = 12


class Trial:
    """A system, its people, and every load that was put on it."""

    def __init__(self, stack: Stack, people: int):
        self.stack = stack
        demo = stack.demo()
        Administrator(demo).change("/settings", SETTINGS)
        self.people = [Someone(demo) for _ in range(people)]
        self.loads: list[tuple[str, Load]] = []
        self.seed = 0

    def load(self, name: str, *gateways: str, intents: list[str] = INTENTS) -> Load:
        self.seed += 1
        load = Load(self.stack, self.people, self.seed, gateways, intents)
        self.loads.append((name, load))
        return load

    def prove(self, folder) -> None:
        """Fails with the sentences of the checker; the histories of all loads since the last proof are written to the folder."""
        found = []
        loads, self.loads = self.loads, []
        for name, load in loads:
            load.history.write(folder / f"{name}.jsonl")
            found += [f"{name}: {sentence}" for sentence in violations(load.history, load.log(), load.keys())]
        assert not found, "\n".join(found[:20]) + f"\n{len(found)} in all; histories in {folder}"


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


@pytest.fixture(scope="session")
def failpoints(tmp_path_factory):
    return Failpoints(tmp_path_factory.mktemp("points") / "points")


@pytest.fixture(scope="session")
def trial(tmp_path_factory, failpoints):
    stack = Stack(tmp_path_factory.mktemp("faults") / "var", failpoints.environment).start()
    try:
        yield Trial(stack, PEOPLE)
    finally:
        status = stack.stop()
    assert status == 0
