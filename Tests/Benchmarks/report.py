"""What a run found: rows with a value, a ratio and a goal; the table; and the file that keeps them."""

import dataclasses
import json
import pathlib


@dataclasses.dataclass(frozen=True)
class Goal:
    """A limit that a row's ratio must keep, or its value where the row has no ratio."""

    limit: float
    is_least: bool

    def reached(self, number: float) -> bool:
        return number >= self.limit if self.is_least else number <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {number(self.limit)}"


def at_least(limit: float) -> Goal:
    return Goal(limit, True)


def at_most(limit: float) -> Goal:
    return Goal(limit, False)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table. Without a value it has the reason why there is none; nothing is ever made up."""

    figure: str
    what: str
    value: float | None
    unit: str = ""
    ratio: float | None = None
    goal: Goal | None = None
    reason: str = ""

    def __post_init__(self):
        if self.value is None and not self.reason:
            raise ValueError(f"{self.figure} {self.what}: neither a value nor a reason")

    @property
    def is_reached(self) -> bool | None:
        """None where nothing was measured, or nothing is asked."""
        measured = self.value if self.ratio is None else self.ratio
        return None if self.goal is None or self.value is None else self.goal.reached(measured)

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured: " + self.reason
        return {True: "yes", False: "no", None: ""}[self.is_reached]

    def cells(self) -> list[str]:
        value = "" if self.value is None else f"{number(self.value)} {self.unit}".strip()
        return [self.figure, self.what, value, "" if self.ratio is None else number(self.ratio), str(self.goal or ""), self.verdict]


# Busy cores before the run above which something else runs too.
LOAD_MAX = 0.5
HEADINGS = ["Figure", "What", "Value", "Ratio", "Goal", "Reached"]


def ratio(value: float, other: float) -> float:
    """Raises where a comparison would be with nothing."""
    if not other > 0:
        raise ValueError("there is nothing to compare with")
    return value / other


def number(value: float) -> str:
    """As many digits as say something."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def table(rows: list[Row]) -> str:
    lines = [HEADINGS] + [row.cells() for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    drawn = ["  ".join(cell.rjust(width) if column in (2, 3) else cell.ljust(width)
                       for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines]
    return "\n".join([drawn[0], "-" * max(map(len, drawn)), *drawn[1:]])


def document(rows: list[Row], details: dict, facts: dict, time: str, is_quick: bool) -> dict:
    return {
        "time": time, "quick": is_quick, "machine": facts,
        "rows": [{**dataclasses.asdict(row), "reached": row.is_reached} for row in rows], "details": details,
    }


def place(document: dict) -> str:
    """Where and on what a run was measured, in a sentence; with a warning where the machine had other work."""
    machine = document["machine"]
    said = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memoryMiB']:,} MiB, Linux {machine['kernel']}, {machine['fileSystem']}, "
        f"{machine['swift']}, commit {machine['commit']}")
    if document["quick"]:
        said += ". Quick form: it shows that the bench works; the numbers say nothing"
    elif machine["loadBefore"] > LOAD_MAX:
        said += f". The machine had other work (load {number(machine['loadBefore'])}): the numbers say little"
    return said + "."


def rows_of(document: dict) -> list[Row]:
    def row(members: dict) -> Row:
        goal = members["goal"] and Goal(**members["goal"])
        return Row(**{name: value for name, value in members.items() if name != "reached"} | {"goal": goal})

    return [row(members) for members in document["rows"]]


def store(folder: pathlib.Path, document: dict) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (document["time"].replace(":", "") + ".json")
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path


def history(folder: pathlib.Path) -> list[dict]:
    """Every stored run, the oldest first."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
