"""P4: more verifiers and challenges on one PostgreSQL server."""

from . import generator
from .report import Row, at_most, ratio
from .system import Run, Watch

PEOPLE = 32


def scale_out(run: Run) -> list[Row]:
    costs, details = {}, {}
    for count in run.choose((1, 2, 4), (1, 2)):
        with run.processes(STORE="postgresql", SCALE=f"verifier={count} challenge={count}") as stack:
            with Watch(stack) as watch:
                phase = generator.push(stack, run.choose(30, 4), run.choose(PEOPLE, 4))
            costs[count] = watch.milliseconds_a_sign_in()
            details[str(count)] = {"phase": phase, "millisecondsASignIn": costs[count], "coresUsed": watch.cores_used()}
    run.details["P4"] = details
    return [row for count in costs for row in compared(count, costs, details[str(count)])]


def compared(count: int, costs: dict[int, dict[str, float]], detail: dict) -> list[Row]:
    """The rate, who is the bottleneck, and the processor time a sign-in of the services that were added to, as a multiple of one instance's."""
    of_each = f"{count} of each"
    busiest, cores = max(detail["coresUsed"].items(), key=lambda used: used[1])
    rows = [
        Row("P4", f"sign-ins, {of_each}, PostgreSQL", detail["phase"]["rate"], "/s"),
        Row("P4", f"busiest with {of_each}: {busiest}", cores, "cores"),
    ]
    for name in ("challenge", "verifier"):
        cost, goal = costs[count][name], at_most(1.1) if count > 1 else None
        rows.append(Row("P4", f"processor time a sign-in, {of_each}, {name}", cost, "ms", ratio(cost, costs[1][name]), goal))
    return rows
