"""The units and `make install`, under a real systemd as process 1 of a container."""

import json
import os
import pathlib
import resource
import subprocess
import time

import pytest

from .installation import ROOT, docker

SERVICES = ("policy", "registration", "challenge", "verifier", "notifier", "gateway")
NAME = "countersign-test-systemd"
GATEWAY = "http://127.0.0.1:8080"
# What systemd needs of the host; not CAP_SYS_RESOURCE, which not every host has to give.
CAPABILITIES = ("SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN", "SYSLOG", "IPC_LOCK", "SYS_NICE", "DAC_READ_SEARCH", "AUDIT_CONTROL", "SYS_BOOT")


def run(*command, **options):
    return docker("exec", NAME, *command, **options)


def shell(text, **options):
    return run("bash", "-ec", text, **options)


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, (what, run("journalctl", "--no-pager", "-n", "60", "-u", "countersign-*", expect=None))
        time.sleep(0.2)


def is_ready(service):
    return '"ready":true' in run(
        f"countersign-{service}", "--config", f"/etc/countersign/{service}.yaml", "--check-health", expect=None)


def commands(*arguments):
    return [json.loads(line) for line in run(*arguments, "--json").splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    subprocess.run(
        [ROOT / "scripts/install"], check=True, capture_output=True,
        env={**os.environ, "DESTDIR": str(root), "PROGRAMS": os.environ["COUNTERSIGN_PROGRAMS"]})
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit < 262_144:
        # Where this machine may not raise it, no unit in it may.
        for service in SERVICES:
            place = root / f"etc/systemd/system/countersign-{service}.service.d"
            place.mkdir(parents=True)
            (place / "limit.conf").write_text(f"[Service]\nLimitNOFILE={limit}\n")
    docker(
        "build", "--quiet", "--tag", "countersign/systemd:test", "--file", str(pathlib.Path(__file__).with_name("systemd.Dockerfile")),
        "--build-arg", f"RUNTIME_IMAGE={os.environ['COUNTERSIGN_RUNTIME_IMAGE']}", str(root), timeout=300)
    docker(
        "run", "--detach", "--name", NAME, *(word for name in CAPABILITIES for word in ("--cap-add", name)), "--security-opt", "seccomp=unconfined",
        "--security-opt", "systempaths=unconfined", "--tmpfs", "/run", "--tmpfs", "/tmp", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup",
        "--env", "container=docker", "countersign/systemd:test")
    try:
        wait_for("systemd", lambda: "running" in run("systemctl", "is-system-running", expect=None))
        shell("systemd-sysusers && systemd-tmpfiles --create && countersign-admin keys create /etc/countersign/keys")
        shell("systemctl daemon-reload && systemctl enable countersign.target countersign-{policy,registration,challenge,verifier,notifier,gateway}")
        run("systemctl", "start", "countersign.target")
        wait_for("the gateway", lambda: is_ready("gateway"), 60)
        yield
    finally:
        docker("rm", "--force", NAME)


def process(service):
    return int(run("systemctl", "show", "--property=MainPID", "--value", f"countersign-{service}"))


def sign_in():
    begun = subprocess.Popen(
        ["/usr/bin/docker", "exec", NAME, "countersign-admin", "try", "sign-in", "alice", "--demo", "/run/demo.json", "--json"],
        stdout=subprocess.PIPE, text=True)
    request = json.loads(begun.stdout.readline())
    commands("countersign-phone", "approve", request["id"], "--number", request["number"])
    out, _ = begun.communicate(timeout=60)
    assert begun.returncode == 0 and json.loads(out.splitlines()[-1])["user"]["username"] == "alice"


def test_a_person_signs_in_and_again_after_a_process_was_killed(machine):
    run("countersign-admin", "demo", "--gateway", GATEWAY, "--operator-token-file", "/var/lib/countersign-policy/operator.token", "--out", "/run/demo.json")
    page = subprocess.Popen(
        ["/usr/bin/docker", "exec", NAME, "countersign-admin", "try", "add-phone", "alice", "--demo", "/run/demo.json", "--json"],
        stdout=subprocess.PIPE, text=True)
    commands("countersign-phone", "activate", json.loads(page.stdout.readline())["activationUri"])
    number = json.loads(page.stdout.readline())["number"]
    commands("countersign-phone", "approve", commands("countersign-phone", "pending")[0]["id"], "--number", number)
    page.communicate(timeout=60)
    run("countersign-phone", "phone-sign-in", "enable", "--activation-session", "--confirm", "--json")
    sign_in()
    killed = process("verifier")
    shell(f"kill -KILL {killed}")
    wait_for("another verifier", lambda: process("verifier") not in (0, killed) and is_ready("verifier") and is_ready("gateway"))
    sign_in()


def test_a_process_is_a_user_of_its_own_that_may_do_little(machine):
    users = {}
    for service in SERVICES:
        status = dict(line.split(":", 1) for line in shell(f"cat /proc/{process(service)}/status").splitlines() if ":" in line)
        users[service] = status["Uid"].split()[0]
        assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
        assert int(status["CapEff"], 16) == (1 << 10 if service == "gateway" else 0), "CAP_NET_BIND_SERVICE alone, for the gateway"
    assert len(set(users.values())) == len(SERVICES) and "0" not in users.values()
    for reader in SERVICES:
        for owner in SERVICES:
            shell(f"! runuser -u countersign-{reader} -- cat /etc/countersign/keys/{owner}/{owner}.key 2>/dev/null")
    shell("! runuser -u countersign-verifier -- ls /var/lib/countersign-registration 2>/dev/null")


def test_systemd_finds_nothing_wrong_with_the_units_and_little_exposed(machine):
    for service in SERVICES:
        unit = f"countersign-{service}.service"
        assert run("systemd-analyze", "verify", f"/usr/lib/systemd/system/{unit}") == ""
        run("systemd-analyze", "security", "--threshold=20", "--no-pager", unit)


def test_wrong_configuration_ends_a_unit_and_is_not_tried_again_and_again(machine):
    shell("mkdir -p /run/systemd/system/countersign-notifier.service.d")
    shell("printf '[Service]\\nEnvironment=COUNTERSIGN_NOTIFIER_LOG_LEVEL=loud\\n' > /run/systemd/system/countersign-notifier.service.d/wrong.conf")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "countersign-notifier", expect=None)
    wait_for("the unit to fail", lambda: run("systemctl", "is-failed", "countersign-notifier", expect=None).strip() == "failed")
    assert run("systemctl", "show", "--property=ExecMainStatus,NRestarts", "countersign-notifier").split() == ["NRestarts=0", "ExecMainStatus=78"]
    assert "log.level" in run("journalctl", "--no-pager", "-n", "5", "-u", "countersign-notifier")
    shell("rm /run/systemd/system/countersign-notifier.service.d/wrong.conf")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "countersign-notifier")
    wait_for("the notifier", lambda: is_ready("notifier"))


def test_the_target_stops_all_of_them_in_order_and_starts_them_again(machine):
    run("systemctl", "stop", "countersign.target", timeout=60)
    for service in SERVICES:
        assert run("systemctl", "show", "--property=ActiveState,ExecMainStatus", f"countersign-{service}").split() == [
            "ExecMainStatus=0", "ActiveState=inactive"], service
    run("systemctl", "start", "countersign.target")
    wait_for("the gateway", lambda: is_ready("gateway"), 60)
    sign_in()
