"""Starts the real processes in a folder of their own, on ports of their own, and ends them by their ids."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / os.environ.get("COUNTERSIGN_BIN", ".build/release")
PORTS = range(20000, 32000, 48)


def free_ports() -> int:
    """The first of 48 neighbouring ports below the ephemeral range of which none is in use."""
    for first in PORTS:
        sockets = []
        try:
            for port in range(first, first + 48):
                probe = socket.socket()
                probe.bind(("127.0.0.1", port))
                sockets.append(probe)
            return first
        except OSError:
            continue
        finally:
            for probe in sockets:
                probe.close()
    raise RuntimeError("no free ports")


class Stack:
    SERVICES = ("policy", "registration", "challenge", "verifier", "notifier", "gateway")

    def __init__(self, folder: pathlib.Path, environment: dict | None = None):
        self.var = folder
        self.first_port = free_ports()
        self.environment = {
            **os.environ,
            "COUNTERSIGN_VAR": str(folder),
            "COUNTERSIGN_HTTP_PORT": str(self.first_port),
            "COUNTERSIGN_BUS_PORT": str(self.first_port + 10),
            **(environment or {}),
        }
        self.process: subprocess.Popen | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.first_port}"

    def operations(self, service: str) -> str:
        return f"http://127.0.0.1:{self.first_port + 20 + self.SERVICES.index(service)}"

    def bus(self, service: str) -> str:
        """Where the first process of a service answers the others."""
        return f"tcp://127.0.0.1:{self.first_port + 10 + self.SERVICES.index(service)}"

    def metric(self, service: str, name: str) -> float:
        """The sum over all series that begin so: a metric's name, or one with some of its labels."""
        text = requests.get(self.operations(service) + "/metrics", timeout=5).text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def start(self) -> "Stack":
        (self.var / "ready").unlink(missing_ok=True)
        self.var.mkdir(parents=True, exist_ok=True)
        self.output = open(self.var / "supervisor.out", "ab")
        self.process = subprocess.Popen(
            [str(ROOT / "scripts/supervise")], env=self.environment, stdout=self.output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.wait_for(lambda: (self.var / "ready").exists() or self.process.poll() is not None, 60, "the stack to be ready")
            assert self.process.poll() is None, self.log()
        except BaseException:
            # Nobody got it, so nobody else stops it.
            self.stop()
            raise
        return self

    def stop(self, sent: int = signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(sent)
        status = self.process.wait(timeout=60)
        self.output.close()
        self.process = None
        return status

    def log(self) -> str:
        return (self.var / "supervisor.out").read_text()

    def demo(self) -> dict:
        return json.loads((self.var / "demo.json").read_text())

    def pids(self) -> dict[str, int]:
        """The processes by service: children of the supervisor, named by their program."""
        found = {}
        try:
            supervisor = int((self.var / "supervisor.pid").read_text())
        except (OSError, ValueError):
            return found
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent == supervisor:
                    program = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
                    name = program.rsplit("countersign-", 1)
                    if len(name) == 2:
                        found[name[1]] = int(entry.name)
            except (OSError, IndexError):
                continue
        return found

    def kill(self, service: str) -> int:
        pid = self.pids()[service]
        os.kill(pid, signal.SIGKILL)
        return pid

    @staticmethod
    def wait_for(condition, seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s for {what}")
            time.sleep(0.02)


class Gateway:
    """One more gateway of a running stack, on ports of its own, for the same external URL unless another is given. `callees`: where it
    finds services, if not where the stack has them."""

    def __init__(self, stack: Stack, index: int = 1, *arguments: str, scheme: str = "http", callees: dict[str, str] | None = None):
        port = stack.first_port + 30 + 2 * index
        self.address = f"{scheme}://127.0.0.1:{port}"
        self.operations = f"http://127.0.0.1:{port + 1}"
        callees = {name: stack.bus(name) for name in Stack.SERVICES[:-1]} | (callees or {})
        bus = [f"--bus.{name}.endpoints={endpoints}" for name, endpoints in callees.items()]
        self.log = open(stack.var / f"log/gateway-{index}.log", "ab")
        self.process = subprocess.Popen(
            [
                BIN / "countersign-gateway", f"--bus.keys={stack.var / 'keys'}", f"--operations.address=127.0.0.1:{port + 1}",
                f"--http.address=127.0.0.1:{port}", *bus, *(arguments or [f"--http.externalURL={stack.base}"]),
            ],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )
        Stack.wait_for(self.is_ready, 20, "the gateway to be ready")

    def is_ready(self) -> bool:
        assert self.process.poll() is None, pathlib.Path(self.log.name).read_text()
        try:
            return requests.get(self.operations + "/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def stop(self, sent: int = signal.SIGTERM) -> int:
        self.process.send_signal(sent)
        status = self.process.wait(timeout=60)
        self.log.close()
        return status


def make(stack: Stack, *arguments: str) -> subprocess.CompletedProcess:
    """In the folder and on the ports of a stack that is not started otherwise."""
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, env=environment(stack), capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL)


def environment(stack: Stack) -> dict:
    # Not the flags of the make that runs the tests.
    return {name: value for name, value in stack.environment.items() if not name.startswith("MAKE")} | {"COUNTERSIGN_BIN": str(BIN)}
