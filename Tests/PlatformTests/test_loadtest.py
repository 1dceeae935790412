"""The load generator against a running system: what it pushes, what it finds, and that it leaves nothing behind."""

import base64
import json
import re
import signal
import struct
import subprocess
import zlib

import pytest

from client import Administrator
from stack import BIN, Gateway

PROGRAM = BIN / "countersign-loadtest"


@pytest.fixture(scope="module")
def credentials(stack):
    return stack.var / "demo.json"


def run(*arguments, expect=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=90)
    assert done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def people_left(demo):
    users = Administrator(demo)
    reply = users.http.get(f"{demo['base']}/v1/{demo['tenant']}/admin/users?limit=1000", headers={"Authorization": f"Bearer {demo['admin']['token']}"})
    return [user["username"] for user in reply.json()["items"] if user["username"].startswith("load-")]


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


def test_the_histogram_log_is_hdrhistograms_and_has_every_sign_in(mixed):
    lines = mixed["hdr"].read_text().splitlines()
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
    assert counted["Tag=whole"] == sum(phase["completed"] for phase in mixed["report"]["phases"])


def test_the_page_shows_the_phases_and_asks_no_other_host(mixed):
    page = mixed["html"].read_text()
    assert "<h2>rush</h2>" in page and "<h2>calm</h2>" in page and page.count("<svg") >= 4
    assert not re.search(r"src=|href=|url\(|@import|<script", page)


def test_merged_reports_add_up_and_a_threshold_decides_the_exit_code(mixed, tmp_path):
    both = tmp_path / "both.json"
    output = run("merge", mixed["json"], mixed["json"], "--json", both, "--fail-if", "rate < 100000/s in calm", "--fail-if", "failures > 0", expect=2)
    assert "rate < 100000/s in calm: it is" in output and "failures > 0" not in output
    merged = json.loads(both.read_text())
    for one, two in zip(mixed["report"]["phases"], merged["phases"]):
        assert two["completed"] == 2 * one["completed"]
        assert two["latency"]["whole"]["p99"] == pytest.approx(one["latency"]["whole"]["p99"], rel=0.002)
    assert "is no report" in run("merge", mixed["hdr"], expect=65)


def test_plain_requests_are_counted(credentials, tmp_path):
    run("--demo", credentials, "--people", 2, "--seconds", 1, "--trivial", "--json", tmp_path / "plain.json")
    phase = json.loads((tmp_path / "plain.json").read_text())["phases"][0]
    assert phase["name"] == "trivial" and phase["failures"] == {}
    assert phase["httpRequests"] >= phase["completed"] > 10 and phase["rate"] > 10


def test_a_gateway_that_does_not_consent_is_not_pushed(stack, demo, credentials):
    gateway = Gateway(stack, 3)
    try:
        for options in ([], ["--trivial"]):
            output = run("--credentials", credentials, "--gateway", gateway.address, "--people", 1, "--seconds", 1, *options, expect=77)
            assert "does not allow load tests" in output and "loadTest.allowed" in output
        assert people_left(demo) == []
    finally:
        assert gateway.stop() == 0


def test_an_interrupted_run_reports_and_leaves_nobody_behind(credentials, demo):
    process = subprocess.Popen(
        [PROGRAM, "--demo", credentials, "--people", "2", "--seconds", "600"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while "in flight" not in (line := process.stdout.readline()):
        assert line, "the program ended before it pushed"
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    assert "completed" in output
    assert people_left(demo) == []


@pytest.mark.parametrize(
    "options, words",
    [
        (["--people", "0"], "--people takes 1 to 10,000"),
        (["--mix", "sleep=1"], "is no share of a mix"),
        (["--phase", "200 for 30s"], "is no phase"),
        (["--fail-if", "p98(whole) > 5ms"], "is no threshold"),
        (["--answer-time", "fast"], "is no answer time"),
        (["--rate", "5", "--phase", "5/s for 1s"], "exclude each other"),
        (["--people", "2", "--phase", "3 people for 1s"], "has 3 people"),
    ],
)
def test_a_wrong_option_is_named(credentials, options, words):
    assert words in run("--demo", credentials, *options, expect=64)


def test_a_file_of_credentials_that_others_can_read_is_refused(credentials, tmp_path):
    copy = tmp_path / "demo.json"
    copy.write_bytes(credentials.read_bytes())
    copy.chmod(0o644)
    assert "0600" in run("--demo", copy, expect=66)
