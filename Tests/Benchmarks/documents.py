"""Puts the table of a run into docs/performance.md, between two marks."""

import pathlib

from .report import HEADINGS, number, place, rows_of

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/performance.md"
BEGIN, END = "<!-- figures: scripts/bench --write-docs -->\n", "<!-- end of the figures -->\n"


def markdown(run: dict) -> str:
    lines = [
        f"Run of {run['time']}: {place(run)}", "",
        "| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS),
    ]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells()) + " |" for row in rows_of(run)]) + "\n"


# A core that is busy for more than this part of the time answers slowly when a moment brings more than the mean.
UTILISATION = 0.6
# The second is that of the page's worked example.
RATES = (10, 62.5, 1_000, 100_000)


def capacity(run: dict) -> str:
    """Cores of each service by sign-ins a second, from what a sign-in cost in this run; nothing where P1 is not in it."""
    costs = run["details"].get("P1", {}).get("millisecondsASignIn")
    if not costs:
        return ""
    heads = ["Process", "Processor time a sign-in"] + [f"Cores at {rate:,}/s" for rate in RATES]
    lines = ["", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, cost in [*costs.items(), ("together", sum(costs.values()))]:
        cores = [number(rate * cost / 1000 / UTILISATION) for rate in RATES]
        lines.append("| " + " | ".join([name, f"{number(cost)} ms", *cores]) + " |")
    return "\n".join(lines) + "\n"


def cost_by_step(run: dict) -> str:
    """What each message of a sign-in takes at half of P1; nothing where P2 is not in the run."""
    steps = run["details"].get("P2", {}).get("steps")
    if not steps:
        return ""
    lines = ["", "| Message | Handled by | Times a sign-in | Time in the handler at half of P1, mean |", "|---|---|---|---|"]
    lines += [f"| `{step['message']}` | {step['process']} | {number(step['aSignIn'])} | {number(step['milliseconds'])} ms |" for step in steps]
    return "\n".join(lines) + "\n"


def filled(page: str, run: dict) -> str:
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"the page must have '{BEGIN.strip()}' and '{END.strip()}' once")
    before, rest = page.split(BEGIN)
    return before + BEGIN + markdown(run) + capacity(run) + cost_by_step(run) + END + rest.split(END)[1]


def write(run: dict, page: pathlib.Path = PAGE) -> None:
    page.write_text(filled(page.read_text(), run))
