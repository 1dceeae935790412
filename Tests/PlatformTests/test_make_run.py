"""What the first page of the README promises of `make run`, `make stop` and `make help`, with a terminal in front."""

import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from client import Application
from conftest import Someone
from stack import ROOT, Stack, environment, make


class Terminal:
    """`make run` in the foreground of a terminal of its own."""

    def __init__(self, stack: Stack):
        self.pid, self.main = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execvpe("make", ["make", "run"], environment(stack))
        self.shown = ""

    def read_until(self, text: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert select.select([self.main], [], [], max(0, deadline - time.monotonic()))[0], f"no {text!r} in {seconds} s:\n{self.shown}"
            self.shown += self.read()

    def read(self) -> str:
        try:
            return os.read(self.main, 65536).decode().replace("\r\n", "\n")
        except OSError:  # how Linux says that nobody has the other end open any more
            raise AssertionError(f"it ended:\n{self.shown}") from None

    def press_ctrl_c(self) -> int:
        """Returns the status of make."""
        os.write(self.main, b"\x03")
        self.read_until("stopped\n", 30)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.main)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def stack(tmp_path):
    """Its folder and ports: nothing is started."""
    stack = Stack(tmp_path / "var")
    yield stack
    make(stack, "stop")


def test_a_port_that_is_taken_is_named_before_anything_is_started(stack):
    database = f"127.0.0.1:{int(stack.environment['COUNTERSIGN_BUS_PORT']) + 16}"
    for address in (stack.base, stack.bus("challenge"), stack.operations("verifier"), database):
        host, port = address.rpartition("//")[2].split(":")
        with socket.create_server((host, int(port))):
            refused = make(stack, "run", "ARGS=--detach", *(["STORE=postgresql"] if address == database else []))
        assert refused.returncode != 0, refused.stdout
        assert f"{host}:{port} is taken, by another program or" in refused.stderr and f"COUNTERSIGN_HTTP_PORT ({stack.first_port})" in refused.stderr
        assert not (stack.var / "policy").exists()
    assert make(stack, "stop").stdout == "Nothing is running.\n"


def test_ctrl_c_in_a_terminal_ends_everything_and_the_next_start_goes_on_where_it_ended(stack):
    terminal = Terminal(stack)
    terminal.read_until("Ctrl-C stops everything.", 60)
    demo = stack.demo()
    assert (stack.var / "demo.json").stat().st_mode & 0o777 == 0o600
    assert (demo["base"], demo["tenant"]) == (stack.base, "demo")
    for path in ("/demo/sign-in", "/demo/security-info", "/authenticator", "/demo/admin", "/v1/demo", "/healthz"):
        assert re.search(rf"\b{re.escape(stack.base + path)}\b", terminal.shown), (path, terminal.shown)
    for secret in (demo["admin"]["password"], *(user["password"] for user in demo["users"])):
        assert secret in terminal.shown
    pids = stack.pids()
    assert sorted(pids) == sorted(Stack.SERVICES)

    for arguments in ((), ("ARGS=--detach",)):
        beside = make(stack, "run", *arguments)
        assert beside.returncode != 0 and f"Already running from {stack.var} (process" in beside.stderr, (beside.stdout, beside.stderr)
    assert stack.pids() == pids and (stack.var / "ready").exists()

    killed, since = stack.kill("verifier"), time.monotonic()
    Stack.wait_for(lambda: stack.pids().get("verifier", killed) != killed, 1, "the verifier to be started again")
    assert time.monotonic() - since < 1
    terminal.read_until("verifier ended with status 137; starting it again", 1)

    someone, application = Someone(demo), Application(demo)
    request = application.begin(someone.username).json()
    pids = stack.pids()
    assert terminal.press_ctrl_c() in (0, 2, 130, -signal.SIGINT), terminal.shown
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values())
    assert "ended with status" not in terminal.shown.partition("stopping")[2], terminal.shown

    again = make(stack, "run", "ARGS=--detach")
    assert again.returncode == 0 and "Countersign is ready." in again.stdout and "make stop" in again.stdout, (again.stdout, again.stderr)
    assert "Ctrl-C" not in again.stdout
    assert stack.demo() == demo
    reply = someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
    assert reply.json()["status"] == "approved"
    assert application.redeem(request).json()["user"]["username"] == someone.username

    pids = stack.pids()
    stopped = make(stack, "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n"), stopped.stderr
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values())
    harmless = make(stack, "stop")
    assert (harmless.returncode, harmless.stdout, harmless.stderr) == (0, "Nothing is running.\n", "")


def test_a_start_in_the_background_that_is_given_up_leaves_nothing(stack):
    with subprocess.Popen(
        ["make", "run", "ARGS=--detach"], cwd=ROOT, env=environment(stack), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as starting:
        Stack.wait_for(lambda: "policy" in stack.pids(), 20, "a process to be started")
        os.killpg(starting.pid, signal.SIGINT)
        assert starting.wait(timeout=30) != 0
    assert stack.pids() == {}
    assert make(stack, "stop").stdout == "Nothing is running.\n"


def test_deaths_leave_the_supervisor_as_quiet_as_before(stack):
    assert make(stack, "run", "ARGS=--detach").returncode == 0
    for service in Stack.SERVICES:
        killed = stack.kill(service)
        Stack.wait_for(lambda: stack.pids().get(service, killed) != killed, 10, f"another {service}")
    supervisor = (stack.var / "supervisor.pid").read_text().strip()
    children = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    # The processes and one pause.
    assert len(children) <= len(Stack.SERVICES) + 1, children


def test_stop_ends_nobody_else(stack):
    """The number of a supervisor that was killed may be another process's by now."""
    stack.var.mkdir()
    (stack.var / "supervisor.lock").touch()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (stack.var / "supervisor.pid").write_text(str(bystander.pid))
        assert make(stack, "stop").stdout == "Nothing is running.\n"
        assert bystander.poll() is None
        bystander.terminate()


def test_a_start_that_fails_says_why_and_leaves_nothing(stack):
    stack.var.mkdir()
    stack.environment["SCALE"] = "nobody=2"
    failed = make(stack, "run", "ARGS=--detach")
    assert failed.returncode != 0 and "SCALE has 'nobody=2'" in failed.stderr, (failed.stdout, failed.stderr)
    unknown = make(stack, "run", "ARGS=--background")
    assert unknown.returncode != 0 and "unknown argument '--background'" in unknown.stderr
    assert stack.pids() == {}


def test_help_lists_what_can_be_done(stack):
    shown = make(stack, "help").stdout
    assert shown == make(stack).stdout, "it is what make alone says"
    described = set(re.findall(r"^  make ([a-z-]+) +\S", shown, re.M))
    phony = set(re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.M)[1].split())
    assert described == phony and {"run", "stop", "test", "check", "help"} <= described
