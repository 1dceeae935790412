"""Two of everything on one PostgreSQL server, through two gateways: processes and the database fail, and the others go on."""

import os
import pathlib
import random
import signal
import subprocess
import time

import pytest

from stack import Stack

from .conftest import LONG, Trial

SCALE = "policy=2 registration=2 challenge=2 verifier=2 gateway=2"


class Scaled(Trial):
    def load(self, name: str):
        first = self.stack.first_port
        return super().load(name, f"http://127.0.0.1:{first}", f"http://127.0.0.1:{first + 1}")

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

    def sql(self, statement: str) -> None:
        port = self.stack.first_port + 10 + 16
        socket = self.stack.var / "postgresql/socket"
        place = socket if len(str(socket)) < 90 else "127.0.0.1"
        subprocess.run(["psql", "-q", "-h", place, "-p", str(port), "-U", "postgres", "-c", statement], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def scaled():
    # A short path: the database's socket lies in it.
    folder = pathlib.Path(f"/tmp/countersign-scaled-{os.getpid()}")
    stack = Stack(folder, {"SCALE": SCALE}).start()
    yield Scaled(stack, 12)
    assert stack.stop() == 0
    subprocess.run(["rm", "-rf", folder], check=True)


def test_a_random_process_is_killed_every_second(scaled):
    chance = random.Random(2)
    with scaled.load("kill-every-second") as load:
        load.until_redeemed(20)
        until = time.monotonic() + (600 if LONG else 10)
        while time.monotonic() < until:
            os.kill(chance.choice(scaled.processes()), signal.SIGKILL)
            time.sleep(1)
        load.until_redeemed(40)


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
