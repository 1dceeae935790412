"""What the processes hold while people sign in and peers come and go: it may rise at first, and then stays."""

import dataclasses
import itertools
import os
import pathlib

import requests

from Benchmarks import machine
from Benchmarks.system import Repeated
from bus import Caller
from stack import Stack


@dataclasses.dataclass(frozen=True)
class Holding:
    """One process at one moment; `redeemed`: the sign-ins that were through by then, of which each leaves a line in the records."""

    redeemed: int
    resident_kib: float = 0
    descriptors: float = 0
    threads: float = 0
    log_kib: float = 0
    records_kib: float = 0


class Held(Repeated):
    """Looks at every process of a stack; one that ends meanwhile is a failure. `load`: whose sign-ins are counted."""

    INTERVAL = 0.5

    def __init__(self, stack: Stack, load):
        super().__init__(self.INTERVAL)
        self.stack, self.load, self.pids = stack, load, stack.pids()
        self.holdings: dict[str, list[Holding]] = {service: [] for service in Stack.SERVICES}

    def look(self) -> None:
        redeemed = self.load.redeemed()
        for service, held in self.holdings.items():
            pid, records = self.pids[service], self.stack.var / service / f"{service}.sqlite"
            used = machine.usage(pid)
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
            held.append(Holding(redeemed, used.resident_kib, descriptors, used.threads, kib(f"{records}-wal"), kib(records)))


def kib(path) -> float:
    """Gateway has no records."""
    path = pathlib.Path(path)
    return path.stat().st_size / 1024 if path.exists() else 0


class Churn(Repeated):
    """Ten times a second a caller of the bus connects to the next service, is let in, and goes without a word, and so does an HTTP client."""

    def __init__(self, stack: Stack):
        super().__init__(0.1)
        self.stack, self.callees, self.count = stack, itertools.cycle(Stack.SERVICES[:-1]), 0

    def look(self) -> None:
        callee = next(self.callees)
        with Caller.of(self.stack, callee, "gateway") as caller:
            assert caller.is_ready(20), f"{callee} does not let its caller in"
        requests.get(self.stack.base + "/healthz", timeout=20).raise_for_status()
        self.count += 1


# What of a process may not rise, and by how much it may: a share, and so many besides.
FLAT = {"resident_kib": (0.1, 2048), "descriptors": (0, 8), "threads": (0, 4), "log_kib": (0.1, 1024)}
# What one sign-in may leave in a service's records, whatever was there before. SQLite grows by steps, and not while it has free pages.
RECORDS_KIB, RECORDS_STEP_KIB = {"challenge": 8, "verifier": 1}, 256


def rises(held: dict[str, list[Holding]]) -> list[str]:
    """Sentences that name what rose from the second quarter of the time to the last one, and records that grew by more than what was done."""
    found = []
    for service, all_of_it in held.items():
        quarter = len(all_of_it) // 4
        assert quarter > 1, f"{service} was looked at {len(all_of_it)} times: too few to compare"
        early, late = all_of_it[quarter : 2 * quarter], all_of_it[-quarter:]
        for name, (share, further) in FLAT.items():
            before, after = mean(name, early), mean(name, late)
            if after > before * (1 + share) + further:
                found.append(f"{name} of {service} rose from {before:,.0f} to {after:,.0f}")
        grown, sign_ins = late[-1].records_kib - late[0].records_kib, late[-1].redeemed - late[0].redeemed
        if grown > RECORDS_KIB.get(service, 0) * sign_ins + RECORDS_STEP_KIB:
            found.append(f"records of {service} grew by {grown:,.0f} KiB in {sign_ins} sign-ins")
    return found


def mean(name: str, part: list[Holding]) -> float:
    return sum(getattr(holding, name) for holding in part) / len(part)
