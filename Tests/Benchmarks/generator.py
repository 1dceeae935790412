"""The project's own load generator as the bench asks it."""

import json
import subprocess

from stack import BIN, Stack


def push(stack: Stack, seconds: float, people: int, rate: float | None = None, is_trivial: bool = False) -> dict:
    """One phase: in a closed loop of so many people; with `rate`, as many begun a second whatever becomes of them; `is_trivial`, plain
    requests of a route that does nothing, by the same client and as many loops."""
    report = stack.var / "load.json"
    report.unlink(missing_ok=True)
    command = [BIN / "countersign-loadtest", "--demo", stack.var / "demo.json", "--people", people, "--seconds", int(seconds), "--json", report]
    if rate is not None:
        command += ["--rate", max(1, round(rate))]
    if is_trivial:
        command += ["--trivial"]
    # A person takes two hashes of a pass to make, which is most of a second of both cores where memory is slow.
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds + 300 + 3 * people)
    # It ends with 1 when a sign-in failed, as in an overload some must; without a report it did not run at all.
    if not report.exists():
        raise RuntimeError(f"countersign-loadtest ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    phase = json.loads(report.read_text())["phases"][-1]
    # Of no use to a reader, and long.
    phase.pop("histograms", None)
    return phase


def failures(phase: dict) -> int:
    """Sign-ins that failed, or did not come to what was intended."""
    return sum(phase["failures"].values()) + sum(phase["mismatches"].values())


def plain(stack: Stack, seconds: float, people: int) -> float:
    """Plain requests a second by the same generator."""
    return push(stack, seconds, people, is_trivial=True)["rate"]
