"""The whole system on PostgreSQL: the private server that `make run STORE=postgresql` starts."""

import pathlib
import shutil
import tempfile

import pytest
import requests

from client import Application
from conftest import Someone
from stack import Stack


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
