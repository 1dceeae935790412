"""One system for all faults that it survives, and the proof over all that was asked of it while they happened."""

import os

import pytest

from client import Administrator
from conftest import Someone
from stack import Stack

from .checker import violations
from .load import SETTINGS, Load

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

    def load(self, name: str, *gateways: str) -> Load:
        load = Load(self.stack, self.people, len(self.loads) + 1, gateways)
        self.loads.append((name, load))
        return load

    def prove(self, folder) -> None:
        """Fails with the sentences of the checker; the histories are written to the folder."""
        found = []
        for name, load in self.loads:
            load.history.write(folder / f"{name}.jsonl")
            found += [f"{name}: {sentence}" for sentence in violations(load.history, load.log(), load.keys())]
        assert not found, "\n".join(found[:20]) + f"\n{len(found)} in all; histories in {folder}"


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("faults") / "var").start()
    yield Trial(stack, PEOPLE)
    assert stack.stop() == 0
