"""Two of everything on one PostgreSQL server, through two gateways: processes and the database fail, and the others go on."""

import concurrent.futures
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pyotp
import pytest
import requests

from bus import Caller, key
from client import Application
from conftest import Someone
from stack import BIN, Stack

from .conftest import LONG, Trial
from .load import BRISK

SCALE = "policy=2 registration=2 challenge=2 verifier=2 gateway=2"


class Scaled(Trial):
    def load(self, name: str, **options):
        first = self.stack.first_port
        return super().load(name, f"http://127.0.0.1:{first}", f"http://127.0.0.1:{first + 1}", **options)

    def restart(self, pid: int) -> None:
        """Tells a process to end, and returns when the one that follows it is ready."""
        address = next(word for word in arguments(pid) if word.startswith("--operations.address="))
        os.kill(pid, signal.SIGTERM)

        def is_ready() -> bool:
            if not any(address in arguments(other) for other in self.processes() if other != pid):
                return False
            try:
                return requests.get(f"http://{address.partition('=')[2]}/readyz", timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        Stack.wait_for(is_ready, 30, f"the process at {address} to be there again")

    def processes(self, word: str = "countersign-") -> list[int]:
        """The supervisor's children whose program's path has this word."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent == self.stack.process.pid and word in (entry / "cmdline").read_bytes().split(b"\0")[0].decode():
                    found.append(int(entry.name))
            except OSError:
                continue
        return sorted(found)

    def codes_seen(self) -> list[int]:
        """How many offline codes each verifier has judged."""
        found = []
        for pid in self.processes("countersign-verifier"):
            address = re.search(rb"--operations\.address=([^\0]+)", pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())[1].decode()
            text = requests.get(f"http://{address}/metrics", timeout=5).text
            found.append(sum(int(float(line.split()[-1])) for line in text.splitlines() if line.startswith("countersign_codes_total")))
        return found

    def sql(self, statement: str) -> None:
        port = self.stack.first_port + 10 + 16
        socket = self.stack.var / "postgresql/socket"
        place = socket if len(str(socket)) < 90 else "127.0.0.1"
        subprocess.run(["psql", "-q", "-h", place, "-p", str(port), "-U", "postgres", "-c", statement], check=True, stdout=subprocess.DEVNULL)


def arguments(pid: int) -> list[str]:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


@pytest.fixture(scope="module")
def scaled(failpoints):
    # A short path: the database's socket lies in it.
    folder = pathlib.Path(f"/tmp/countersign-scaled-{os.getpid()}")
    stack = Stack(folder, {"SCALE": SCALE, **failpoints.environment}).start()
    try:
        yield Scaled(stack, 12)
    finally:
        status = stack.stop()
        subprocess.run(["rm", "-rf", folder], check=True)
    assert status == 0


def test_a_random_process_is_killed_every_second(scaled):
    chance = random.Random(2)
    with scaled.load("kill-every-second") as load:
        load.until_redeemed(20)
        until = time.monotonic() + (600 if LONG else 10)
        while time.monotonic() < until:
            os.kill(chance.choice(scaled.processes()), signal.SIGKILL)
            time.sleep(1)
        load.until_redeemed(40)


def test_the_same_code_races_at_two_verifiers_and_one_wins(scaled):
    demo, first = scaled.stack.demo(), scaled.stack.first_port
    sides = [Application({**demo, "base": f"http://127.0.0.1:{first + number % 2}"}) for number in range(4)]
    before = scaled.codes_seen()
    with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
        for _ in range(10):
            someone = Someone(demo, phone_sign_in=False)
            codes = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"])
            asked = [side.begin(someone.username, factor="secondFactor").json() for side in sides]
            code = codes.now()
            replies = list(pool.map(lambda pair: pair[0].code(pair[1], code), zip(sides, asked)))
            # Too many at once may also be told to wait.
            statuses = [reply.status_code for reply in replies]
            assert statuses.count(200) == 1 and {*statuses} <= {200, 422, 429}, [reply.text for reply in replies]
            redeemed = [side.redeem(request).status_code for side, request in zip(sides, asked)]
            assert sorted(redeemed) == [200, 409, 409, 409]
            assert redeemed.index(200) == statuses.index(200)
    judged = [after - earlier for earlier, after in zip(before, scaled.codes_seen())]
    assert min(judged) > 0, judged


@pytest.mark.parametrize("service", Stack.SERVICES[:4])
def test_one_of_two_stands_still_and_the_other_carries_on(scaled, service):
    with scaled.load(f"one-stopped-{service}") as load:
        load.until_redeemed(10)
        pid = scaled.processes(f"countersign-{service}")[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            # What was in its hands is given to the other after three beats that fail to come.
            load.until_redeemed(20, seconds=20)
            assert load.until_redeemed(10) < 6
        finally:
            os.kill(pid, signal.SIGCONT)
        load.until_redeemed(20)


def test_processes_are_restarted_in_turn_and_no_sign_in_fails(scaled):
    """A client may be told to repeat a call; whoever does so comes to the end of the sign-in (the load fails otherwise)."""
    chosen = {}
    for pid in scaled.processes():
        program = arguments(pid)[0]
        chosen.setdefault(program, []).append(pid)
    gateways = [pid for program, pids in chosen.items() if program.endswith("gateway") for pid in pids]
    others = [pid for program, pids in chosen.items() if not program.endswith("gateway") for pid in (pids if LONG else pids[:1])]
    with scaled.load("rolling", intents=BRISK) as load:
        load.until_redeemed(5)
        for pid in others:
            scaled.restart(pid)
        load.until_redeemed(5)
    # Whoever is connected to a gateway that ends goes to it again, or to another.
    with scaled.load("rolling-gateways", intents=BRISK) as load:
        load.until_redeemed(5)
        for pid in gateways:
            scaled.restart(pid)
        load.until_redeemed(5)


def test_a_service_gets_another_key_and_no_sign_in_fails(scaled):
    keys = scaled.stack.var / "keys"
    before = key(keys, "challenge.key")

    def rotate(*options: str) -> None:
        subprocess.run([BIN / "countersign-admin", "keys", "rotate", "challenge", "--keys", keys, *options], check=True, stdout=subprocess.DEVNULL)

    with scaled.load("keys", intents=BRISK) as load:
        load.until_redeemed(5)
        rotate()
        assert key(keys, "challenge.key") != before
        for pid in scaled.processes("countersign-challenge"):
            scaled.restart(pid)
        rotate("--step", "retire")
        load.until_redeemed(10)
    refused = 'countersign_bus_faults_total{kind="refused_connection"}'
    counted = scaled.stack.metric("registration", refused)
    with Caller(scaled.stack.bus("registration"), "challenge", key(keys, "registration.pub"), before) as caller:
        assert not caller.is_ready(1)
    assert scaled.stack.metric("registration", refused) > counted


@pytest.mark.parametrize("method", ["Settle", "Redeem"])
def test_one_that_stood_still_before_its_commit_commits_nothing_late(scaled, failpoints, method):
    with scaled.load(f"late-{method}") as load:
        load.until_redeemed(5)
        pid = failpoints.wait(failpoints.arm("before-commit", method, "stop"))
        try:
            load.until_redeemed(10)
            time.sleep(12 if LONG else 1)
        finally:
            os.kill(pid, signal.SIGCONT)
        load.until_redeemed(10)


def test_the_database_is_killed(scaled):
    with scaled.load("database-killed") as load:
        load.until_redeemed(10)
        for pid in scaled.processes("/postgres"):
            os.kill(pid, signal.SIGKILL)
        load.until_redeemed(40)


def test_all_connections_of_the_database_are_cut(scaled):
    with scaled.load("database-cut") as load:
        for _ in range(20 if LONG else 5):
            load.until_redeemed(5)
            scaled.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'countersign-%'")
        load.until_redeemed(20)


def test_the_database_takes_no_writes_for_a_while(scaled):
    with scaled.load("database-read-only") as load:
        load.until_redeemed(10)
        scaled.sql("ALTER SYSTEM SET default_transaction_read_only TO on")
        scaled.sql("SELECT pg_reload_conf()")
        try:
            time.sleep(4)
        finally:
            scaled.sql("ALTER SYSTEM RESET default_transaction_read_only")
            scaled.sql("SELECT pg_reload_conf()")
        load.until_redeemed(20)


def test_the_histories_are_clean(scaled, tmp_path_factory):
    scaled.prove(tmp_path_factory.mktemp("histories"))
