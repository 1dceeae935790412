"""P1 to P3: how many sign-ins a second, how long each takes, and what happens when more come than can be served."""

import time

import requests

from client import Administrator, Application
from stack import Stack

from . import generator
from .report import Row, at_least, at_most, ratio
from .system import Repeated, Run, Unmeasurable, Watch, handled, steps

P1_GOAL = 0.5
# What the generator makes at most.
PEOPLE_MAX = 10_000


def capacity(run: Run) -> list[Row]:
    """P1: the closed loop at the best of some numbers of people; then that number again, for longer, which is what counts."""
    with run.processes() as stack:
        tried = {people: generator.push(stack, run.choose(8, 1), people)["rate"] for people in run.choose((8, 16, 32, 64, 128), (4,))}
        people = max(tried, key=tried.get)
        with Watch(stack) as watch:
            phase = generator.push(stack, run.choose(30, 3), people)
        plain = generator.plain(stack, run.choose(15, 1), people)
        costs = watch.milliseconds_a_sign_in()
    rate, sent = phase["rate"], phase["httpRequestsPerSignIn"]
    run.found |= {"sign-ins a second": rate, "people": people, "plain requests a second": plain}
    run.details["P1"] = {"rateByPeople": tried, "phase": phase, "plainRequestsPerSecond": plain, "millisecondsASignIn": costs}
    return [
        Row("P1", f"sign-ins, {people} people at once", rate, "/s", ratio(rate * sent, plain), at_least(P1_GOAL)),
        Row("P1", "plain requests, same generator", plain, "/s"),
        Row("P1", "sign-ins that failed", generator.failures(phase), "", None, at_most(0)),
        *(Row("P1", f"processor time a sign-in, {name}", cost, "ms") for name, cost in costs.items()),
        Row("P1", "processor time a sign-in, all processes", sum(costs.values()), "ms"),
    ]


def sign_ins_a_second(run: Run) -> float:
    """P1's figure, measured now where that was not asked for."""
    if "sign-ins a second" not in run.found:
        capacity(run)
    return run.found["sign-ins a second"]


def latency(run: Run) -> list[Row]:
    """P2: half of P1, at a constant rate of arrival; a time counts from the intended start."""
    rate = sign_ins_a_second(run) / 2
    with run.processes() as stack:
        before = handled(stack)
        phase = generator.push(stack, run.choose(60, 4), run.choose(256, 8), rate=rate)
        made_of = steps(before, handled(stack), phase["completed"])
    run.details["P2"] = {"rate": rate, "phase": phase, "steps": made_of}
    rows = []
    for name, what in (("begin", "POST to 201"), ("answer_to_page", "answer to the page's reply")):
        times = phase["latency"][name]
        rows += [
            Row("P2", f"{what}, p50", times["p50"], "ms"),
            Row("P2", f"{what}, p99", times["p99"], "ms", None, at_most(25)),
            Row("P2", f"{what}, p99.9", times["p999"], "ms"),
        ]
    return rows + [
        Row("P2", "sign-ins that failed", generator.failures(phase), "", None, at_most(0)),
        Row("P2", "arrivals that found nobody free", phase["late"] + phase["notStarted"], "", None, at_most(0)),
    ]


def overload(run: Run) -> list[Row]:
    """P3: three times P1 is offered. Meanwhile somebody else begins a sign-in now and then, and sees when all is well again."""
    most = sign_ins_a_second(run)
    # As many as arrive in a second: with fewer, who is served slowly would not come again in time, and less would be offered.
    crowd = min(PEOPLE_MAX, max(256, round(3 * most)))
    with run.processes() as stack:
        calm = Probe(stack)
        with calm:
            time.sleep(run.choose(5, 1))
        with Probe(stack) as probe, Watch(stack) as watch:
            phase = generator.push(stack, run.choose(60, 4), run.choose(crowd, 16), rate=3 * most)
            time.sleep(run.choose(10, 2))
    pushed = [b.time for a, b in zip(watch.samples, watch.samples[1:]) if b.begun - a.begun > Probe.RATE_MAX * (b.time - a.time)]
    if not pushed:
        raise Unmeasurable("hardly a sign-in was begun")
    # Its people are removed after that, which counts as load that the others do not see.
    ended = pushed[-1]
    usual = sorted(look.seconds for look in calm.looks)[len(calm.looks) // 2]
    unwell = [look for look in probe.looks if look.status != 201 or look.seconds > max(0.1, 5 * usual)]
    refused = [look for look in probe.looks if look.status == 503]
    whole = phase["latency"]["whole"]
    run.details["P3"] = {"offered": 3 * most, "phase": phase, "probes": len(probe.looks), "refusedProbes": len(refused), "usualSeconds": usual}
    rows = [
        Row("P3", "redeemed while three times P1 was offered", phase["rate"], "/s", ratio(phase["rate"], most), at_least(0.9)),
        Row("P3", "arrivals that found nobody free", phase["late"] + phase["notStarted"], f"of {phase['offered']:,}"),
        Row("P3", "accepted sign-ins, POST to redeemed, p99", whole["p99"], "ms", None, at_most(1000)),
        Row("P3", "back to usual after", max([0.0, *(look.time - ended for look in unwell)]), "s", None, at_most(2)),
    ]
    if refused:
        told = sum(look.has_retry_after for look in refused)
        rows.append(Row("P3", "refusals with Retry-After", told, f"of {len(refused)}", ratio(told, len(refused)), at_least(1)))
    else:
        rows.append(Row("P3", "refusals with Retry-After", None, reason="none of the probes was refused"))
    try:
        rows.append(Row("P3", "memory, last quarter to second", watch.resident_growth(), "times", None, at_most(1.1)))
    except Unmeasurable as problem:
        rows.append(Row("P3", "memory, last quarter to second", None, reason=str(problem)))
    return rows


class Probe(Repeated):
    """Begins a sign-in ten times a second and cancels it, with a few people of its own in turn."""

    PAUSE = 0.1
    # More begins a second than this are not the probe's.
    RATE_MAX = 2 / PAUSE

    class Look:
        def __init__(self, reply: requests.Response, time: float, seconds: float):
            self.status, self.time, self.seconds = reply.status_code, time, seconds
            self.has_retry_after = "Retry-After" in reply.headers

    def __init__(self, stack: Stack):
        super().__init__(self.PAUSE)
        self.application = Application(stack.demo())
        administrator = Administrator(stack.demo())
        self.people = [administrator.create_user(f"probe-{time.monotonic_ns()}-{index}")["username"] for index in range(8)]
        self.looks: list[Probe.Look] = []

    def look(self) -> None:
        started = time.monotonic()
        reply = self.application.begin(self.people[len(self.looks) % len(self.people)])
        self.looks.append(Probe.Look(reply, started, time.monotonic() - started))
        if reply.status_code == 201:
            self.application.cancel(reply.json())
