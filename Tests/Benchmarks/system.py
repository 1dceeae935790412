"""The real processes of one measurement, and what they used while it ran."""

import contextlib
import dataclasses
import pathlib
import re
import shutil
import tempfile
import threading
import time

import requests

from stack import Stack

from . import machine


class Unmeasurable(Exception):
    """Why a figure cannot be measured here."""


class Run:
    """One run of the bench: what it was asked, and what one figure found that another needs."""

    def __init__(self, is_quick: bool, folder: pathlib.Path):
        self.is_quick, self.folder = is_quick, folder
        folder.mkdir(parents=True, exist_ok=True)
        # What figures tell each other, as `sign-ins a second`.
        self.found: dict[str, float] = {}
        self.details: dict[str, dict] = {}

    def choose(self, full, quick):
        return quick if self.is_quick else full

    @contextlib.contextmanager
    def processes(self, before_start=None, **environment: str):
        """All processes in a folder of their own that is gone afterwards. `before_start(stack)` finds stores that have their tables and the
        demo tenant, and nobody who has them open."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        stack = Stack(folder / "var", {"STORE": "sqlite", "SCALE": "", **environment})
        if stack.environment["STORE"] == "postgresql":
            # As root its server runs as another user, who must pass through.
            for passed in (folder, self.folder, self.folder.parent):
                passed.chmod(passed.stat().st_mode | 0o011)
        try:
            if before_start:
                stack.start()
                stack.stop()
                before_start(stack)
            yield stack.start()
        finally:
            stack.stop()
            shutil.rmtree(folder)


@dataclasses.dataclass(frozen=True)
class Sample:
    time: float
    used: dict[str, machine.Usage]
    begun: float
    redeemed: float


class Repeated:
    """Looks again and again, in a thread of its own, while a block runs; what went wrong there is raised at the block's end."""

    def __init__(self, interval: float):
        self.interval = interval
        self.problem: Exception | None = None
        self._over = threading.Event()

    def look(self) -> None:
        raise NotImplementedError

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, failed, *_):
        self._over.set()
        self._thread.join()
        if self.problem and not failed:
            raise self.problem

    def _run(self) -> None:
        try:
            while not self._over.wait(self.interval):
                self.look()
        except Exception as problem:
            self.problem = problem


class Watch(Repeated):
    """Looks at the processes: processor time and memory of each service, and what the gateway counted. The first and the last look are at
    the block's beginning and end."""

    def __init__(self, stack: Stack, interval: float = 0.5):
        super().__init__(interval)
        self.stack = stack
        self.processes = self._processes()
        self.samples: list[Sample] = []

    def __enter__(self):
        self.look()
        return super().__enter__()

    def __exit__(self, failed, *rest):
        super().__exit__(failed, *rest)
        if not failed:
            self.look()

    def _processes(self) -> dict[str, list[int]]:
        return machine.children(self.stack.process.pid)

    def look(self) -> None:
        # The database server's come and go with its connections; what an ended one used is told of its parent.
        processes = self._processes()
        if any(processes.get(name) != pids for name, pids in self.processes.items() if name != machine.DATABASE):
            raise RuntimeError("a process ended while it was measured")
        used = {name: sum(filter(None, map(usage, pids)), machine.Usage()) for name, pids in processes.items()}
        lines = requests.get(self.stack.operations("gateway") + "/metrics", timeout=30).text.splitlines()
        self.samples.append(Sample(
            time.monotonic(), used, counted(lines, "/v1/{tenant}/sign-ins"), counted(lines, "/v1/{tenant}/sign-ins/{id}/redeem")))

    @property
    def window(self) -> tuple[Sample, Sample]:
        """From the first sample in which sign-ins were redeemed to the last one before they ceased: without what people are made of."""
        rising = [(a, b) for a, b in zip(self.samples, self.samples[1:]) if b.redeemed > a.redeemed]
        # The first and the last step may have begun or ended within their interval.
        inner = rising[1:-1] or rising
        if not inner:
            raise Unmeasurable("no sign-in was redeemed")
        return inner[0][0], inner[-1][1]

    def milliseconds_a_sign_in(self) -> dict[str, float]:
        """Processor time of each service, all of its processes together."""
        first, last = self.window
        count = last.redeemed - first.redeemed
        return {
            name: 1000 * (last.used[name].processor_seconds - first.used[name].processor_seconds) / count for name in sorted(first.used)
        }

    def cores_used(self) -> dict[str, float]:
        first, last = self.window
        return {
            name: (last.used[name].processor_seconds - first.used[name].processor_seconds) / (last.time - first.time) for name in sorted(first.used)
        }

    def resident_growth(self) -> float:
        """Memory of all processes in the last quarter of the window, as a multiple of that in its second quarter."""
        first, last = self.window
        inner = [sample for sample in self.samples if first.time <= sample.time <= last.time]
        total = [sum(usage.resident_kib for usage in sample.used.values()) for sample in inner]
        quarter = len(total) // 4
        if quarter == 0:
            raise Unmeasurable("too short to compare its parts")
        return (sum(total[-quarter:]) / quarter) / (sum(total[quarter : 2 * quarter]) / quarter)


def usage(pid: int) -> machine.Usage | None:
    """None where it has ended since it was found."""
    try:
        return machine.usage(pid)
    except OSError:
        return None


def counted(metrics: list[str], route: str) -> float:
    """Successful POSTs of a route, as the gateway counts them."""
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in metrics
        if line.startswith("countersign_http_requests_total{") and f'route="{route}"' in line and 'method="POST"' in line and 'status="2xx"' in line)


# What a sign-in takes from each process, by message: how often, and seconds in the handler.
Handled = dict[tuple[str, str], tuple[float, float]]
HANDLED = re.compile(r'^countersign_handler_duration_seconds_(sum|count)\{method="(\w+)"\} (\S+)$', re.M)


def handled(stack: Stack) -> Handled:
    """Until now, by process and message, where there is one process of each service."""
    found: Handled = {}
    for service in stack.SERVICES[:-1]:
        for what, method, value in HANDLED.findall(requests.get(stack.operations(service) + "/metrics", timeout=30).text):
            times, seconds = found.get((service, method), (0.0, 0.0))
            found[service, method] = (times, float(value)) if what == "sum" else (float(value), seconds)
    return found


def steps(before: Handled, after: Handled, sign_ins: int) -> list[dict]:
    """The messages that a sign-in is made of: what comes less than every second time belongs to something else, as people who are made."""
    told = []
    for (process, message), (times, seconds) in sorted(after.items()):
        earlier = before.get((process, message), (0.0, 0.0))
        times, seconds = times - earlier[0], seconds - earlier[1]
        if times >= sign_ins / 2 > 0:
            told.append({"process": process, "message": message, "aSignIn": times / sign_ins, "milliseconds": 1000 * seconds / times})
    return told
