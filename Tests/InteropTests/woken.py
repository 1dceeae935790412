"""A system whose notifier sends through the doubles of the push providers."""

import contextlib
import json
import os
import pathlib
import secrets
import signal
import sqlite3
import subprocess

import requests

from client import Administrator, Application, Phone
from conftest import Someone
from push import Doubles, PushService, write_private
from stack import BIN, Stack


def make_private(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(mode=0o700, parents=True)
    return folder


def give_address(phone: Phone, address: dict) -> None:
    reply = phone.call("PATCH", "", {"push": address})
    assert reply.status_code == 200 and reply.json()["pushTransport"] == address["transport"], reply.text


class Woken:
    """A system of its own with an account at each provider, whose keys are sealed."""

    def __init__(self, folder: pathlib.Path):
        push = folder / "var/push"
        push.mkdir(parents=True)
        self.stack = Stack(folder / "var")
        self.doubles = Doubles(push, self.stack.first_port + 37)
        self.service = PushService(push)
        roots = folder / "roots.pem"
        roots.write_text((push / "roots.pem").read_text() + self.service.certificate.read_text())
        self.push = push
        self.sealing_key = write_private(make_private(folder / "var/keys") / "notifier.sealing.key", secrets.token_hex(32) + "\n")
        self.accounts = json.loads((push / "default.json").read_text())
        for provider, member in (("apns", "keyFile"), ("fcm", "serviceAccountFile"), ("webpush", "keyFile")):
            self.seal(provider, self.accounts[provider][member], f"{provider}.sealed")
            (push / self.accounts[provider][member]).unlink()
            self.accounts[provider][member] = f"{provider}.sealed"
        write_private(push / "default.json", json.dumps(self.accounts))
        self.stack.environment |= {
            "COUNTERSIGN_NOTIFIER_NOTIFIER_PUSH_KEYS": "sealed",
            "COUNTERSIGN_NOTIFIER_NOTIFIER_PUSH_TRUST_ROOTS": str(roots),
            "COUNTERSIGN_NOTIFIER_NOTIFIER_PUSH_WEB_PUSH_HOSTS": "localhost",
            "COUNTERSIGN_NOTIFIER_NOTIFIER_PUSH_WEB_PUSH_BLOCKS": "127.0.0.0/8",
        }
        self.stack.start()
        self.demo = self.stack.demo()
        self.application = Application(self.demo)
        self.administrator = Administrator(self.demo)

    def seal(self, provider: str, key: str, to: str, account: str = "default", expect: int = 0) -> str:
        done = subprocess.run(
            [BIN / "countersign-admin", "push", "seal", provider, self.push / key, self.push / to, "--account", account,
             "--sealing-key", self.sealing_key],
            capture_output=True, text=True, timeout=40,
        )
        assert done.returncode == expect, (done.stdout, done.stderr)
        return done.stderr

    def reload(self) -> str:
        """The line that the notifier logs of a SIGHUP."""
        log = self.stack.var / "log/notifier.log"
        lines = lambda: [line for line in log.read_text().splitlines() if "push accounts" in line]  # noqa: E731
        before = len(lines())
        os.kill(self.stack.pids()["notifier"], signal.SIGHUP)
        Stack.wait_for(lambda: len(lines()) > before, 10, "the accounts to be read again")
        return lines()[-1]

    def someone(self, push: dict, **options) -> Someone:
        someone = Someone(self.demo, **options)
        give_address(someone.phone, push)
        return someone

    def begin(self, someone: Someone) -> dict:
        reply = self.application.begin(someone.username)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def complete(self, someone: Someone, request: dict) -> None:
        """What a woken phone does: fetches, signed, and answers."""
        reply = someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
        assert reply.json()["status"] == "approved", reply.text
        assert self.application.redeem(request).status_code == 200

    def transport(self, someone: Someone) -> str:
        devices = self.administrator.get(f"/users/{someone.user['id']}/devices")["items"]
        return devices[0]["pushTransport"]

    def check(self, someone: Someone, expect: int) -> dict | None:
        done = subprocess.run(
            [BIN / "countersign-admin", "push", "check", someone.username, "--json", "--demo", self.stack.var / "demo.json"],
            capture_output=True, text=True, timeout=40,
        )
        assert done.returncode == expect, (done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def read(self, query: str, *values) -> list[tuple]:
        """Of the notifier's database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.stack.var}/notifier/notifier.sqlite?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def stages(self, request: dict) -> list[str]:
        """Of what the notifier holds for a request."""
        return [stage for (stage,) in self.read("SELECT stage FROM wake_up WHERE challenge = ?", request["id"])]

    def outcomes(self, request: dict) -> list[str]:
        """Of the attempts that were made for a request."""
        return [outcome for (outcome,) in self.read("SELECT outcome FROM delivery WHERE challenge = ? ORDER BY sequence", request["id"])]

    def metrics(self) -> str:
        return requests.get(self.stack.operations("notifier") + "/metrics", timeout=10).text

    def stop(self) -> None:
        self.stack.stop()
        self.doubles.stop()
        self.service.stop()
