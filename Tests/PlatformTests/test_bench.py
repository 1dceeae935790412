"""The bench: its arithmetic, and its quick form with the real processes."""

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import pytest

from Benchmarks import documents, flame, machine, plots, report
from Benchmarks.report import Row, at_least, at_most, ratio
from Benchmarks.system import Sample, Unmeasurable, Watch, steps
from Benchmarks.machine import Usage
from stack import ROOT, Stack


def test_a_goal_is_about_the_ratio_where_there_is_one_and_otherwise_about_the_value():
    assert Row("P1", "a", 100, "/s", ratio(100, 200), at_least(0.5)).is_reached is True
    assert Row("P1", "a", 99, "/s", ratio(99, 200), at_least(0.5)).is_reached is False
    assert Row("P2", "a", 25, "ms", None, at_most(25)).is_reached is True
    assert Row("P2", "a", 25.1, "ms", None, at_most(25)).is_reached is False
    assert Row("P2", "a", 3, "ms").is_reached is None
    # A goal of nothing is one that can be missed too.
    assert Row("P1", "failures", 0, "", None, at_most(0)).is_reached is True
    assert Row("P1", "failures", 1, "", None, at_most(0)).is_reached is False


def test_what_was_not_measured_says_why_and_reaches_nothing():
    row = Row("P9", "codes", None, "/s", None, at_least(0.5), reason="wrk is not installed")
    assert row.is_reached is None and row.verdict == "not measured: wrk is not installed"
    with pytest.raises(ValueError):
        Row("P9", "codes", None)
    with pytest.raises(ValueError):
        ratio(1, 0)


def document(time: str, value: float) -> dict:
    rows = [Row("P1", "sign-ins", value, "/s", ratio(value, 1000), at_least(0.5)), Row("P9", "<codes> | all", None, reason="no")]
    facts = {"processor": "x", "cores": 2, "memoryMiB": 1024, "kernel": "6", "fileSystem": "ext4", "swift": "6.2", "commit": "abc", "loadBefore": 3}
    details = {
        "P1": {"millisecondsASignIn": {"gateway": 1.5}, "rateByPeople": {"8": 100.0}},
        "P2": {"steps": [{"process": "challenge", "message": "Settle", "aSignIn": 1.0, "milliseconds": 0.75}]},
    }
    return report.document(rows, details, facts, time, False)


def test_a_run_is_kept_read_again_drawn_and_put_into_the_documentation(tmp_path):
    for hour, value in (("10", 400.0), ("11", 600.0)):
        report.store(tmp_path, document(f"2026-01-01T{hour}:00:00+00:00", value))
    runs = report.history(tmp_path)
    assert [run["rows"][0]["reached"] for run in runs] == [False, True]
    assert report.rows_of(runs[1])[0] == Row("P1", "sign-ins", 600.0, "/s", 0.6, at_least(0.5))

    assert "The machine had other work (load 3)" in report.place(runs[1])
    drawn = plots.page(runs)
    assert "&lt;codes&gt;" in drawn and "<codes>" not in drawn
    assert "<polyline" in drawn and "src=" not in drawn and "href=" not in drawn and "url(" not in drawn

    page = "before\n" + documents.BEGIN + "old\n" + documents.END + "after\n"
    written = documents.filled(page, runs[1])
    assert "| P1 | sign-ins | 600 /s | 0.60 | ≥ 0.50 | yes |" in written and "old" not in written
    # 1.5 ms a sign-in, cores busy for 60 % of the time.
    assert "| gateway | 1.50 ms | 0.03 | 0.16 | 2.50 | 250 |" in written
    assert "| `Settle` | challenge | 1 | 0.75 ms |" in written
    assert written.startswith("before\n") and written.endswith("after\n")
    assert documents.filled(written, runs[1]) == written
    with pytest.raises(ValueError):
        documents.filled("no marks", runs[1])
    # The page that a run is written into has the marks.
    documents.filled(documents.PAGE.read_text(), runs[1])


def test_a_sign_in_is_made_of_the_messages_that_come_with_each():
    before = {("challenge", "Settle"): (10.0, 1.0), ("registration", "AddUser"): (5.0, 5.0)}
    after = {("challenge", "Settle"): (110.0, 1.2), ("verifier", "VerifyProof"): (200.0, 0.1), ("registration", "AddUser"): (25.0, 9.0)}
    assert steps(before, after, 100) == [
        {"process": "challenge", "message": "Settle", "aSignIn": 1.0, "milliseconds": pytest.approx(2)},
        {"process": "verifier", "message": "VerifyProof", "aSignIn": 2.0, "milliseconds": pytest.approx(0.5)},
    ]
    assert steps(before, after, 0) == []


def watched(*samples: tuple[float, float, float, int]) -> Watch:
    """Of (time, redeemed, processor seconds, KiB)."""
    watch = Watch.__new__(Watch)
    watch.samples = [Sample(time, {"gateway": Usage(seconds, kib, 4)}, 0, redeemed) for time, redeemed, seconds, kib in samples]
    return watch


def test_what_a_sign_in_costs_is_counted_while_sign_ins_are_redeemed_and_not_while_people_are_made():
    # Five seconds of processor time before, one for each 100 sign-ins during, two afterwards.
    watch = watched((0, 0, 0, 100), (1, 0, 5, 100), (2, 50, 5.5, 100), (3, 150, 6.5, 100), (4, 250, 7.5, 110), (5, 300, 8, 110), (6, 300, 10, 90))
    assert watch.milliseconds_a_sign_in() == {"gateway": pytest.approx(10)}
    assert watch.cores_used() == {"gateway": pytest.approx(1)}
    with pytest.raises(Unmeasurable):
        watched((0, 0, 0, 1), (1, 0, 1, 1)).milliseconds_a_sign_in()


def test_memory_is_compared_between_parts_of_the_window():
    flat = watched(*((second, 10 * second, second, 1000) for second in range(12)))
    assert flat.resident_growth() == pytest.approx(1)
    growing = watched(*((second, 10 * second, second, 1000 + 1000 * second) for second in range(12)))
    assert growing.resident_growth() > 1.5


def test_processor_time_and_the_start_of_a_process_are_what_the_kernel_says():
    spin = "import time\nwhile time.process_time() < 0.5: pass\nprint('spun', flush=True)\ninput()"
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    with subprocess.Popen([sys.executable, "-c", spin], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        used = machine.usage(process.pid)
        assert before - 0.02 <= machine.started_at(process.pid) <= time.clock_gettime(time.CLOCK_BOOTTIME)
        process.stdin.close()
    assert used.processor_seconds == pytest.approx(0.5, abs=0.3) and used.resident_kib > 1000 and used.threads == 1


def test_stacks_of_a_profile_become_boxes_as_wide_as_their_samples():
    text = "\n\t   10 work\n\t   20 main\n\n\t   11 a<b>(c: d)+0x4\n\t   20 main\n\n\t   10 work\n\t   20 main\n\n"
    stacks = list(flame.stacks(text))
    assert stacks == [["main", "work"], ["main", "a<b>(c: d)"], ["main", "work"]]
    root = flame.Node("all")
    for stack in stacks:
        root.add(stack)
    drawn = flame.svg(root, "title")
    assert "<title>work: 66.7 %</title>" in drawn and "<title>a&lt;b&gt;(c: d): 33.3 %</title>" in drawn and "<title>main: 100.0 %</title>" in drawn
    xml.etree.ElementTree.fromstring(drawn)


def test_the_quick_form_measures_with_real_processes(tmp_path):
    """P1 (sign-ins by the load generator), P5 (phones put into the store) and P7 (messages)."""
    done = subprocess.run(
        [sys.executable, "-m", "Benchmarks", "P1", "P5", "P7", "--quick", "--out", tmp_path], capture_output=True, text=True, timeout=180,
        env={**os.environ, "PYTHONPATH": str(ROOT / "Tests")})
    assert done.returncode == 0, done.stdout + done.stderr
    (kept,) = tmp_path.glob("*.json")
    run = json.loads(kept.read_text())
    assert run["quick"] and run["machine"]["cores"] >= 1
    rows = {(row["figure"], row["what"]): row for row in run["rows"]}
    assert all(row["value"] is not None for row in rows.values()), rows
    rate, plain = rows["P1", "sign-ins, 4 people at once"], rows["P1", "plain requests, same generator"]
    requests = run["details"]["P1"]["phase"]["httpRequestsPerSignIn"]
    assert rate["ratio"] == pytest.approx(rate["value"] * requests / plain["value"]) and 3 < requests < 6
    costs = run["details"]["P1"]["millisecondsASignIn"]
    assert set(costs) == {"challenge", "gateway", "notifier", "policy", "registration", "verifier"} and all(cost >= 0 for cost in costs.values())
    assert rows["P1", "processor time a sign-in, all processes"]["value"] == pytest.approx(sum(costs.values()))
    assert rows["P5", "POST to the phone's event, p99 of 10"]["value"] > 0
    assert rows["P7", "round trips, 256 under way, with CURVE, tcp"]["ratio"] > 0
    assert "P1      sign-ins, 4 people at once" in done.stdout and (tmp_path / "report.html").exists()
    assert not list(tmp_path.glob("run-*")), "the folders of the processes are gone"


def test_who_ends_it_ends_what_it_has_started(tmp_path):
    bench = subprocess.Popen(
        [sys.executable, "-m", "Benchmarks", "P2", "--quick", "--out", tmp_path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "Tests")})
    Stack.wait_for(lambda: list(tmp_path.glob("run-*/var/ready")), 30, "its processes")
    (supervisor,) = [path.read_text().strip() for path in tmp_path.glob("run-*/var/supervisor.pid")]
    bench.terminate()
    assert bench.wait(30) == 128 + signal.SIGTERM
    assert not os.path.exists(f"/proc/{supervisor}") and not list(tmp_path.glob("run-*"))


def test_a_figure_that_there_is_not_is_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "Benchmarks", "P11", "--out", tmp_path], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "Tests")})
    assert done.returncode == 2 and "P11" in done.stderr
