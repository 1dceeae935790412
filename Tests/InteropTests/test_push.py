"""Phones that hold no stream are woken through providers: the doubles, and a push service whose browser opens what it gets with http_ece."""

import json
import os
import pathlib
import signal
import subprocess

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import Someone
from push import Doubles, claims, write_private
from stack import BIN, Stack, free_ports

from .woken import Woken, make_private


@pytest.fixture(scope="module")
def woken(tmp_path_factory):
    woken = Woken(tmp_path_factory.mktemp("push"))
    yield woken
    woken.stop()


@pytest.mark.parametrize("transport", ("apns", "fcm", "webpush"))
def test_a_sign_in_completes_by_a_phone_that_only_its_provider_can_wake(woken, transport):
    someone = woken.someone(woken.doubles.addresses()[transport])
    before = woken.doubles.taken[transport]
    request = woken.begin(someone)
    Stack.wait_for(lambda: woken.doubles.taken[transport] == before + 1, 20, f"{transport} to take the wake-up")
    woken.complete(someone, request)


@pytest.mark.parametrize("provider", ["apns", "fcm", "webpush"])
def test_the_load_generators_phones_are_woken_by_their_provider_alone(woken, provider, tmp_path):
    report = tmp_path / "report.json"
    taken = woken.doubles.taken[provider]
    run = subprocess.run(
        [BIN / "countersign-loadtest", "--demo", woken.stack.var / "demo.json", "--people", "2", "--seconds", "2", "--json", report,
         "--mix", "approve=2,decline=1", "--wake", provider, "--push-double", woken.stack.var / "push"],
        capture_output=True, text=True, timeout=60,
    )
    assert run.returncode == 0, (run.stdout, run.stderr)
    written = json.loads(report.read_text())
    [phase] = written["phases"]
    assert written["wake"] == provider and phase["failures"] == {} and phase["mismatches"] == {} and phase["outcomes"]["approve"] > 1
    # The doubles say every second what they have taken.
    Stack.wait_for(lambda: woken.doubles.taken[provider] - taken >= phase["completed"], 5, "a wake-up for each sign-in")


def test_a_load_generator_without_its_double_says_so_and_makes_nobody(woken, tmp_path):
    run = subprocess.run(
        [BIN / "countersign-loadtest", "--demo", woken.stack.var / "demo.json", "--people", "1", "--wake", "apns", "--push-double", tmp_path],
        capture_output=True, text=True, timeout=60,
    )
    assert run.returncode == 65 and f"{tmp_path}/deliveries" in run.stderr, (run.returncode, run.stdout, run.stderr)


def test_a_double_replaces_the_files_of_another_double_and_no_others(tmp_path):
    port = free_ports()
    for files in ({"default.json": '{"apns":{"keyFile":"apns.p8","keyId":"OWN","teamId":"OWN","topic":"t"}}', "apns.p8": "a key"}, {"vapid.pem": "a key"}):
        folder = make_private(tmp_path / str(len(files)))
        for name, text in files.items():
            write_private(folder / name, text)
        done = subprocess.run(
            [BIN / "countersign-push-double", "--folder", folder, "--port", str(port)], capture_output=True, text=True, timeout=30)
        assert done.returncode == 64 and "is not of countersign-push-double" in done.stderr, (done.returncode, done.stderr)
        assert {path.name: path.read_text() for path in folder.iterdir()} == files
    folder = make_private(tmp_path / "own")
    Doubles(folder, port).stop()
    before = (folder / "apns.p8").read_text()
    Doubles(folder, free_ports()).stop()
    assert (folder / "apns.p8").read_text() != before


def test_what_a_browser_opens_is_the_requests_id_and_nothing_else(woken):
    subscription = woken.service.subscribe()
    someone = woken.someone(subscription.address)
    request = woken.begin(someone)
    headers, sealed = subscription.wait()
    assert json.loads(subscription.open(sealed)) == {"c": request["id"]}
    assert headers["content-encoding"] == "aes128gcm" and headers["urgency"] == "high" and 0 < int(headers["ttl"]) <= 60
    token = headers["authorization"].split("t=")[1].split(",")[0]
    assert claims(token)["aud"] == woken.service.origin and claims(token)["sub"] == "mailto:push@double.example"
    seen = json.dumps(headers).encode() + subscription.open(sealed)
    for secret in (someone.username, someone.user["id"], someone.phone.id, woken.demo["tenant"], request["number"]):
        assert not any(secret == word for word in seen.decode().replace('"', " ").split()), secret
    woken.complete(someone, request)


def test_a_phone_that_was_rung_is_told_quietly_when_its_request_ends_without_it(woken):
    subscription = woken.service.subscribe()
    someone = woken.someone(subscription.address)
    request = woken.begin(someone)
    rung, _ = subscription.wait()
    Stack.wait_for(lambda: woken.stages(request) == ["rung"], 10, "the wake-up to be kept until the request ends")
    assert woken.application.cancel(request).status_code < 300
    told, sealed = subscription.wait()
    assert json.loads(subscription.open(sealed)) == {"c": request["id"]}
    assert told["urgency"] == "normal" and told["topic"] == rung["topic"]
    Stack.wait_for(lambda: woken.stages(request) == [], 10, "nothing of the request to be left")
    # The one that answers knows it by itself.
    answered = woken.begin(someone)
    subscription.wait()
    Stack.wait_for(lambda: woken.stages(answered) == ["rung"], 10, "the wake-up to be kept until the request ends")
    woken.complete(someone, answered)
    Stack.wait_for(lambda: woken.stages(answered) == [], 10, "nothing of the request to be left")
    assert len(subscription.received) == 3


def test_an_address_that_is_gone_is_dropped_and_the_phone_stays(woken):
    subscription = woken.service.subscribe()
    someone = woken.someone(subscription.address)
    subscription.status = 410
    request = woken.begin(someone)
    Stack.wait_for(lambda: woken.transport(someone) == "none", 20, "the address to be dropped")
    assert someone.phone.call("GET", "/push").json()["transport"] == "none"
    woken.complete(someone, request)
    again = woken.begin(someone)
    woken.complete(someone, again)
    assert len(subscription.received) == 1
    audit = woken.administrator.get("/audit?action=device.drop-push-address")["items"]
    assert [entry["target"] for entry in audit] == [someone.phone.id]


def test_an_administrator_checks_one_device(woken):
    subscription = woken.service.subscribe()
    someone = woken.someone(subscription.address)
    reply = woken.check(someone, 0)
    assert reply["outcome"] == "delivered" and reply["status"] == 201 and reply["transport"] == "webpush" and reply["reason"] is None
    assert set(json.loads(subscription.open(subscription.wait()[1]))) == {"c"}
    subscription.status = 403
    assert woken.check(someone, 77) == {**reply, "outcome": "foreign_address", "status": 403, "latencyMilliseconds": pytest.approx(0, abs=4000)}
    subscription.status = 410
    assert woken.check(someone, 77)["outcome"] == "expired_address"
    assert woken.check(someone, 66)["event"] == "error"
    path = f"/users/{someone.user['id']}/devices/{someone.phone.id}:check-push"
    assert woken.administrator.call("POST", path).json()["code"] == "malformed"
    assert woken.administrator.call("POST", path.replace(someone.user["id"], "nobody")).status_code == 404
    assert woken.application.http.post(f"{woken.demo['base']}/v1/{woken.demo['tenant']}/admin{path}", timeout=10).status_code == 401


def test_a_key_is_sealed_for_one_account_and_a_bad_one_leaves_the_old_accounts(woken):
    document = woken.push / "default.json"
    clear = woken.stack.var / "clear.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    write_private(clear, pem)
    woken.seal("apns", str(clear), "other.sealed", account="other")
    for file, complaint in (("other.sealed", "is not sealed as the key for apns of default"), (str(clear), "is not sealed, as notifier.push.keys")):
        changed = {**woken.accounts, "apns": {**woken.accounts["apns"], "keyFile": file}}
        document.write_text(json.dumps(changed))
        line = woken.reload()
        assert "push accounts not read" in line and complaint in line, line
    someone = woken.someone(woken.doubles.addresses()["apns"])
    assert woken.check(someone, 0)["outcome"] == "delivered"
    document.write_text(json.dumps(woken.accounts))
    assert "push accounts read" in woken.reload()
    sealed = (woken.push / "other.sealed").read_bytes()
    assert b"PRIVATE KEY" not in sealed and (woken.push / "other.sealed").stat().st_mode & 0o777 == 0o600
    # What cannot be sealed is named, and nothing is written.
    assert "holds no key for fcm" in woken.seal("fcm", str(clear), "no.sealed", expect=65)
    assert "is not sealed for webpush of other" in woken.seal("webpush", "other.sealed", "no.sealed", account="other", expect=65)
    assert "a provider is apns, fcm or webpush" in woken.seal("none", str(clear), "no.sealed", expect=64)
    assert "no such file" in woken.seal("apns", str(clear) + ".gone", "no.sealed", expect=66).lower()
    assert not (woken.push / "no.sealed").exists()
    # A sealed key is sealed anew in its place.
    woken.seal("apns", "other.sealed", "other.sealed", account="other")
    assert (woken.push / "other.sealed").read_bytes() != sealed


def test_the_key_of_the_subscription_is_the_servers(woken):
    someone = Someone(woken.demo)
    reply = someone.phone.call("GET", "/push").json()
    assert reply["transport"] == "none" and len(reply["applicationServerKey"]) == 87


def test_no_address_and_no_name_is_in_the_notifiers_log_or_metrics(woken):
    subscription = woken.service.subscribe()
    someone = woken.someone(subscription.address)
    woken.begin(someone)
    subscription.wait()
    seen = (woken.stack.var / "log/notifier.log").read_text() + woken.metrics()
    for secret in (subscription.path, subscription.address["auth"], subscription.address["p256dh"], someone.username):
        assert secret not in seen


def test_sighup_ends_no_process(woken):
    before = woken.stack.pids()
    for pid in before.values():
        os.kill(pid, signal.SIGHUP)
    read = lambda: "push accounts read" in (woken.stack.var / "log/notifier.log").read_text()  # noqa: E731
    Stack.wait_for(read, 10, "the accounts to be read again")
    woken.begin(Someone(woken.demo))
    assert woken.stack.pids() == before


@pytest.mark.parametrize("service", Stack.SERVICES)
def test_sighup_ends_no_process_that_still_starts(tmp_path, service):
    port = free_ports()
    arguments = [f"--bus.keys={tmp_path}/keys", f"--operations.address=127.0.0.1:{port}"]
    if service == "gateway":
        arguments.append(f"--http.address=127.0.0.1:{port + 1}")
    else:
        arguments += [f"--bus.bind=tcp://127.0.0.1:{port + 2}", f"--secrets.keyFile={tmp_path}/sealing.key", f"--store.path={tmp_path}/store.sqlite"]
    if service == "policy":
        arguments.append(f"--policy.operatorTokenFile={tmp_path}/operator.token")
    process = subprocess.Popen([BIN / f"countersign-{service}", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status")

        def is_handled() -> bool:
            masks = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if line.startswith(("SigIgn", "SigCgt")))
            return any(int(mask, 16) & 1 << signal.SIGHUP - 1 for mask in masks.values())

        Stack.wait_for(is_handled, 20, "the first line of the program")
        answers = 0
        while answers < 3:
            assert process.poll() is None, "SIGHUP ended it"
            process.send_signal(signal.SIGHUP)
            try:
                answers += requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
            except requests.ConnectionError:
                continue
    finally:
        process.kill()
        process.wait()


def test_a_provider_that_is_away_costs_no_sign_in_and_opens_its_breaker(woken):
    """Last in this file: the doubles are gone after it."""
    breaker = 'countersign_push_breakers_open{transport="apns"} '
    assert breaker + "0" in woken.metrics()
    people = [woken.someone(woken.doubles.addresses()["apns"]) for _ in range(2)]
    browser = woken.service.subscribe()
    other = woken.someone(browser.address)
    woken.doubles.stop()
    waiting = [(someone, woken.begin(someone)) for someone in people]
    for someone, request in waiting:
        woken.complete(someone, request)
    # Another provider's wake-up goes out meanwhile.
    request = woken.begin(other)
    assert json.loads(browser.open(browser.wait()[1])) == {"c": request["id"]}
    woken.complete(other, request)
    for _ in range(2):
        waiting += [(someone, woken.begin(someone)) for someone in people]
    Stack.wait_for(lambda: breaker + "1" in woken.metrics(), 30, "the breaker to open")
    assert woken.check(people[0], 75)["outcome"] in ("paused", "unreachable")
