"""An installation by one of the compose files, driven as its operator would: with docker-compose, and the commands of its tools image."""

import contextlib
import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = "id.countersign.test"
CERTIFICATE = "/run/secrets/certificate"
DEMO = "/home/countersign/demo.json"


def docker(*arguments, expect=0, timeout=60):
    done = subprocess.run(["/usr/bin/docker", *arguments], capture_output=True, text=True, timeout=timeout)
    assert expect is None or done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def make_certificate(folder: pathlib.Path) -> pathlib.Path:
    """As docs/containers.md says; the folder keeps other people of the host out, its files are read by the containers' users."""
    folder.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True)
    for name in ("key.pem", "certificate.pem"):
        (folder / name).chmod(0o444)
    return folder


class Installation:
    def __init__(self, file: str, secrets: pathlib.Path, **environment: str):
        self.file = ROOT / "compose" / file
        self.project = "countersign-test"
        self.environment = {
            **os.environ, "COUNTERSIGN_HOST": HOST, "COUNTERSIGN_VERSION": "test", "COUNTERSIGN_SECRETS": str(secrets),
            "COMPOSE_PROJECT_NAME": self.project, "COMPOSE_FILE": str(self.file), **environment,
        }
        self.tools_container = ""

    def compose(self, *arguments, timeout=240):
        done = subprocess.run(["docker-compose", *arguments], capture_output=True, text=True, timeout=timeout, env=self.environment)
        assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr, self.logs())
        return done.stdout

    def logs(self):
        return subprocess.run(
            ["docker-compose", "logs", "--no-color", "--tail", "15"], capture_output=True, text=True, env=self.environment).stdout[-12_000:]

    def up(self, *arguments):
        self.compose("up", "-d", "--no-build", *arguments)

    def down(self, volumes=False):
        if self.tools_container:
            docker("rm", "--force", self.tools_container)
            self.tools_container = ""
        self.compose("down", *(["--volumes"] if volumes else []))

    def containers(self, service):
        """Ids, whatever their state."""
        return self.compose("ps", "--all", "-q", service).split()

    def inspect(self, container):
        return json.loads(docker("inspect", container))[0]

    def expect_read_only(self, container):
        """The home folder is the user's own: it is the file system that does not let them."""
        assert self.inspect(container)["HostConfig"]["ReadonlyRootfs"], container
        docker("exec", container, "touch", "/home/countersign/x", expect=1)

    def wait_until_healthy(self, service, count=1, seconds=90):
        deadline = time.monotonic() + seconds
        while True:
            states = [self.inspect(container)["State"] for container in self.containers(service)]
            healthy = [state for state in states if state.get("Health", {}).get("Status") == "healthy"]
            if len(healthy) == count:
                return
            assert time.monotonic() < deadline, (service, count, states, self.logs())
            time.sleep(0.2)

    def published_status(self, path):
        """The status of a request from outside, over TLS."""
        trust = ssl.create_default_context(cafile=f"{self.environment['COUNTERSIGN_SECRETS']}/certificate.pem")
        with socket.create_connection(("127.0.0.1", 443), timeout=10) as plain, trust.wrap_socket(plain, server_hostname=HOST) as secure:
            secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            reply = http.client.HTTPResponse(secure)
            reply.begin()
            return reply.status

    # What an operator and a person do

    def tools(self):
        """The container that the commands are run in, since the last `down`."""
        if not self.tools_container:
            self.tools_container = self.compose("run", "-d", "tools", "sleep", "infinity").strip().splitlines()[-1]
        return self.tools_container

    def command(self, *arguments, user_input=None, expect=0):
        """Runs one of the commands in the tools image."""
        done = subprocess.run(
            ["/usr/bin/docker", "exec", "-i", self.tools(), *arguments], capture_output=True, text=True, input=user_input, timeout=90)
        assert expect is None or done.returncode == expect, (arguments, done.returncode, done.stdout, done.stderr, self.logs())
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def admin(self, *arguments):
        return self.command("countersign-admin", *arguments, "--ca-file", CERTIFICATE, "--json")

    def phone(self, *arguments, **options):
        return self.command("countersign-phone", *arguments, "--ca-file", CERTIFICATE, "--json", **options)

    def make_demo_tenant(self):
        self.admin(
            "demo", "--gateway", f"https://{HOST}", "--operator-token-file", "/var/lib/countersign-operator/operator.token", "--out", DEMO)

    def page(self, *arguments):
        """`countersign-admin try` in the background: its lines are what a page would show."""
        return subprocess.Popen(
            ["/usr/bin/docker", "exec", self.tools(), "countersign-admin", "try", *arguments, "--demo", DEMO, "--ca-file", CERTIFICATE,
             "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def line(page):
        text = page.stdout.readline()
        assert text, page.stderr.read()
        return json.loads(text)

    @staticmethod
    def end(page):
        out, err = page.communicate(timeout=60)
        assert page.returncode == 0, (page.returncode, out, err)
        return out

    def add_phone(self, user):
        """A phone that can sign in without a password."""
        page = self.page("add-phone", user)
        self.phone("activate", self.line(page)["activationUri"])
        number = self.line(page)["number"]
        self.phone("approve", self.phone("pending")[0]["id"], "--number", number)
        self.end(page)
        self.phone("phone-sign-in", "enable", "--activation-session", "--confirm")

    def sign_in(self, user):
        page = self.page("sign-in", user)
        begun = self.line(page)
        assert self.phone("approve", begun["id"], "--number", begun["number"])
        redeemed = json.loads(self.end(page).splitlines()[-1])
        assert redeemed["user"]["username"] == user and redeemed["method"] == "push", redeemed


@contextlib.contextmanager
def running(file: str, folder: pathlib.Path, ready: str, **environment: str):
    """The installation of a compose file, up as soon as the service `ready` is, with the demo tenant and alice's phone; nothing is left of it."""
    installation = Installation(file, make_certificate(folder / "secrets"), **environment)
    try:
        installation.up()
        installation.wait_until_healthy(ready)
        installation.make_demo_tenant()
        installation.add_phone("alice")
        yield installation
    finally:
        installation.down(volumes=True)
