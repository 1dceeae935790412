"""compose.yaml: a process of each service, SQLite, TLS at the gateway."""

import pytest

from .installation import docker, running

SERVICES = ("policy", "registration", "challenge", "verifier", "notifier", "gateway")


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    with running("compose.yaml", tmp_path_factory.mktemp("one-host"), ready="gateway") as installation:
        yield installation


def test_a_person_signs_in_through_the_containers(installation):
    installation.sign_in("alice")


def test_a_process_can_write_nothing_but_its_data_and_sees_no_key_of_another(installation):
    for service in SERVICES:
        container = installation.containers(service)[0]
        installation.expect_read_only(container)
        for folder in ("/usr/bin", "/etc/countersign", "/etc/countersign/trust", "/etc/countersign/keys"):
            docker("exec", container, "touch", f"{folder}/x", expect=1)
        docker("exec", container, "touch", "/tmp/x")
        keys = docker("exec", container, "ls", "/etc/countersign/keys").split()
        assert keys and all(name.startswith(f"{service}.") for name in keys), keys
        assert docker("exec", container, "grep", "-E", "^(CapEff|NoNewPrivs):", "/proc/1/status").split() == [
            "CapEff:", "0000000000000000", "NoNewPrivs:", "1"]


def test_only_the_gateway_is_published_and_only_the_notifier_reaches_the_outside(installation):
    for service in SERVICES:
        container = installation.inspect(installation.containers(service)[0])
        published = [port for port, places in container["NetworkSettings"]["Ports"].items() if places]
        assert published == (["443/tcp"] if service == "gateway" else [])
        outside = {name.removeprefix(f"{installation.project}_") for name in container["NetworkSettings"]["Networks"]} - {"inside"}
        assert outside == ({"outside"} if service in ("gateway", "notifier") else set())


def test_a_stop_lets_every_process_end_by_itself_and_a_start_finds_everything_again(installation):
    ids = {service: installation.containers(service)[0] for service in SERVICES}
    installation.compose("stop")
    for service, container in ids.items():
        state = installation.inspect(container)["State"]
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False), (service, state)
    installation.up()
    installation.wait_until_healthy("gateway")
    installation.sign_in("alice")


def test_new_containers_on_the_same_volumes_are_the_same_installation(installation):
    installation.down()
    installation.up()
    installation.wait_until_healthy("gateway")
    # What it wrote: the demo tenant stands, and the phone is still a phone of alice.
    installation.make_demo_tenant()
    installation.sign_in("alice")


def test_a_service_gets_another_key_by_the_volumes_alone(installation):
    def keys(*arguments):
        installation.compose("run", "--rm", "-T", "keys", "countersign-admin", "keys", *arguments, "--trust", "/keys/trust", "--keys", "/keys/verifier")

    before = installation.compose("run", "--rm", "-T", "keys", "cat", "/keys/trust/verifier.pub")
    keys("rotate", "verifier")
    installation.sign_in("alice")
    installation.compose("restart", "verifier")
    installation.wait_until_healthy("verifier")
    installation.wait_until_healthy("gateway")
    installation.sign_in("alice")
    keys("rotate", "verifier", "--step", "retire")
    installation.sign_in("alice")
    trusted = installation.compose("run", "--rm", "-T", "keys", "sh", "-c", "ls /keys/trust && cat /keys/trust/verifier*.pub")
    assert before.strip() not in trusted and "verifier-" not in trusted, trusted


def test_the_gateway_answers_at_its_published_port_and_tells_the_world_no_figures(installation):
    assert installation.published_status("/healthz") == 200
    assert installation.published_status("/metrics") == 404
