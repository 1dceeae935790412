"""P9: offline codes as a second factor, beside plain requests of the same generator (wrk)."""

import asyncio
import base64
import json
import pathlib
import re
import shutil
import subprocess
import time

import pyotp

from client import Administrator
from stack import Stack

from . import population
from .idle import begin_all
from .report import Row, at_least, at_most, ratio
from .system import Run, Unmeasurable
from .web import Target

SCRIPT = pathlib.Path(__file__).with_name("requests.lua")
PERIOD = 30


def offline_codes(run: Run) -> list[Row]:
    """The requests are begun before the clock runs: what counts is the code alone."""
    if not shutil.which("wrk"):
        raise Unmeasurable("wrk is not installed")
    people = list(population.members("code", run.choose(20_000, 200)))
    with run.processes(before_start=lambda stack: population.add(stack, people)) as stack:
        Administrator(stack.demo()).change("/settings", {"requestLifetimeSeconds": 300})
        target = Target(stack.demo())
        begun = asyncio.run(begin_all(target, [member.username for member in people], factor="secondFactor"))
        plain = wrk(stack, ["GET\t/healthz\t"], run.choose(10, 1))
        # A code counts in its own period and in the next.
        codes = wrk(stack, code_lines(target, people, begun), run.choose(PERIOD, 2))
    run.details["P9"] = {"people": len(people), "codes": codes, "plain": plain}
    return [
        Row("P9", "offline codes as a second factor", codes["rate"], "/s", ratio(codes["rate"], plain["rate"]), at_least(0.5)),
        Row("P9", "plain requests, same generator", plain["rate"], "/s"),
        Row("P9", "codes that were refused", codes["others"], f"of {codes['replies']:,}", None, at_most(0)),
    ]


def code_lines(target: Target, people: list[population.Member], begun: list[dict]) -> list[str]:
    now = time.time()
    lines = []
    for member, one in zip(people, begun):
        code = pyotp.TOTP(base64.b32encode(member.code_secret).decode(), interval=PERIOD).at(now)
        lines.append("\t".join([
            "POST", target.path(f"/sign-ins/{one['id']}/code"), f"Authorization: {target.basic}", f"Sign-In-Secret: {one['secret']}",
            "Content-Type: application/json", json.dumps({"code": code}),
        ]))
    return lines


def wrk(stack: Stack, lines: list[str], seconds: int) -> dict:
    """Sends the lines, over 32 connections of one thread; for so many seconds at most."""
    file = stack.var / "requests.txt"
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o600)
    done = subprocess.run(
        ["wrk", "--threads", "1", "--connections", "32", "--duration", f"{seconds}s", "--script", SCRIPT, stack.base, "--", file],
        capture_output=True, text=True, check=True, timeout=seconds + 60)
    found = re.search(r"replies (\d+) others (\d+) seconds ([\d.]+)", done.stdout)
    replies, others, took = int(found[1]), int(found[2]), float(found[3])
    return {"replies": replies, "others": others, "rate": ratio(replies, took)}
