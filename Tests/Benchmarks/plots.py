"""The report as one HTML file with drawings of its own (SVG): nothing is fetched from anywhere."""

import html
import math

from .report import HEADINGS, number, place, rows_of

WIDTH, BAR, LABEL = 860, 22, 400
STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --faint: #68737d; --line: #d5dade; --yes: #2c7a51; --no: #b3402a; --bar: #4a78b0; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8eb; --faint: #96a1aa; --line: #3a424a; --yes: #5fb98a; --no: #e0806a; --bar: #7da6d8; --paper: #16191d } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line) }
:is(th, td):is(:nth-child(3), :nth-child(4)) { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
svg { width: 100%; height: auto } text { font: 12px system-ui, sans-serif; fill: var(--ink) } .faint { fill: var(--faint); color: var(--faint) }
.yes { fill: var(--yes); color: var(--yes) } .no { fill: var(--no); color: var(--no) } .bar { fill: var(--bar) }
.line { fill: none; stroke: var(--bar); stroke-width: 2 } .goal { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 3 3 }
"""


def page(runs: list[dict]) -> str:
    """The last of `runs` in full, and how its figures were in the ones before."""
    last = runs[-1]
    rows = rows_of(last)
    parts = [f"<h1>Bench of {html.escape(last['time'])}</h1>", f"<p class=faint>{html.escape(place(last))}</p>", table(rows)]
    goals = [row for row in rows if row.is_reached is not None and reach(row) is not None]
    if goals:
        parts += ["<h2>Goals</h2>", "<p>How far each is reached: the dashed line is the goal, longer is better.</p>", reaches(goals)]
    costs = last["details"].get("P1", {}).get("millisecondsASignIn")
    if costs:
        parts += ["<h2>Processor time of one sign-in</h2>", bars([(name, cost, "bar", f"{number(cost)} ms") for name, cost in costs.items()])]
    rates = last["details"].get("P1", {}).get("rateByPeople")
    if rates:
        parts += ["<h2>Sign-ins a second by people at once</h2>", bars([(str(people), rate, "bar", number(rate)) for people, rate in rates.items()])]
    courses = [drawn for row in rows if row.goal and (drawn := course(row, runs))]
    if courses:
        parts += ["<h2>History</h2>", *courses]
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>Countersign bench</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"


def table(rows) -> str:
    head = "".join(f"<th>{heading}" for heading in HEADINGS)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}' for cell in row.cells()[:-1])}<td class={tone(row)}>{html.escape(row.verdict)}" for row in rows)
    return f"<table><tr>{head}{body}</table>"


def tone(row) -> str:
    return {True: "yes", False: "no", None: "faint"}[row.is_reached]


def reach(row) -> float | None:
    """1 where the goal is just kept, more where it is kept by far; nothing where goal or measure is 0, which has no such part."""
    measured = row.value if row.ratio is None else row.ratio
    if measured <= 0 or row.goal.limit <= 0:
        return None
    return measured / row.goal.limit if row.goal.is_least else row.goal.limit / measured


def reaches(rows) -> str:
    most = 3.0
    drawn = bars([(f"{row.figure}  {row.what}", min(reach(row), most), tone(row), f"{reach(row):.2f}") for row in rows], most)
    x = LABEL + (WIDTH - LABEL - 60) / most
    return drawn.replace("</svg>", f'<line class=goal x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{len(rows) * BAR}"/></svg>')


def bars(items: list[tuple[str, float, str, str]], most: float | None = None) -> str:
    most = most or max(value for _, value, _, _ in items) or 1
    drawn = []
    for index, (label, value, tone, said) in enumerate(items):
        y, width = index * BAR, (WIDTH - LABEL - 60) * value / most
        drawn.append(
            f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{html.escape(label)}</text>'
            f'<rect class="{tone}" x="{LABEL}" y="{y + 3}" width="{width:.1f}" height="{BAR - 6}"/>'
            f'<text x="{LABEL + width + 6:.1f}" y="{y + 15}">{html.escape(said)}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {len(items) * BAR}" role="img">{"".join(drawn)}</svg>'


def course(row, runs: list[dict]) -> str:
    """A row's number over all runs of the same form that had it."""
    points = [
        other.value if other.ratio is None else other.ratio
        for run in runs if run["quick"] == runs[-1]["quick"] for other in rows_of(run)
        if (other.figure, other.what) == (row.figure, row.what) and other.value is not None
    ]
    if len(points) < 2:
        return ""
    height, high = 60, max(*points, row.goal.limit) * 1.1 or 1
    at = lambda value: height - height * value / high
    line = " ".join(f"{LABEL + index * (WIDTH - LABEL - 60) / (len(points) - 1):.1f},{at(value):.1f}" for index, value in enumerate(points) if math.isfinite(value))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height + 6}" role="img"><text x="{LABEL - 8}" y="34" text-anchor="end">{html.escape(row.figure + "  " + row.what)}</text>'
        f'<line class=goal x1="{LABEL}" x2="{WIDTH - 60}" y1="{at(row.goal.limit):.1f}" y2="{at(row.goal.limit):.1f}"/>'
        f'<polyline class=line points="{line}"/><text x="{WIDTH - 54}" y="{at(points[-1]) + 4:.1f}">{number(points[-1])}</text></svg>')
