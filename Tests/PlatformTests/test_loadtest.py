"""The load generator against a running system: what it pushes, what it finds, and that it leaves nothing behind."""

import base64
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import zlib

import pytest

from client import Administrator
from proxy import Fate, Proxy
from stack import BIN, Gateway, Stack

PROGRAM = BIN / "countersign-loadtest"


@pytest.fixture(scope="module")
def credentials(stack):
    return stack.var / "demo.json"


def run(*arguments, expect=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=90)
    assert done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def people(demo):
    """The ids of those whom generators made, by username."""
    users = Administrator(demo).get("/users?limit=1000")["items"]
    return {user["username"]: user["id"] for user in users if user["username"].startswith("load-")}


def people_left(demo):
    return list(people(demo))


@contextlib.contextmanager
def started(*arguments):
    """A run that does not outlive its test."""
    with subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_pushing(process):
    while "in flight" not in (line := process.stdout.readline()):
        assert line, "the program ended before it pushed"


def generator(process, share):
    """The process of a run that has this share."""
    children = pathlib.Path(f"/proc/{process.pid}/task").glob("*/children")
    for pid in " ".join(path.read_text() for path in children).split():
        if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2] == share.encode():
            return int(pid)
    raise AssertionError(f"no generator has the share {share}")


@pytest.fixture(scope="module")
def mixed(credentials, tmp_path_factory):
    """One run of two phases in which people do everything that they can."""
    folder = tmp_path_factory.mktemp("loadtest")
    files = {name: folder / f"report.{name}" for name in ("json", "html", "hdr")}
    output = run(
        "--demo", credentials, "--people", 3, "--phase", "rush 3 people for 2s", "--phase", "calm 2..6/s for 3s",
        "--mix", "approve=6,decline=2,wrong-number=2,no-answer=1,code=3", "--answer-time", "100ms",
        *(word for name, path in files.items() for word in (f"--{name}", path)),
    )
    return {"output": output, **files, "report": json.loads(files["json"].read_text())}


def test_every_outcome_is_the_intended_one_and_everything_is_counted(mixed, demo):
    rush, calm = mixed["report"]["phases"]
    assert (rush["name"], calm["name"], calm["load"]) == ("rush", "calm", "2..6/s for 3 s")
    for phase in (rush, calm):
        assert phase["failures"] == {} and phase["mismatches"] == {}
        assert phase["begun"] + phase["notStarted"] == phase["offered"]
        assert phase["completed"] == phase["begun"] == sum(phase["outcomes"].values()) > 0
        whole = phase["latency"]["whole"]
        assert 0 < whole["p50"] <= whole["p90"] <= whole["p99"] <= whole["p999"] <= whole["max"]
    # From 2 to 6 a second in 3 s.
    assert calm["offered"] == 12
    assert {"approve", "decline", "code"} & (rush["outcomes"].keys() | calm["outcomes"].keys())
    assert people_left(demo) == []


def leb128(payload):
    """ZigZag LEB128 of 64 bits in nine bytes at most, as HdrHistogram writes it."""
    at = 0
    while at < len(payload):
        value = 0
        for position in range(9):
            byte = payload[at]
            at += 1
            value |= (byte if position == 8 else byte & 0x7F) << 7 * position
            if byte < 0x80:
                break
        yield value >> 1 ^ -(value & 1)


def recorded(log):
    """How many whole sign-ins a log of HdrHistogram has, whose form is checked."""
    lines = log.read_text().splitlines()
    assert lines[1] == "#[Histogram log format version 1.3]"
    counted = {}
    for line in lines[4:]:
        tag, start, length, longest, text = line.split(",")
        assert float(start) >= 0 and float(length) >= 0 and float(longest) > 0
        packed = base64.b64decode(text, validate=True)
        cookie, size = struct.unpack(">II", packed[:8])
        assert cookie == 0x1C849314 and size == len(packed) - 8
        plain = zlib.decompress(packed[8:])
        cookie, size, offset, digits, lowest, highest, ratio = struct.unpack(">IIIIQQd", plain[:40])
        assert (cookie, size, offset, digits, lowest, highest, ratio) == (0x1C849313, len(plain) - 40, 0, 3, 1, 3_600_000_000, 1.0)
        counted[tag] = counted.get(tag, 0) + sum(count for count in leb128(plain[40:]) if count > 0)
    return counted["Tag=whole"]


def test_the_histogram_log_is_hdrhistograms_and_has_every_sign_in(mixed):
    assert recorded(mixed["hdr"]) == sum(phase["completed"] for phase in mixed["report"]["phases"])


def test_the_page_shows_the_phases_and_asks_no_other_host(mixed):
    page = mixed["html"].read_text()
    assert "<h2>rush</h2>" in page and "<h2>calm</h2>" in page and page.count("<svg") >= 4
    assert not re.search(r"src=|href=|url\(|@import|<script", page)


def test_one_sign_in_that_came_to_something_else_fails_the_run(mixed, tmp_path):
    report = json.loads(mixed["json"].read_text())
    report["phases"][0]["mismatches"] = {"receipt: another key": 1}
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    assert "1 x receipt: another key" in run("merge", file, expect=1)


def test_a_terminal_sees_a_few_lines_that_are_drawn_again_and_none_that_wraps(credentials):
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        os.execv(PROGRAM, [str(PROGRAM), "--demo", str(credentials), "--people", "2", "--seconds", "3"])
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(terminal, 65536):
            shown += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, shown
    drawings = re.split(rb"\x1b\[\d+A\x1b\[J", shown)
    assert any(b"making people with phones: 2 of 2" in drawing for drawing in drawings)
    seconds = [drawing for drawing in drawings if b"in flight" in drawing]
    assert len(seconds) >= 2 and any(b"begin p50" in drawing for drawing in seconds)
    # Up to the first word that stays, as the next phase or the report.
    assert all(len(line) <= 40 for drawing in seconds[:-1] for line in drawing.decode().splitlines())


def test_merged_reports_add_up_and_a_threshold_decides_the_exit_code(mixed, tmp_path):
    both = tmp_path / "both.json"
    output = run("merge", mixed["json"], mixed["json"], "--json", both, "--fail-if", "rate < 100000/s in calm", "--fail-if", "failures > 0", expect=2)
    assert "rate < 100000/s in calm: it is" in output and "failures > 0" not in output
    merged = json.loads(both.read_text())
    for one, two in zip(mixed["report"]["phases"], merged["phases"]):
        assert two["completed"] == 2 * one["completed"]
        assert two["latency"]["whole"]["p99"] == pytest.approx(one["latency"]["whole"]["p99"], rel=0.002)
    assert "is no report" in run("merge", mixed["hdr"], expect=65)


def test_several_processes_do_together_what_one_would(credentials, demo, tmp_path):
    files = {name: tmp_path / f"report.{name}" for name in ("json", "hdr")}
    output = run(
        "--demo", credentials, "--processes", 2, "--people", 5, "--phase", "rush 5 people for 2s", "--phase", "calm 6/s for 2s",
        *(word for name, path in files.items() for word in (f"--{name}", path)))
    assert "made 5 people with phones" in output and output.count("rush: 5 people for 2 s") == 2
    report = json.loads(files["json"].read_text())
    rush, calm = report["phases"]
    assert report["people"] == 5 and rush["load"] == "5 people for 2 s" and (calm["load"], calm["offered"]) == ("6/s for 2 s", 12)
    for phase in (rush, calm):
        assert phase["failures"] == {} and phase["mismatches"] == {} and phase["completed"] == phase["begun"] > 0
    assert recorded(files["hdr"]) == rush["completed"] + calm["completed"]
    assert people_left(demo) == []


def test_people_who_are_kept_are_there_for_the_next_run_until_they_are_removed(credentials, demo, tmp_path):
    file = tmp_path / "people.json"
    load = ("--demo", credentials, "--seconds", 1, "--keep", file, "--mix", "approve=2,decline=1,code=1")
    run(*load, "--people", 1)
    [first] = people_left(demo)
    assert file.stat().st_mode & 0o777 == 0o600
    run(*load, "--people", 2)
    both = people_left(demo)
    assert len(both) == 2 and first in both
    run(*load, "--people", 1)
    assert people_left(demo) == both
    other = tmp_path / "other.json"
    other.touch(0o600)
    other.write_text(json.dumps({**json.loads(file.read_text()), "gateway": "https://id.example.org"}))
    assert "has people of" in run(*load[:-3], other, "--people", 1, expect=65)
    run("remove", file, "--demo", credentials)
    assert people_left(demo) == [] and not file.exists()
    assert "no such file" in run("remove", file, "--demo", credentials, expect=66)


def test_people_who_are_kept_are_one_runs_at_a_time(credentials, demo, tmp_path):
    file = tmp_path / "people.json"
    for processes in (1, 2):
        load = ("--demo", credentials, "--keep", file, "--people", 2, "--processes", processes)
        with started(*load, "--seconds", 600) as process:
            wait_for_pushing(process)
            output = run(*load, "--seconds", 1, expect=75)
            assert "another run uses these people" in output
            assert "another run uses these people" in run("remove", file, "--demo", credentials, expect=75)
            process.send_signal(signal.SIGINT)
            output = process.communicate(timeout=60)[0]
        assert process.returncode == 130 and "failures        0" in output, output
        run("remove", file, "--demo", credentials)
    assert people_left(demo) == [] and list(tmp_path.iterdir()) == []


def test_people_of_several_processes_are_removed_by_the_one_name(credentials, demo, tmp_path):
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    run("--demo", credentials, "--seconds", 1, "--keep", files[0], "--people", 2, "--processes", 2)
    run("--demo", credentials, "--seconds", 1, "--keep", files[1], "--people", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json.0", "a.json.1", "b.json"]
    assert len(people_left(demo)) == 3
    run("remove", *files, "--demo", credentials)
    assert people_left(demo) == [] and list(tmp_path.iterdir()) == []


def test_credentials_of_the_environment_are_used_and_a_missing_one_is_named(demo, monkeypatch):
    place = ["--gateway", demo["base"], "--tenant", demo["tenant"], "--people", 1, "--seconds", 1]
    monkeypatch.setenv("COUNTERSIGN_LOADTEST_CLIENT_ID", demo["client"]["id"])
    monkeypatch.setenv("COUNTERSIGN_LOADTEST_ADMIN_TOKEN", demo["admin"]["token"])
    output = run(*place, expect=66)
    assert "COUNTERSIGN_LOADTEST_CLIENT_SECRET is not set" in output and demo["admin"]["token"] not in output
    monkeypatch.setenv("COUNTERSIGN_LOADTEST_CLIENT_SECRET", demo["client"]["secret"])
    assert "failures        0" in run(*place)


def test_plain_requests_are_counted(credentials, tmp_path):
    run("--demo", credentials, "--people", 2, "--seconds", 1, "--trivial", "--json", tmp_path / "plain.json")
    phase = json.loads((tmp_path / "plain.json").read_text())["phases"][0]
    assert phase["name"] == "trivial" and phase["failures"] == {}
    assert phase["httpRequests"] >= phase["completed"] > 10 and phase["rate"] > 10


def test_a_gateway_that_does_not_consent_is_not_pushed(stack, demo, credentials):
    gateway = Gateway(stack, 3)
    try:
        for options in (["--people", 1], ["--people", 1, "--trivial"], ["--people", 2, "--processes", 2]):
            output = run("--credentials", credentials, "--gateway", gateway.address, "--seconds", 1, *options, expect=77)
            assert output.count("does not allow load tests") == 1 and "loadTest.allowed" in output
        assert people_left(demo) == []
    finally:
        assert gateway.stop() == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_an_interrupted_run_reports_and_leaves_nobody_behind(credentials, demo, processes):
    with started("--demo", credentials, "--people", 2, "--seconds", 600, "--processes", processes) as process:
        wait_for_pushing(process)
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    assert "completed" in output
    assert people_left(demo) == []


def the_first_person_is_held():
    """The answer to the first request for a person, whom the gateway makes."""
    asked = threading.Event()

    def fate(data: bytes) -> Fate:
        if not re.match(rb"POST \S+/users ", data) or asked.is_set():
            return Fate.PASSED
        asked.set()
        return Fate.HELD

    return fate


def test_whoever_was_made_without_a_reply_is_removed_too(demo, credentials):
    with Proxy(the_first_person_is_held()) as proxy, proxy.serving(demo["base"]):
        with started("--credentials", credentials, "--gateway", proxy.base, "--people", 1) as process:
            assert proxy.holds_an_answer.wait(30)
            assert len(people_left(demo)) == 1
            process.send_signal(signal.SIGINT)
            output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    assert people_left(demo) == []


@pytest.mark.parametrize(
    "sent, code, words", [(signal.SIGTERM, 130, "generator 1 was interrupted"), (signal.SIGKILL, 70, "generator 1 ended by signal 9")])
def test_a_generator_that_ends_while_people_are_made_ends_the_run(credentials, demo, tmp_path, sent, code, words):
    report = tmp_path / "report.json"
    with started("--demo", credentials, "--people", 64, "--processes", 2, "--fail-if", "rate < 1/s", "--json", report) as process:
        # Each generator calls its people by a name of its own.
        Stack.wait_for(lambda: len({name.split("-")[1] for name in people(demo)}) == 2, 30, "the first person of each generator")
        os.kill(generator(process, "1/2"), sent)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == code and words in output, (process.returncode, output)
    assert not report.exists()
    for username, user_id in people(demo).items():
        # Those of the one that could not tidy up.
        assert sent == signal.SIGKILL and Administrator(demo).call("DELETE", f"/users/{user_id}").status_code == 204, username


def test_a_generator_that_is_interrupted_while_it_pushes_leaves_no_report_of_half_a_run(credentials, demo, tmp_path):
    report = tmp_path / "report.json"
    with started("--demo", credentials, "--people", 2, "--seconds", 600, "--processes", 2, "--json", report) as process:
        wait_for_pushing(process)
        os.kill(generator(process, "1/2"), signal.SIGTERM)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 130 and "generator 1 was interrupted" in output, output
    assert not report.exists() and people_left(demo) == []


def test_generators_whose_starter_is_killed_leave_nobody_behind(credentials, demo):
    with started("--demo", credentials, "--people", 2, "--seconds", 600, "--processes", 2) as process:
        wait_for_pushing(process)
        process.kill()
    Stack.wait_for(lambda: people_left(demo) == [], 30, "the generators to remove their people")


def test_a_run_whose_gateway_is_gone_does_not_try_to_remove_each_person(stack, credentials, demo):
    gateway = Gateway(stack, 3, f"--http.externalURL={stack.base}", "--loadTest.allowed=true")
    with started("--demo", credentials, "--gateway", gateway.address, "--people", 16, "--seconds", 600) as process:
        wait_for_pushing(process)
        gateway.stop(signal.SIGKILL)
        process.send_signal(signal.SIGINT)
        # A connection is tried for 10 s.
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 130 and "16 people could not be removed" in output, output
    for user_id in people(demo).values():
        assert Administrator(demo).call("DELETE", f"/users/{user_id}").status_code == 204


def some_are_lost(waits: int, streams: int):
    """So many waits, before a gateway has them, and so many event streams, when they have begun."""
    left = {Fate.LOST: waits, Fate.BROKEN_OFF: streams}
    kinds = {rb"GET \S+/sign-ins/\S+[?]wait=25 ": Fate.LOST, rb"GET \S+/devices/\S+/events ": Fate.BROKEN_OFF}
    lock = threading.Lock()

    def fate(data: bytes) -> Fate:
        with lock:
            for kind, fate in kinds.items():
                if re.match(kind, data) and left[fate] > 0:
                    left[fate] -= 1
                    return fate
        return Fate.PASSED

    return fate


def test_waits_and_streams_that_are_lost_are_taken_up_again_and_fail_nothing(stack, credentials, demo, tmp_path):
    report = tmp_path / "report.json"
    with Proxy(some_are_lost(waits=3, streams=2)) as proxy:
        gateway = Gateway(stack, 3, f"--http.externalURL={proxy.base}", "--loadTest.allowed=true")
        try:
            with proxy.serving(gateway.address):
                output = run("--credentials", credentials, "--gateway", proxy.base, "--people", 2, "--seconds", 3, "--json", report)
        finally:
            assert gateway.stop() == 0
    [phase] = json.loads(report.read_text())["phases"]
    assert phase["failures"] == {} and phase["mismatches"] == {} and phase["completed"] == phase["begun"] > 3, phase
    again = phase["reconnections"]
    assert again.pop("event stream: the connection was lost") == 2
    assert all(kind.startswith("wait: ") for kind in again) and sum(again.values()) == 3, again
    assert "reconnections   5" in output
    assert people_left(demo) == []


def test_without_a_terminal_each_second_is_a_line_that_names_what_failed(stack, credentials, demo):
    with Proxy(lambda data: Fate.LOST if re.match(rb"POST \S+/sign-ins ", data) else Fate.PASSED) as proxy:
        gateway = Gateway(stack, 3, f"--http.externalURL={proxy.base}", "--loadTest.allowed=true")
        try:
            with proxy.serving(gateway.address):
                output = run("--credentials", credentials, "--gateway", proxy.base, "--people", 1, "--seconds", 2, expect=1)
        finally:
            assert gateway.stop() == 0
    seconds = [line for line in output.splitlines() if "in flight" in line]
    assert seconds and re.search(r" [1-9]\d* failures .* [1-9]\d* x begin: ", seconds[-1]), output
    assert people_left(demo) == []


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_report_that_could_not_be_written_ends_a_run_before_it_begins(credentials, demo, tmp_path, option):
    for place in (tmp_path / "missing/report", tmp_path):
        output = run("--demo", credentials, "--people", 1, "--seconds", 1, option, place, expect=73)
        assert output == f"Error: {place} cannot be written\n", output
    assert people_left(demo) == []


@pytest.mark.parametrize(
    "options, words",
    [
        (["--people", "0"], "--people takes 1 to 10,000"),
        (["--mix", "sleep=1"], "is no share of a mix"),
        (["--phase", "200 for 30s"], "is no phase"),
        (["--fail-if", "p98(whole) > 5ms"], "is no threshold"),
        (["--phase", "soak 5/s for 1s", "--fail-if", "rate < 5/s in soka"], "names no phase of this run: soak"),
        (["--answer-time", "fast"], "is no answer time"),
        (["--rate", "5", "--phase", "5/s for 1s"], "exclude each other"),
        (["--people", "2", "--phase", "3 people for 1s"], "has 3 people"),
        (["--people", "2", "--processes", "3"], "each of --processes needs one of --people"),
        (["--processes", "65"], "--processes takes 1 to 64"),
        (["--keep", "people.json", "--trivial"], "--keep is for phones with streams"),
        (["--trivial", "--hdr", "load.hdr"], "--hdr is for sign-ins"),
        (["--trivial", "--mix", "code=1"], "--trivial has no people"),
        (["--wake", "pigeon"], "--wake takes streams, apns, fcm or webpush"),
        (["--wake", "apns"], "needs --push-double"),
        (["--push-double", "."], "needs --wake"),
    ],
)
def test_a_wrong_option_is_named(credentials, options, words):
    assert words in run("--demo", credentials, *options, expect=64)


def test_a_file_of_credentials_that_others_can_read_is_refused(credentials, tmp_path):
    copy = tmp_path / "demo.json"
    copy.write_bytes(credentials.read_bytes())
    copy.chmod(0o644)
    assert "0600" in run("--demo", copy, expect=66)
