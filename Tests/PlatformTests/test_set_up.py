"""What an operator meets: start, stop, restart, wrong configuration, health."""

import json
import os
import pathlib
import pty
import re
import secrets
import signal
import subprocess
import tempfile

import pytest
import requests

from client import Application
from conftest import Someone
from stack import BIN, ROOT, Gateway, Stack, free_ports


def test_ctrl_c_stops_everything_and_a_restart_keeps_the_data(tmp_path):
    stack = Stack(tmp_path / "var").start()
    demo = stack.demo()
    someone = Someone(demo)
    pids = stack.pids()
    assert sorted(pids) == sorted(Stack.SERVICES)
    assert stack.stop(signal.SIGINT) == 0
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values())

    again = Stack(tmp_path / "var")
    again.first_port, again.environment = stack.first_port, stack.environment
    again.start()
    try:
        assert again.demo() == demo
        application = Application(demo)
        request = application.begin(someone.username).json()
        reply = someone.phone.answer(someone.phone.challenge(request["id"]), number=request["number"])
        assert reply.json()["status"] == "approved"
        assert application.redeem(request).status_code == 200
    finally:
        again.stop()


def test_no_process_is_left_when_the_supervisor_itself_is_killed(tmp_path):
    stack = Stack(tmp_path / "var").start()
    pids = stack.pids()
    stack.stop(signal.SIGKILL)
    Stack.wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values()), 15, "the processes to end")


def test_every_process_says_that_it_is_up_ready_and_measured(stack):
    for service in Stack.SERVICES:
        url = stack.operations(service)
        assert requests.get(url + "/healthz", timeout=5).status_code == 200
        ready = requests.get(url + "/readyz", timeout=5)
        assert ready.status_code == 200, ready.text
        metrics = requests.get(url + "/metrics", timeout=5)
        assert metrics.headers["Content-Type"].startswith("text/plain")
        assert re.search(r"^# TYPE countersign_\w+ (counter|gauge|histogram)$", metrics.text, re.M), metrics.text[:400]


def test_a_program_asks_the_process_that_runs_with_its_configuration_whether_it_is_ready(stack, tmp_path):
    def asked(service, address):
        return subprocess.run(
            [BIN / f"countersign-{service}", "--check-health", f"--operations.address={address}", f"--bus.keys={tmp_path / 'none'}"],
            capture_output=True, text=True, timeout=20)

    for service in Stack.SERVICES:
        well = asked(service, stack.operations(service).removeprefix("http://"))
        assert well.returncode == 0 and '"ready":true' in well.stdout, (service, well.stdout, well.stderr)
        anywhere = asked(service, stack.operations(service).replace("http://127.0.0.1", "0.0.0.0"))
        assert anywhere.returncode == 0, (service, anywhere.stderr)
    away = asked("policy", "127.0.0.1:1")
    assert away.returncode == 69 and "127.0.0.1:1 is not ready" in away.stderr and away.stdout == ""
    assert not (tmp_path / "none").exists(), "asking makes nothing"


def test_one_that_is_not_ready_says_what_it_waits_for(tmp_path):
    port = free_ports()
    alone = subprocess.Popen(
        [BIN / "countersign-gateway", f"--bus.keys={tmp_path / 'keys'}", f"--operations.address=127.0.0.1:{port}", f"--http.address=127.0.0.1:{port + 1}",
         *(f"--bus.{name}.endpoints=tcp://127.0.0.1:{port + 2}" for name in Stack.SERVICES[:-1])], stdout=subprocess.DEVNULL)
    try:
        ask = [BIN / "countersign-gateway", "--check-health", f"--operations.address=127.0.0.1:{port}"]
        asked = []
        Stack.wait_for(lambda: asked.append(subprocess.run(ask, capture_output=True, text=True, timeout=20)) or "{" in asked[-1].stderr, 20, "an answer")
        assert asked[-1].returncode == 69 and '"bus.policy":false' in asked[-1].stderr, asked[-1].stderr
    finally:
        alone.terminate()
        assert alone.wait(timeout=30) == 0


def test_a_process_takes_part_with_its_own_secret_key_alone_in_a_folder_that_it_cannot_write(stack, tmp_path):
    made = subprocess.run([BIN / "countersign-admin", "keys", "create", tmp_path], capture_output=True, text=True, timeout=20)
    assert made.returncode == 0, made.stderr
    secrets_of = {service: sorted(path.name for path in (tmp_path / service).iterdir()) for service in Stack.SERVICES}
    for service, names in secrets_of.items():
        sealing = [] if service == "gateway" else [f"{service}.sealing.key"]
        assert names == sorted([f"{service}.key", f"{service}.pub", *sealing])
    (tmp_path / "gateway/gateway.pub").unlink()
    (tmp_path / "gateway").chmod(0o500)
    trusted = stack.var / "keys/gateway-another.pub"
    trusted.write_text((tmp_path / "trust/gateway.pub").read_text())
    trusted.chmod(0o600)
    try:
        gateway = Gateway(
            stack, 2, f"--bus.keys={tmp_path / 'gateway'}", f"--bus.trust={stack.var / 'keys'}", f"--http.externalURL={stack.base}")
        assert gateway.stop() == 0
        assert [path.name for path in (tmp_path / "gateway").iterdir()] == ["gateway.key"]
    finally:
        trusted.unlink()


def test_one_request_id_is_found_in_the_logs_of_every_process_that_it_touched(stack, application, administrator, someone):
    begun = application.begin(someone.username)
    answered = someone.phone.answer(someone.phone.challenge(begun.json()["id"]), number=begun.json()["number"])
    assert answered.json()["status"] == "approved"
    asked = administrator.call("GET", "/clients")
    touched = {
        begun: ("gateway", "challenge", "registration", "notifier"),
        answered: ("gateway", "verifier", "challenge"),
        asked: ("gateway", "policy"),
    }
    for reply, services in touched.items():
        identifier = reply.headers["X-Request-Id"]
        for service in services:
            stack.wait_for(lambda: identifier in (stack.var / f"log/{service}.log").read_text(), 5, f"{service} to log {reply.url}")
    assert '"method":"WatchPolicy"' not in (stack.var / "log/policy.log").read_text()
    for log in (stack.var / "log").glob("*.log"):
        text = log.read_text()
        assert begun.json()["secret"] not in text
        assert administrator.token not in text


def test_who_asked_is_what_a_trusted_proxy_says_and_nobody_else(stack):
    def logged(gateway, forwarded: str) -> dict:
        path = f"/v1/{secrets.token_hex(8)}"
        requests.get(gateway.address + path, headers={"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}, timeout=10)
        log = pathlib.Path(gateway.log.name)
        stack.wait_for(lambda: path in log.read_text(), 5, "the request to be logged")
        line = next(json.loads(line) for line in log.read_text().splitlines() if path in line)
        return {key: line[key] for key in ("address", "scheme")}

    trusting = Gateway(stack, 3, f"--http.externalURL={stack.base}", "--http.trustedProxies=127.0.0.1/32")
    strict = Gateway(stack, 4)
    try:
        assert logged(trusting, "203.0.113.9") == {"address": "203.0.113.9", "scheme": "https"}
        # What stands before the nearest foreign address, its owner may have made up.
        assert logged(trusting, "198.51.100.1, 203.0.113.9, 127.0.0.1") == {"address": "203.0.113.9", "scheme": "https"}
        assert logged(strict, "203.0.113.9") == {"address": "127.0.0.1", "scheme": "http"}
    finally:
        assert [gateway.stop() for gateway in (trusting, strict)] == [0, 0]


def test_the_start_says_who_can_sign_in(stack, demo):
    shown = stack.log()
    for person in (demo["admin"], *demo["users"]):
        assert re.search(rf"^ +{person['username']} +{re.escape(person['password'])}$", shown, re.M), shown


@pytest.mark.parametrize("is_terminal", (True, False))
def test_missing_packages_are_installed_by_sudo_where_it_can_ask_for_a_password(is_terminal):
    """As a user whose sudo asks, on a machine on which everything is missing: stand-ins for dpkg-query, sudo and apt-get."""
    programs = {"dpkg-query": "exit 1", "swift": "exit 0", "apt-get": 'echo "apt-get $1"', "sudo": '[[ $1 != -n ]] || exit 1; exec "$@"'}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name, body in programs.items():
            path = pathlib.Path(folder, name)
            path.write_text(f"#!/bin/bash\n{body}\n")
            path.chmod(0o755)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.geteuid() == 0 else []
        main, terminal = pty.openpty()
        try:
            run = subprocess.run(
                [*nobody, "bash", "-c", (ROOT / "scripts/dependencies").read_text(), "dependencies", "run"], capture_output=True, text=True, timeout=20,
                stdin=terminal if is_terminal else subprocess.DEVNULL, env={"PATH": f"{folder}:/usr/bin:/bin"}, cwd="/")
        finally:
            os.close(main)
            os.close(terminal)
    if is_terminal:
        assert run.returncode == 0 and "apt-get update" in run.stdout, (run.stdout, run.stderr)
    else:
        assert run.returncode == 69 and "sudo apt-get install libzmq3-dev" in run.stderr, (run.stdout, run.stderr)


def test_secrets_lie_in_files_that_only_their_owner_reads(stack):
    for path in [stack.var / "demo.json", *(stack.var / "keys").glob("*")]:
        mode = path.stat().st_mode & 0o777
        assert mode & 0o077 == 0, (path, oct(mode))


def test_wrong_configuration_stops_a_process_and_names_key_and_range(tmp_path):
    run = subprocess.run([BIN / "countersign-policy", "--operations.address=nonsense", "--check-config"], capture_output=True, text=True, timeout=20)
    assert run.returncode == 78, (run.returncode, run.stdout, run.stderr)
    assert "operations.address" in run.stdout + run.stderr
    (tmp_path / "policy.yaml").write_text("policy:\n  nosuchkey: 1\n")
    run = subprocess.run([BIN / "countersign-policy", "--config", tmp_path / "policy.yaml", "--check-config"], capture_output=True, text=True, timeout=20)
    assert run.returncode == 78 and "nosuchkey" in run.stdout + run.stderr


def test_an_operators_token_that_others_may_read_stops_policy_and_is_named_by_its_path(tmp_path):
    token = tmp_path / "operator.token"
    for content, mode, remedy in (("x" * 43, 0o644, "0600"), ("word", 0o600, "remove it")):
        token.write_text(content)
        token.chmod(mode)
        run = subprocess.run(
            [BIN / "countersign-policy", f"--policy.operatorTokenFile={token}", f"--store.path={tmp_path}/policy.sqlite",
             f"--secrets.keyFile={tmp_path}/sealing.key", f"--bus.keys={tmp_path}/keys"], capture_output=True, text=True, timeout=20)
        assert run.returncode == 78, (run.returncode, run.stderr)
        assert str(token) in run.stderr and remedy in run.stderr and content not in run.stderr


def test_an_external_url_with_anything_behind_the_port_is_refused_before_the_start():
    for url in ("https://id.example.org/auth", "https://a b", "https://h:99999", "http://127.0.0.1:8080/x?y"):
        run = subprocess.run([BIN / "countersign-gateway", f"--http.externalURL={url}", "--check-config"], capture_output=True, text=True, timeout=20)
        assert run.returncode == 78 and "http.externalURL" in run.stderr and "65535" in run.stderr, (url, run.returncode, run.stderr)


def test_the_shipped_configuration_files_are_valid_and_name_every_key():
    for service in Stack.SERVICES:
        path = ROOT / f"services/{service}/{service}.yaml"
        checked = subprocess.run([BIN / f"countersign-{service}", "--config", path, "--check-config"], capture_output=True, text=True, timeout=20)
        assert checked.returncode == 0, checked.stderr
        printed = subprocess.run([BIN / f"countersign-{service}", "--print-config"], capture_output=True, text=True, timeout=20)
        assert printed.stdout == path.read_text(), service


def test_a_build_without_a_terminal_says_how_far_it_is_while_it_builds(tmp_path):
    """The compiler here ends when it is told to, after the line has been read."""
    compiler = tmp_path / "swift"
    compiler.write_text("#!/bin/sh\necho 'Fetching a package'; echo '[3/9] Compiling Domain'; timeout 20 sh -c 'read -r line < go'; echo 'Broken.swift:1: error: no'; exit 1\n")
    compiler.chmod(0o755)
    os.mkfifo(tmp_path / "go")
    search = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    script = subprocess.Popen([ROOT / "scripts/build", "release"], cwd=tmp_path, env=search, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = [script.stdout.readline().strip() for _ in range(3)]
    assert said[1:] == ["fetching the packages", "[3/9] Compiling Domain"]
    (tmp_path / "go").write_text("\n")
    rest, errors = script.communicate(timeout=20)
    assert (script.returncode, rest) == (1, "Broken.swift:1: error: no\n") and "Broken.swift" in errors
