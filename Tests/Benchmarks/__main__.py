"""Measures P1 to P10 (docs/performance.md) with the real processes on loopback, prints a table, and keeps the run.

    scripts/bench [P1 P7 ...]     the figures that are named, otherwise all, one after the other
      --quick                     short forms: they show that the bench works, and their numbers say nothing
      --out FOLDER                where runs are kept (var/bench)
      --write-docs                put the last kept run into docs/performance.md; measures nothing
"""

import argparse
import datetime
import pathlib
import signal
import sys
import traceback

from stack import BIN, ROOT

from . import codes, documents, growth, idle, machine, messages, plots, report, scale, sign_ins, start
from .system import Run, Unmeasurable

FIGURES = {
    "P1": sign_ins.capacity, "P2": sign_ins.latency, "P3": sign_ins.overload, "P4": scale.scale_out, "P5": idle.idle_phones, "P6": idle.open_waits,
    "P7": messages.round_trips, "P8": growth.growth, "P9": codes.offline_codes, "P10": start.cold_start,
}


def measure(names: list[str], run: Run) -> list[report.Row]:
    rows = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            found = FIGURES[name](run)
        except Unmeasurable as problem:
            found = [report.Row(name, "", None, reason=str(problem))]
        except Exception as problem:
            # The others are still worth their time; this one has no figure.
            traceback.print_exc()
            found = [report.Row(name, "", None, reason=f"it failed: {str(problem).splitlines()[0] if str(problem) else type(problem).__name__}")]
        # At once: a run takes an hour, and may be interrupted.
        print(report.table(found), file=sys.stderr, flush=True)
        rows += found
    return rows


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", usage="scripts/bench [P1 ... P10] [--quick] [--out FOLDER] | --write-docs")
    parser.add_argument("figures", nargs="*", metavar="P1 ... P10")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "var/bench")
    parser.add_argument("--write-docs", action="store_true")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.figures if name not in FIGURES]
    if unknown:
        parser.error(f"there is no figure {', '.join(unknown)}: they are {', '.join(FIGURES)}")
    if asked.write_docs:
        full = [run for run in report.history(asked.out) if not run["quick"]]
        if not full:
            parser.error(f"{asked.out} has no run in full")
        documents.write(full[-1])
        return 0

    run = Run(asked.quick, asked.out)
    facts = machine.facts(asked.out) | {"programs": str(BIN.relative_to(ROOT) if BIN.is_relative_to(ROOT) else BIN)}
    time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    rows = measure(asked.figures or list(FIGURES), run)
    document = report.document(rows, run.details, facts, time, asked.quick)
    path = report.store(asked.out, document)
    (asked.out / "report.html").write_text(plots.page(report.history(asked.out)))
    print(report.table(rows))
    print(report.place(document))
    print(f"Kept in {path}; drawn in {asked.out / 'report.html'}")
    return 1 if any(row.reason.startswith("it failed") for row in rows) else 0


if __name__ == "__main__":
    # Whoever ends the bench ends what it has started, as with Ctrl-C.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
