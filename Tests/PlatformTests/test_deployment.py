"""What an operator deploys, as far as it can be looked at without an engine: images, compose files, units. `make test-containers` runs them."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from stack import BIN, ROOT, Stack

COMPOSE = ("compose.yaml", "compose.scale.yaml")


def load(name):
    return yaml.safe_load((ROOT / "compose" / name).read_text())


@pytest.mark.parametrize("name", COMPOSE)
def test_no_container_of_ours_can_do_more_than_it_must(name):
    for service, is_ in load(name)["services"].items():
        assert is_["cap_drop"] == ["ALL"] and is_["security_opt"] == ["no-new-privileges:true"], service
        assert is_.get("read_only") is True or service == "grafana", service
        assert not {"privileged", "cap_add", "pid", "ipc", "user"} & set(is_), service


@pytest.mark.parametrize("name", COMPOSE)
def test_a_key_is_mounted_by_its_own_service_and_by_who_made_it(name):
    compose = load(name)
    mounted = {}
    for service, is_ in compose["services"].items():
        for volume in is_.get("volumes", []):
            source, _, mode = (volume + ":rw").split(":")[:3]
            if not source.startswith("."):
                mounted.setdefault(source, {})[service] = mode
    assert set(mounted) == set(compose["volumes"])
    for service in Stack.SERVICES:
        sealing = {"seal": "ro"} if service == "notifier" else {}
        assert mounted[f"{service}-keys"] == {"keys": "rw", service: "ro"} | sealing
    assert {service for service, mode in mounted["trust"].items() if mode == "rw"} == {"keys"}
    # Who has all of them, or a service's beside it, talks to nobody.
    assert all(compose["services"][service]["network_mode"] == "none" for service in ("keys", "seal"))


@pytest.mark.parametrize("name", COMPOSE)
def test_only_the_edge_is_published_to_others_and_the_inside_has_no_way_out(name):
    compose = load(name)
    public = {
        service for service, is_ in compose["services"].items() if any(not port.startswith("127.0.0.1:") for port in is_.get("ports", []))
    }
    assert public == {"gateway" if name == "compose.yaml" else "edge"}
    assert compose["networks"]["inside"]["internal"] is True
    reach = {service for service, is_ in compose["services"].items() if "outside" in is_.get("networks", [])}
    assert reach == public | {"notifier", "tools"}


def test_the_page_has_each_variable_of_the_compose_files_with_its_default():
    used = {match for name in COMPOSE for match in re.findall(r"\$\{([A-Z_]+)(?::-([^}]*))?", (ROOT / "compose" / name).read_text())}
    defaults = {}
    for variable, default in used:
        defaults[variable] = default or defaults.get(variable, "")
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", (ROOT / "docs/containers.md").read_text(), re.M))
    assert set(table) == set(defaults), set(table) ^ set(defaults)
    for variable, default in defaults.items():
        assert table[variable].startswith(f"`{default}`" if default else "none"), (variable, default)


def test_the_configuration_in_the_images_is_right():
    for service in Stack.SERVICES:
        file = ROOT / f"compose/configuration/{service}.yaml"
        told = ["--http.trustedProxies=10.1.0.0/16"] if service == "gateway" else []
        checked = subprocess.run(
            [BIN / f"countersign-{service}", "--config", file, "--check-config", *told], capture_output=True, text=True, timeout=20)
        assert checked.returncode == 0, (service, checked.stderr)
        # Where its callers look for it.
        for caller in set(Stack.SERVICES) - {service, "gateway"}:
            configuration = yaml.safe_load((ROOT / f"compose/configuration/{caller}.yaml").read_text())
            if service != "gateway":
                port = yaml.safe_load(file.read_text())["bus"]["bind"][0].rsplit(":", 1)[1]
                assert configuration["bus"][service]["endpoints"] == [f"tcp://{service}:{port}"]


def test_the_dockerfile_has_a_target_for_each_process_and_hadolint_finds_nothing():
    file = ROOT / "compose/Dockerfile"
    targets = dict(re.findall(r"^FROM (\S+) AS (\S+)$", file.read_text(), re.M))
    assert {name for name in re.findall(r"^FROM service AS (\S+)$", file.read_text(), re.M)} == set(Stack.SERVICES), targets
    lint = subprocess.run(
        # Debian's packages are those of the base's day, and get its security updates: DL3008 would have them pinned.
        [os.path.join(os.path.dirname(sys.executable), "hadolint"), "--ignore", "DL3008", str(file)], capture_output=True, text=True, timeout=60)
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_a_change_of_code_leaves_the_stage_of_the_dependencies_as_it_was():
    stage = re.search(r"AS dependencies\n(.*?)^FROM dependencies AS build$", (ROOT / "compose/Dockerfile").read_text(), re.M | re.S)[1]
    taken = {file for line in re.findall(r"^COPY (.*) \S+$", stage, re.M) for file in line.split()}
    assert taken == {"scripts/dependencies", "Package.swift", "Package.resolve[d]", "compose/dependencies.awk"} and "\nADD" not in stage


def test_the_list_of_what_is_in_an_image_is_of_what_it_was_given(tmp_path):
    (tmp_path / "Package.resolved").write_text(json.dumps({"version": 3, "pins": [
        {"identity": "swift-nio", "kind": "remoteSourceControl", "location": "https://example.org/apple/swift-nio.git",
         "state": {"revision": "a" * 40, "version": "2.1.0"}}]}))
    (tmp_path / "packages").write_text("libstdc++6\t12.2.0-14+deb12u1\tamd64\n")

    def sbom(*arguments):
        return subprocess.run(
            [ROOT / "scripts/sbom", "countersign-policy", "1.0", "--resolved", tmp_path / "Package.resolved", *arguments],
            capture_output=True, text=True, timeout=20, env={**os.environ, "SOURCE_DATE_EPOCH": "0"})

    made = sbom("--swift", "6.3.1", "--debian", tmp_path / "packages")
    document = json.loads(made.stdout)
    assert document["spdxVersion"] == "SPDX-2.3" and document["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    locators = [package["externalRefs"][0]["referenceLocator"] for package in document["packages"]]
    assert locators == [
        "pkg:generic/countersign-policy@1.0", "pkg:swift/example.org/apple/swift-nio@2.1.0", "pkg:generic/swift@6.3.1",
        "pkg:deb/debian/libstdc++6@12.2.0-14%2Bdeb12u1?arch=amd64"]
    known = {package["SPDXID"] for package in document["packages"]} | {"SPDXRef-DOCUMENT"}
    assert len(known) == 5 and all({relation["spdxElementId"], relation["relatedSpdxElement"]} <= known for relation in document["relationships"])
    links = {relation["relationshipType"] for relation in document["relationships"] if relation["relatedSpdxElement"] in
             {package["SPDXID"] for package in document["packages"] if package["name"] in ("swift-nio", "swift")}}
    assert links == {"STATIC_LINK"}
    # Of a server that is Debian's alone.
    server = subprocess.run(
        [ROOT / "scripts/sbom", "countersign-edge", "1.0", "--debian", tmp_path / "packages"], capture_output=True, text=True, timeout=20)
    assert [package["name"] for package in json.loads(server.stdout)["packages"]] == ["countersign-edge", "libstdc++6"]
    (tmp_path / "packages").write_text("no tabs here\n")
    wrong = sbom("--debian", tmp_path / "packages")
    assert wrong.returncode == 65 and "line 1" in wrong.stderr and wrong.stdout == ""


def test_install_puts_programs_units_and_right_configuration_in_place_and_keeps_what_was_changed(tmp_path):
    def install():
        done = subprocess.run(
            [ROOT / "scripts/install"], capture_output=True, text=True, timeout=120,
            env={**os.environ, "DESTDIR": str(tmp_path), "PROGRAMS": str(BIN)})
        assert done.returncode == 0, done.stderr
        return done.stdout

    install()
    for service in Stack.SERVICES:
        file = tmp_path / f"etc/countersign/{service}.yaml"
        checked = subprocess.run(
            [tmp_path / f"usr/bin/countersign-{service}", "--config", file, "--check-config"], capture_output=True, text=True, timeout=20)
        assert checked.returncode == 0, checked.stderr
        unit = (tmp_path / f"usr/lib/systemd/system/countersign-{service}.service").read_text()
        assert f"ExecStart=/usr/bin/countersign-{service} --config /etc/countersign/{service}.yaml" in unit
        assert f"LoadCredential={service}.key:/etc/countersign/keys/{service}/{service}.key" in unit
        assert f"u countersign-{service} " in (tmp_path / "usr/lib/sysusers.d/countersign.conf").read_text()
        assert (tmp_path / f"usr/share/countersign/{service}.yaml").read_bytes() == file.read_bytes()
    for name in ("usr/share/countersign/alerts.yaml", "usr/share/countersign/dashboard.json", "usr/share/doc/countersign/runbook.md"):
        assert (tmp_path / name).is_file(), name
    changed = tmp_path / "etc/countersign/gateway.yaml"
    changed.write_text("log: {level: debug}\n")
    assert "/etc/countersign/gateway.yaml" in install()
    assert changed.read_text() == "log: {level: debug}\n"


def test_an_upgrade_by_the_lines_of_the_page_puts_programs_that_run_in_place_and_keeps_configuration(tmp_path):
    """An image of the installation is made in one folder, and copied over another one, which stands for the machine."""
    page = (ROOT / "docs/install.md").read_text()
    lines = re.findall(r"^sudo (cp .* image/\S+) /(?: |$)", page, re.M)
    assert len(lines) == 2, lines
    (tmp_path / "machine").mkdir()

    def upgrade():
        subprocess.run(
            [ROOT / "scripts/install"], check=True, capture_output=True, timeout=120,
            env={**os.environ, "DESTDIR": str(tmp_path / "image"), "PROGRAMS": str(BIN)})
        for line in lines:
            subprocess.run([*line.split(), "machine/"], check=True, cwd=tmp_path, timeout=60)

    upgrade()
    configuration, program = tmp_path / "machine/etc/countersign/gateway.yaml", tmp_path / "machine/usr/bin/countersign-gateway"
    configuration.write_text("log: {level: debug}\n")
    # An old version, which runs.
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as running:
        try:
            upgrade()
        finally:
            running.kill()
    assert configuration.read_text() == "log: {level: debug}\n"
    assert program.read_bytes() == (tmp_path / "image/usr/bin/countersign-gateway").read_bytes() and program.stat().st_mode & 0o777 == 0o755


# --- compose/rolling-update, with a stand-in for the engine's client ------------------------------------------------------

CLIENT = f"""#!{sys.executable}
import json, pathlib, sys

file = pathlib.Path(__file__).with_name("state.json")
state = json.loads(file.read_text())
words = sys.argv[1:]
here = [id for id, service in state["containers"].items() if service == words[-1]]
match words:
    case ["compose", "version"]:
        pass
    case ["compose", "ps", "--all", "--quiet", _]:
        print("\\n".join(here))
    case ["compose", "up", "--detach", "--no-build", "--no-deps", "--no-recreate", "--scale", scale, service]:
        name, count = scale.split("=")
        assert name == service
        for _ in range(int(count) - len(here)):
            state["made"] += 1
            state["containers"]["new-%d" % state["made"]] = service
            state["events"].append("up new-%d" % state["made"])
    case ["inspect", "--format", "{{{{.State.Health.Status}}}}", id]:
        state["looks"] += 1
        print("healthy" if state["looks"] % 2 == 0 and state["isWell"] else "starting")
    case ["stop", id]:
        state["events"].append("stop " + id)
    case ["rm", *force, id]:
        del state["containers"][id]
        state["events"].append(" ".join(["rm", *force, id]))
    case ["logs", "--tail", "3", id]:
        print("no database")
    case _:
        sys.exit("unknown: %s" % words)
file.write_text(json.dumps(state))
"""


def rolling_update(folder, *services, containers, is_well=True, wait="1"):
    """How it ended, and what the client has then."""
    state = {"containers": containers, "made": 0, "looks": 0, "isWell": is_well, "events": []}
    (folder / "state.json").write_text(json.dumps(state))
    # Pauses are told, not made.
    sleep = f'#!/bin/sh\n[ "$1" = 0.5 ] || echo "slept $1" >> {folder}/pauses\n'
    for name, text in (("docker", CLIENT), ("sleep", sleep)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [ROOT / "compose/rolling-update", *services], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "WAIT": wait})
    return done, json.loads((folder / "state.json").read_text())


def test_a_rolling_update_stops_an_old_container_when_its_new_one_is_healthy_and_known(tmp_path):
    containers = {"old-1": "verifier", "old-2": "verifier", "other": "policy"}
    done, state = rolling_update(tmp_path, "verifier", containers=containers)
    assert done.returncode == 0, done.stderr
    assert state["containers"] == {"other": "policy", "new-1": "verifier", "new-2": "verifier"}
    assert state["events"] == ["up new-1", "stop old-1", "rm old-1", "up new-2", "stop old-2", "rm old-2"]
    assert state["looks"] == 4 and (tmp_path / "pauses").read_text() == "slept 6\n" * 2
    assert done.stdout == "verifier: new-1 is in the place of old-1\nverifier: new-2 is in the place of old-2\n"


def test_a_rolling_update_whose_new_container_is_not_healthy_leaves_the_old_ones(tmp_path):
    containers = {"old-1": "gateway", "old-2": "gateway"}
    done, state = rolling_update(tmp_path, "gateway", containers=containers, is_well=False)
    assert done.returncode == 69 and "gateway: the new container was not healthy within 1 s: no database" in done.stderr
    assert state["containers"] == containers and state["events"] == ["up new-1", "rm --force new-1"]


@pytest.mark.parametrize(
    "services, wait, status, words",
    [
        (["edge"], "1", 64, "a service is one of policy registration"),
        (["verifier"], "soon", 64, "WAIT must be 1 to 99999"),
        (["notifier"], "1", 69, "notifier has no container"),
    ],
)
def test_a_rolling_update_that_cannot_be_is_refused_before_anything_is_done(tmp_path, services, wait, status, words):
    done, state = rolling_update(tmp_path, *services, containers={"old-1": "verifier"}, wait=wait)
    assert done.returncode == status and words in done.stderr and state["events"] == []
