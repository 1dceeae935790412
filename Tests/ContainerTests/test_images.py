"""What an image is, whoever starts it."""

import json
import subprocess

import pytest

from .installation import docker

SERVICES = ("policy", "registration", "challenge", "verifier", "notifier", "gateway")
# Of Debian's packages, with the one that each is for.
SERVERS = {"edge": "haproxy", "postgresql": "postgresql-15", "prometheus": "prometheus"}
TARGETS = (*SERVICES, "tools", *SERVERS)


def inside(target, *command):
    return docker(
        "run", "--rm", "--pull", "never", "--network", "none", "--read-only", "--cap-drop", "ALL", "--entrypoint", command[0],
        f"countersign/{target}:test", *command[1:])


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_nobody_in_particular_and_says_what_it_is(target):
    configuration = json.loads(docker("image", "inspect", f"countersign/{target}:test"))[0]["Config"]
    assert configuration["User"] == "10001:10001"
    assert inside(target, "id", "-u").strip() == "10001"
    labels = configuration["Labels"]
    assert labels["org.opencontainers.image.title"] == f"countersign-{target}"
    assert len(labels["org.opencontainers.image.revision"]) == 40
    assert labels.get("org.opencontainers.image.licenses") == (None if target in SERVERS else "Apache-2.0")
    if target in SERVICES:
        assert configuration["StopSignal"] == "SIGTERM"
        assert configuration["Healthcheck"]["Test"][-1] == "--check-health"


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_lists_what_is_in_it(target):
    document = json.loads(inside(target, "cat", f"/usr/share/doc/countersign/{target}.spdx.json"))
    found = {package["name"]: package["versionInfo"] for package in document["packages"]}
    own = {SERVERS[target]} if target in SERVERS else {"swift", "swift-nio", "grdb.swift", "libzmq5"}
    assert {f"countersign-{target}", "libc6"} | own <= set(found)
    installed = dict(line.split("\t") for line in inside(target, "dpkg-query", "-W", "-f", "${Package}\t${Version}\n").splitlines())
    assert {name: found.get(name) for name in installed} == installed


def test_images_share_all_layers_but_what_is_their_own():
    layers = [json.loads(docker("image", "inspect", f"countersign/{target}:test"))[0]["RootFS"]["Layers"] for target in SERVICES]
    shared = [together for together in zip(*layers) if len(set(together)) == 1]
    # List, configuration and program.
    assert {len(own) - len(shared) for own in layers} == {3}, layers


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_one_program_whose_configuration_is_right(service):
    assert inside(service, "sh", "-c", "ls /usr/bin | grep ^countersign-").split() == [f"countersign-{service}"]
    check = (f"countersign-{service}", "--config", f"/etc/countersign/{service}.yaml", "--check-config")
    if service == "gateway":
        # What a compose file says: who ends TLS.
        check += ("--http.trustedProxies=10.1.0.0/16",)
    assert "the configuration is right" in inside(service, *check)


def test_a_gateway_that_is_not_told_who_ends_tls_does_not_start():
    refused = subprocess.run(
        ["/usr/bin/docker", "run", "--rm", "--pull", "never", "countersign/gateway:test"], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 78 and "http.tls.certificate" in refused.stderr, refused
