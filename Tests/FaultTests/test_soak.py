"""Ten minutes of sign-ins and of peers that come and go leave the processes as they were."""

import json
import time

import pytest

from .conftest import LONG
from .load import BRISK
from .soak import Churn, Held, Holding, rises

CLEAN = [Holding(10 * second, 60_000 + second % 7 * 300, 40 + second % 3, 12, 4_000 + second % 5 * 20, 1_000 + 20 * second) for second in range(120)]


def leaking(**each: float) -> list[Holding]:
    """So much more at each of 120 looks."""
    return [Holding(**{**vars(holding), **{name: getattr(holding, name) + more * look for name, more in each.items()}}) for look, holding in enumerate(CLEAN)]


def test_what_goes_up_and_down_has_not_risen():
    assert rises({"challenge": CLEAN, "gateway": [Holding(10 * second, 50_000, 30, 9) for second in range(120)]}) == []


@pytest.mark.parametrize("name, each", {"resident_kib": 150, "descriptors": 0.2, "threads": 0.1, "log_kib": 40}.items())
def test_what_rises_is_found(name, each):
    [sentence] = rises({"challenge": leaking(**{name: each})})
    assert sentence.startswith(f"{name} of challenge rose")


def test_records_that_grow_faster_than_the_sign_ins_are_found():
    grown = [Holding(**{**vars(holding), "records_kib": 1_000 + look**2}) for look, holding in enumerate(CLEAN)]
    [sentence] = rises({"challenge": grown})
    assert sentence.startswith("records of challenge grew")


@pytest.mark.skipif(not LONG, reason="memory is still being filled in the first seconds: in the long form alone")
def test_ten_minutes_leave_no_trace_in_the_processes(trial, tmp_path):
    with trial.load("soak", intents=BRISK) as load, Held(trial.stack, load) as held, Churn(trial.stack) as churn:
        time.sleep(600)
    told = {service: [vars(holding) for holding in holdings] for service, holdings in held.holdings.items()}
    (tmp_path / "holdings.json").write_text(json.dumps({"peers": churn.count, "holdings": told}))
    assert rises(held.holdings) == [], tmp_path
    # On a busy machine one takes longer than the tenth of a second in which the next is due.
    assert churn.count > 1_000 and load.redeemed() > 1_000
    trial.prove(tmp_path)
