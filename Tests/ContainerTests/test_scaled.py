"""compose.scale.yaml: several instances, PostgreSQL, HAProxy in front, Prometheus."""

import contextlib
import json
import os
import re
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from .installation import CERTIFICATE, DEMO, ROOT, docker, running


SERVICES = ("policy", "registration", "challenge", "verifier", "notifier")


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    with running("compose.scale.yaml", tmp_path_factory.mktemp("scaled"), ready="edge", COUNTERSIGN_LOAD_TEST_ALLOWED="true") as installation:
        yield installation


def address(installation, container):
    networks = installation.inspect(container)["NetworkSettings"]["Networks"]
    return networks[f"{installation.project}_inside"]["IPAddress"]


def answered(installation, container):
    """Requests that an instance of verifier has answered."""
    text = urllib.request.urlopen(f"http://{address(installation, container)}:7423/metrics", timeout=5).read().decode()
    return sum(int(float(count)) for count in re.findall(r"^countersign_handler_requests_total\{[^}]*\} (\S+)$", text, re.M))


def total(installation, expression):
    """The sum of what Prometheus has."""
    query = urllib.parse.urlencode({"query": f"sum({expression})"})
    place = f"http://{address(installation, installation.containers('prometheus')[0])}:9090"
    result = json.load(urllib.request.urlopen(f"{place}/api/v1/query?{query}", timeout=5))["data"]["result"]
    return float(result[0]["value"][1]) if result else 0


def up(installation, process):
    """Instances of a service from which Prometheus gets what they measure."""
    return total(installation, f'up{{process="{process}"}}')


def wait_for(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.5)


def test_no_container_can_write_to_its_file_system(installation):
    for service in (*SERVICES, "gateway", "edge", "postgresql", "prometheus"):
        for container in installation.containers(service):
            installation.expect_read_only(container)


def test_there_are_several_of_each_and_a_person_signs_in(installation):
    for service, count in (("policy", 2), ("registration", 2), ("challenge", 2), ("verifier", 2), ("notifier", 1), ("gateway", 2)):
        installation.wait_until_healthy(service, count)
    installation.sign_in("alice")


def test_each_service_has_a_role_of_its_own_that_may_read_no_other_schema(installation):
    database = installation.containers("postgresql")[0]

    def ask(sql, role="postgres", expect=0):
        return docker("exec", database, "psql", "-h", "/tmp", "-U", role, "-d", "countersign", "-Atqc", sql, expect=expect)

    owners = dict(line.split("|") for line in ask(
        "SELECT nspname, nspowner::regrole FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'").split())
    assert owners == {name: f"countersign_{name}" for name in SERVICES}
    table = ask("SELECT tablename FROM pg_tables WHERE schemaname = 'registration' LIMIT 1").strip()
    ask(f"SELECT count(*) FROM registration.{table}", role="countersign_registration")
    ask(f"SELECT count(*) FROM registration.{table}", role="countersign_verifier", expect=1)


def test_started_instances_get_work_without_a_further_step_and_one_may_be_killed(installation):
    installation.up("--no-recreate", "--scale", "verifier=3")
    installation.wait_until_healthy("verifier", 3)
    verifiers = installation.containers("verifier")
    before = {container: answered(installation, container) for container in verifiers}
    # Each sign-in is some questions for verifiers; whom each goes to is drawn by lot.
    for _ in range(10):
        installation.sign_in("alice")
        after = {container: answered(installation, container) for container in verifiers}
        if all(after[container] > before[container] for container in verifiers):
            break
    else:
        raise AssertionError(f"an instance got no work: {before} {after}")

    # Prometheus has found it by the same name.
    wait_for("Prometheus", lambda: up(installation, "verifier") == 3)

    docker("kill", verifiers[0])
    assert not installation.inspect(verifiers[0])["State"]["Running"]
    for _ in range(3):
        installation.sign_in("alice")


@contextlib.contextmanager
def load(installation):
    """Four people who sign in while the block runs; then what was said of it is in the list."""
    said = []
    process = subprocess.Popen(
        ["/usr/bin/docker", "exec", installation.tools(), "sh", "-c", 'echo $$ > /home/countersign/load.pid; exec "$@"', "sh",
         "countersign-loadtest", "--demo", DEMO, "--ca-file", CERTIFICATE, "--people", "4", "--seconds", "600"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while "in flight" not in (line := process.stdout.readline()):
        assert line, "the load test ended before it pushed"
    try:
        yield said
    finally:
        installation.command("sh", "-c", "kill -INT $(cat /home/countersign/load.pid)", expect=None)
        said += process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 130 and not any("MISMATCHES" in line for line in said), said


def test_a_load_is_seen_by_prometheus_and_a_killed_half_of_everything_by_its_alerts(installation):
    halved = ("policy", "registration", "challenge", "verifier", "gateway")
    # Whoever was killed, or added, in the tests before.
    installation.up("--no-recreate")
    for service in halved:
        installation.wait_until_healthy(service, 2)
    # As an operator is told to.
    [kill] = re.findall(r"^for service in .* docker kill .*$", (ROOT / "docs/containers.md").read_text(), re.M)
    gone = lambda process: total(installation, f'ALERTS{{alertname="CountersignInstanceGone", process="{process}"}}')  # noqa: E731
    wait_for("Prometheus", lambda: all(up(installation, service) == 2 and gone(service) == 0 for service in halved))
    with load(installation) as said:
        wait_for("the load", lambda: total(installation, 'countersign_challenges_settled_total{status="approved"}') > 20)
        subprocess.run(
            ["bash", "-ec", kill.replace("docker compose", "docker-compose")], check=True, capture_output=True, timeout=60,
            env={**installation.environment, "PATH": "/usr/bin:" + os.environ["PATH"]})
        for service in halved:
            assert [installation.inspect(container)["State"]["Running"] for container in installation.containers(service)].count(True) == 1
        installation.sign_in("alice")
        for service in halved:
            wait_for(f"the alert of {service}", lambda: gone(service) == 1)
        installation.up("--no-recreate")
        for service in halved:
            installation.wait_until_healthy(service, 2)
        for service in halved:
            wait_for(f"the end of {service}'s alert", lambda: gone(service) == 0)
    assert any(re.match(r"  completed +[1-9]", line) for line in said), said


def test_a_rolling_update_replaces_each_container_and_no_sign_in_fails(installation):
    services = ("verifier", "gateway")
    for service in services:
        docker("tag", f"countersign/{service}:test", f"countersign/{service}:next")
    before = {service: installation.containers(service) for service in services}
    for service in services:
        installation.wait_until_healthy(service, len(before[service]))
    # Debian's client, as elsewhere here.
    environment = {**installation.environment, "COUNTERSIGN_VERSION": "next", "PATH": "/usr/bin:" + os.environ["PATH"]}
    with load(installation) as said:
        update = subprocess.run([ROOT / "compose/rolling-update", *services], capture_output=True, text=True, timeout=300, env=environment)
    assert update.returncode == 0, (update.stdout, update.stderr)
    # The summary, and the first second of which a failure was said.
    failed = next((line for line in said if re.search(r" [1-9]\d* failures ", line)), "")
    assert any(re.match(r"  failures +0$", line) for line in said), "\n".join([failed, *said[-30:]])
    after = {service: installation.containers(service) for service in services}
    for service in services:
        assert len(after[service]) == len(before[service]) and not set(before[service]) & set(after[service]), (before, after)
        for container in after[service]:
            assert installation.inspect(container)["Config"]["Image"] == f"countersign/{service}:next"
    # They are what `up` would have made: it leaves them as they are.
    subprocess.run(["docker-compose", "up", "-d", "--no-build", "--no-deps", *services], check=True, capture_output=True, timeout=240, env=environment)
    assert {service: set(installation.containers(service)) for service in services} == {service: set(ids) for service, ids in after.items()}
    installation.sign_in("alice")


def test_the_records_are_backed_up_and_come_back_into_an_empty_database(installation):
    command = ["docker-compose", "exec", "-T", "postgresql"]
    dump = subprocess.run([*command, "pg_dumpall", "-h", "/tmp", "-U", "postgres"], check=True, capture_output=True, timeout=60, env=installation.environment)
    installation.down()
    docker("volume", "rm", f"{installation.project}_postgresql-data")
    installation.up("postgresql")
    installation.wait_until_healthy("postgresql")
    back = subprocess.run(
        [*command, "psql", "-h", "/tmp", "-U", "postgres", "-q"], input=dump.stdout, check=True, capture_output=True, timeout=60, env=installation.environment)
    complaints = [line for line in back.stderr.decode().splitlines() if "ERROR" in line and "already exists" not in line]
    assert complaints == []
    installation.up()
    installation.wait_until_healthy("edge")
    # With the same phone.
    installation.sign_in("alice")


def test_the_edge_tells_prometheus_how_it_is_and_the_world_nothing_of_the_inside(installation):
    wait_for("Prometheus", lambda: total(installation, 'up{job="edge"}') == 1)
    wait_for("both gateways", lambda: total(installation, 'haproxy_backend_active_servers{proxy="gateways"}') == 2)
    for path, status in (("/healthz", 200), ("/metrics", 404), ("/readyz", 404)):
        assert installation.published_status(path) == status, path
