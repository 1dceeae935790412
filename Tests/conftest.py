"""One running system for all tests that do not break it."""

import secrets
import signal
import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from client import Administrator, Application, Person, Phone, register, set_up_phone_sign_in  # noqa: E402
from stack import Stack  # noqa: E402


def pytest_configure():
    """SIGTERM ends the tests as Ctrl-C does: every fixture stops what it started. A shell that starts them in the background has SIGINT
    ignored, which the programs that they start would inherit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM", returncode=128 + signal.SIGTERM))


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("stack") / "var").start()
    yield stack
    stack.stop()


@pytest.fixture(scope="session")
def demo(stack):
    return stack.demo()


@pytest.fixture
def application(demo):
    return Application(demo)


@pytest.fixture
def administrator(demo):
    return Administrator(demo)


class Someone:
    """A person of a test's own, with a phone that can sign in."""

    def __init__(self, demo: dict, phone_sign_in: bool = True, phone: Phone | None = None, **members):
        self.administrator = Administrator(demo)
        self.username = "p" + secrets.token_hex(6)
        self.password = secrets.token_urlsafe(12)
        self.user = self.administrator.create_user(self.username, self.password, **members)
        self.browser = Person(demo["base"], demo["tenant"])
        reply = self.browser.sign_in(self.username, password=self.password)
        assert reply.status_code == 200, reply.text
        self.phone = register(self.browser, phone or Phone())
        if phone_sign_in:
            set_up_phone_sign_in(self.phone, password=self.password)


@pytest.fixture
def someone(demo):
    return Someone(demo)


@pytest.fixture
def make_someone(demo):
    return lambda **options: Someone(demo, **options)
