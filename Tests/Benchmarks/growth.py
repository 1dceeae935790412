"""P8: a large directory and a long sign-in log beside small ones."""

import shutil
import time

from stack import Stack

from . import generator, population
from .report import Row, at_least, at_most, ratio
from .system import Run, Unmeasurable

LOG_DAYS = 300
# Twice what a line takes with its indexes: it passes through the journal.
BYTES_A_LINE = 1_000
# One statement each, so that the journal stays small.
LOG_BATCH = 500_000
LOG_LINES = """
    WITH RECURSIVE line(number) AS (SELECT :first UNION ALL SELECT number + 1 FROM line WHERE number + 1 < :last)
    INSERT INTO sign_in (
        id, tenant, at, username, folded_username, person, purpose, application, ip_address, user_agent, client, request_id, is_decoy, is_silenced, status,
        reason, method, device, device_name, settled_at)
    SELECT lower(hex(randomblob(11))), 'demo', :from + number * :step, 'grown-' || name, 'grown-' || name, lower(hex(randomblob(11))), 'signIn', 'Demo',
        '203.0.113.' || (number % 250), 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'demo', lower(hex(randomblob(16))), 0, 0,
        'redeemed', NULL, 'push', lower(hex(randomblob(11))), 'bench', :from + number * :step + 9000
    FROM (SELECT number, abs(random()) % :people AS name FROM line)
"""


def growth(run: Run) -> list[Row]:
    """The same load on a small installation and on a large one."""
    sizes = run.choose(((1_000, 0), (1_000_000, 10_000_000)), ((10, 0), (1_000, 5_000)))
    free = shutil.disk_usage(run.folder).free
    if free < BYTES_A_LINE * sizes[1][1]:
        raise Unmeasurable(f"{BYTES_A_LINE * sizes[1][1] >> 30} GiB of disk are needed, and {free >> 30} are free")
    phases = []
    for people, lines in sizes:
        started = time.monotonic()
        grown: dict[str, int] = {}
        with run.processes(before_start=lambda stack: grown.update(fill(stack, people, lines))) as stack:
            filled = time.monotonic() - started
            phase = generator.push(stack, run.choose(30, 4), run.choose(32, 4))
            phases.append({"people": people, "lines": lines, "fillSeconds": filled, "grown": grown, "phase": phase})
    run.details["P8"] = {"sizes": phases}
    small, large = (one["phase"] for one in phases)
    people, lines = sizes[1]
    grown = phases[1]["grown"]
    begin = [phase["latency"]["begin"]["p50"] for phase in (small, large)]
    return [
        Row("P8", f"sign-ins with {sizes[0][0]:,} people", small["rate"], "/s"),
        Row("P8", f"the same with {people:,} people and a log of {lines:,}", large["rate"], "/s", ratio(large["rate"], small["rate"]), at_least(0.8)),
        Row("P8", f"POST to 201 with {sizes[0][0]:,} people, p50", begin[0], "ms"),
        Row("P8", f"the same with {people:,} people and a log of {lines:,}", begin[1], "ms", ratio(begin[1], begin[0]), at_most(1.2)),
        Row("P8", "store of a person with a phone", grown["people"] / people, "bytes"),
        Row("P8", "store of a line of the sign-in log", grown["lines"] / lines, "bytes"),
    ]


def stored(stack: Stack) -> int:
    """Bytes of all stores."""
    return sum(file.stat().st_size for file in stack.var.glob("*/*.sqlite*"))


def fill(stack: Stack, people: int, lines: int) -> dict[str, int]:
    """Returns how many bytes the stores have grown by: for the people, and for the lines."""
    empty = stored(stack)
    population.add(stack, population.members("grown", people))
    with_people = stored(stack)
    now = int(time.time() * 1000)
    first = now - LOG_DAYS * 86_400_000
    with population.Filling(stack, "challenge") as store:
        for start in range(0, lines, LOG_BATCH):
            store.database.execute("BEGIN")
            store.database.execute(LOG_LINES, {
                "first": start, "last": min(start + LOG_BATCH, lines), "from": first, "step": (now - first) // lines, "people": people})
            store.database.execute("COMMIT")
    return {"people": with_people - empty, "lines": stored(stack) - with_people}
