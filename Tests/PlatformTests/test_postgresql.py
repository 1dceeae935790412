"""The whole system on PostgreSQL: the private server that `make run STORE=postgresql` starts."""

import json
import pathlib
import shutil
import subprocess
import tempfile

import pytest
import requests

from client import Application
from conftest import Someone
from stack import BIN, ROOT, Stack


@pytest.fixture
def var():
    # The server runs as another user when the tests run as root, and pytest's own folders let nobody through.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder / "var"
    shutil.rmtree(folder)


def sign_in(demo: dict, someone: Someone) -> None:
    application = Application(demo)
    request = application.begin(someone.username).json()
    reply = someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    assert reply.json()["status"] == "approved"
    assert application.redeem(request).status_code == 200


def test_a_person_signs_in_on_postgresql_and_again_after_a_restart(var):
    stack = Stack(var, {"STORE": "postgresql"}).start()
    try:
        demo = stack.demo()
        someone = Someone(demo)
        sign_in(demo, someone)
        assert not list(var.glob("*/*.sqlite"))
        for log in (var / "log").glob("*.log"):
            assert (var / "keys/postgresql.password").read_text() not in log.read_text(), log
    finally:
        assert stack.stop() == 0
    assert not (var / "postgresql/data/postmaster.pid").exists()

    again = Stack(var)
    again.first_port, again.environment = stack.first_port, stack.environment
    again.start()
    try:
        assert again.demo() == demo
        sign_in(demo, someone)
        for service in Stack.SERVICES:
            assert requests.get(again.operations(service) + "/readyz", timeout=5).status_code == 200
    finally:
        assert again.stop() == 0


def test_a_request_that_finds_no_database_leaves_one_warning_with_its_cause(var):
    stack = Stack(var, {"STORE": "postgresql"}).start()

    def administer(*statements: str) -> None:
        place = ["-h", var / "postgresql/socket", "-p", str(stack.first_port + 10 + 16), "-U", "postgres"]
        commands = [word for statement in statements for word in ("-c", statement)]
        subprocess.run(["psql", "-qAt", *place, *commands], check=True, capture_output=True, timeout=20)

    try:
        demo = stack.demo()
        someone = Someone(demo)
        # The application is known from here on without a question.
        sign_in(demo, someone)
        administer("ALTER ROLE countersign NOLOGIN", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'countersign'")
        reply = Application(demo).begin(someone.username)
        assert reply.status_code == 503, reply.text
        named = [
            json.loads(line) for log in (var / "log").glob("*.log") for line in log.read_text().splitlines()
            if reply.headers["X-Request-Id"] in line
        ]
        assert {line["service"].removeprefix("countersign-") for line in named} >= {"gateway", "challenge", "registration"}, named
        [warning] = [line for line in named if line["level"] not in ("debug", "info", "notice")]
        assert (warning["msg"], warning["code"], warning["cause"]) == ("request not served", "unavailable", "connection"), warning
        assert "not permitted to log in" in warning["detail"], warning
        administer("ALTER ROLE countersign LOGIN")
        stack.wait_for(lambda: requests.get(stack.base + "/readyz", timeout=5).status_code == 200, 30, "the gateway to be ready again")
        sign_in(demo, someone)
    finally:
        assert stack.stop() == 0


def copy(var, port: int) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            BIN / "countersign-admin", "store", "copy", "--json", "--from", var, "--to", f"postgresql://countersign@127.0.0.1:{port}/countersign",
            "--password-file", var / "keys/postgresql.password",
        ],
        capture_output=True, text=True, timeout=60,
    )


def test_an_installation_moves_from_files_to_postgresql_with_its_people_and_phones(var):
    stack = Stack(var).start()
    port = stack.first_port + 10 + 16
    try:
        demo = stack.demo()
        someone = Someone(demo)
        sign_in(demo, someone)
        refused = copy(var, port)
        assert (refused.returncode, refused.stdout) == (75, ""), refused.stderr
        assert "policy.sqlite is in use by another process" in refused.stderr
    finally:
        assert stack.stop() == 0

    again = Stack(var, {"SCALE": "challenge=2"})
    again.first_port = stack.first_port
    again.environment = {**stack.environment, "SCALE": "challenge=2"}
    again.start()
    try:
        assert f"moving the records of {var} to PostgreSQL" in again.log()
        assert again.demo() == demo
        sign_in(demo, someone)
        log = [entry for entry in someone.administrator.sign_ins() if entry["username"] == someone.username]
        assert [entry["status"] for entry in log].count("redeemed") == 2
        refused = copy(var, port)
        assert refused.returncode == 75, refused.stderr
        assert "countersign-challenge" in refused.stderr and "stop these processes first" in refused.stderr
    finally:
        assert again.stop() == 0

    # What was moved once stays where it is, and is not moved again.
    last = Stack(var)
    last.first_port, last.environment = stack.first_port, stack.environment
    last.start()
    try:
        assert "moving" not in last.log().split("stopped")[-1]
        sign_in(demo, someone)
    finally:
        assert last.stop() == 0
    back = subprocess.run([str(ROOT / "scripts/supervise")], env={**stack.environment, "STORE": "sqlite"}, capture_output=True, text=True, timeout=30)
    assert back.returncode == 64 and "STORE=sqlite is not possible any more" in back.stderr
