"""What push providers get to see and logs keep of it, keys that change, how often a request rings, and a provider that ends while it is asked."""

import base64
import json
import re
import secrets
import signal
import threading
import urllib.parse

import pyotp
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from client import Administrator, Application, Phone, register, unb64u
from conftest import Someone
from push import Provider, Subscription, is_signed, write_private
from stack import Stack

from .woken import Woken, give_address

TRANSPORTS = ("apns", "fcm", "webpush")
NUMBER_DIGITS = 6


@pytest.fixture(scope="module")
def woken(tmp_path_factory):
    woken = Woken(tmp_path_factory.mktemp("push"))
    yield woken
    woken.stop()


class Accounts:
    """A tenant of its own with an account at each provider: APNs and FCM are a `Provider`, and Web Push is the push service in Python."""

    def __init__(self, woken: Woken, tenant: str, name: str):
        self.woken, self.tenant = woken, tenant
        self.provider = Provider(woken.service.certificate, woken.service.key)
        operator = (woken.stack.var / "keys/operator.token").read_text().strip()
        made = requests.post(
            f"{woken.stack.base}/v1/tenants", json={"id": tenant, "name": name}, headers={"Authorization": f"Bearer {operator}"}, timeout=30)
        assert made.status_code == 201, made.text
        demo = {**woken.demo, "tenant": tenant, "admin": {**woken.demo["admin"], "token": made.json()["adminToken"]}}
        self.administrator = Administrator(demo)
        client = self.administrator.call("POST", "/clients", json={"name": "Application", "anyApplication": True})
        assert client.status_code == 201, client.text
        self.demo = {**demo, "client": client.json()}
        self.application = Application(self.demo)
        self.keys = {transport: self.change_key(transport) for transport in TRANSPORTS}
        write_private(woken.push / f"{tenant}.json", json.dumps({
            "apns": {"keyFile": self.sealed("apns"), "keyId": "KEY", "teamId": "TEAM", "topic": "org.example.app", "server": self.provider.origin},
            "fcm": {"serviceAccountFile": self.sealed("fcm"), "server": self.provider.origin},
            "webpush": {"keyFile": self.sealed("webpush"), "subject": "mailto:operator@example.org"},
        }))
        assert "push accounts read" in woken.reload()

    def sealed(self, transport: str) -> str:
        return f"{self.tenant}-{transport}.sealed"

    def change_key(self, transport: str) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
        """Puts another key in the account's file, and returns its public half."""
        key = rsa.generate_private_key(65_537, 2048) if transport == "fcm" else ec.generate_private_key(ec.SECP256R1())
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        if transport == "fcm":
            text = json.dumps({
                "type": "service_account", "project_id": "project", "private_key_id": secrets.token_hex(4), "private_key": text,
                "client_email": "push@project.example", "token_uri": f"{self.provider.origin}/token",
            })
        clear = write_private(self.woken.stack.var / "clear", text)
        self.woken.seal(transport, str(clear), self.sealed(transport), account=self.tenant)
        clear.unlink()
        return key.public_key()

    def address(self, transport: str) -> dict:
        token = secrets.token_hex(32) if transport == "apns" else secrets.token_urlsafe(32)
        return {"transport": transport, "token": token}

    def woken_by(self, transport: str, **members) -> tuple[Someone, Subscription | None]:
        """Somebody whose phone has an address there, and of Web Push the browser's part."""
        subscription = self.woken.service.subscribe() if transport == "webpush" else None
        someone = Someone(self.demo, phone_sign_in=False, **members)
        give_address(someone.phone, subscription.address if subscription else self.address(transport))
        return someone, subscription

    def begin(self, someone: Someone, **members) -> dict:
        reply = self.application.begin(someone.username, factor="secondFactor", **members)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def next(self, subscription: Subscription | None) -> tuple[dict, bytes]:
        """The next message that reaches the provider."""
        return subscription.wait() if subscription else self.provider.messages.get(timeout=20)


@pytest.fixture(scope="module")
def accounts(woken):
    accounts = Accounts(woken, "quarzwerke", "Quarzwerke Ostheim")
    accounts.administrator.change("/settings", {"numberDigits": NUMBER_DIGITS, "requestBudget": 50})
    yield accounts
    accounts.provider.stop()


def written(text: str):
    """A text in the ways in which it could be hidden in another: as it is, in hexadecimal, and in base64 at each of the three places."""
    data = text.encode()
    yield text.lower()
    yield data.hex()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        # The characters that have bits of this text alone.
        inner = encoded[(before * 8 + 5) // 6:(before + len(data)) * 8 // 6]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def found(seen: str, words) -> list[str]:
    """Which of these are in it, be it within a longer word."""
    return [word for word in words if any(form in seen or form in seen.lower() for form in written(word))]


def test_a_word_is_found_in_each_way_in_which_it_can_be_hidden():
    word = "Quarz~?>\xff"
    for before in ("", "a", "ab"):
        hidden = f"{before}{word}x".encode()
        for text in (hidden.decode(), hidden.hex(), base64.b64encode(hidden).decode(), base64.urlsafe_b64encode(hidden).decode().rstrip("=")):
            assert found(f"{{{text}}}", [word, "another"]) == [word], text


def seen_by_provider(transport: str, subscription: Subscription | None, headers: dict, body: bytes) -> str:
    """All of a message, and what is within its credentials and its seal."""
    texts = [f"{name}: {value}" for name, value in headers.items()] + [body.decode("latin-1")]
    if subscription:
        texts.append(subscription.open(body).decode())
    for token in re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", " ".join(texts), re.ASCII):
        texts += [unb64u(part).decode("latin-1") for part in token.split(".")]
    return "\n".join(texts)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_that_reaches_a_provider_says_of_whom_or_of_what_it_is(accounts, transport):
    shown = {"application": "Lohnkonto Nordwest", "context": {"ipAddress": "203.0.113.77", "userAgent": "Kolibri/7"}}
    someone, subscription = accounts.woken_by(transport, displayName="Wilhelmine Sandkorn")
    request = accounts.begin(someone, **shown)
    messages = [accounts.next(subscription)]
    Stack.wait_for(lambda: accounts.woken.stages(request) == ["rung"], 10, "the wake-up to be kept until the request ends")
    assert accounts.application.cancel(request).status_code < 300
    # What takes it back.
    messages.append(accounts.next(subscription))
    if transport == "fcm":
        messages += accounts.provider.token_requests
    seen = "\n".join(seen_by_provider(transport, subscription if message in messages[:2] else None, *message) for message in messages)
    assert len(request["number"]) == NUMBER_DIGITS
    names = (*"Wilhelmine Sandkorn Lohnkonto Nordwest Quarzwerke Ostheim Kolibri".split(), someone.phone.facts["name"])
    ids = (someone.username, someone.user["id"], someone.phone.id, accounts.tenant, accounts.demo["client"]["id"], request["secret"])
    assert found(seen, (*names, *ids, request["number"], "203.0.113.77")) == []
    assert not re.search(r"\b\d+(\.\d+){3}\b", seen)
    # The search has looked at what it should.
    assert found(seen, [request["id"]]) == [request["id"]] and '"alg"' in seen


def fcm_error(status: int, code: str) -> dict:
    return {"error": {"code": status, "details": [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]}}


FAR = 32_503_680_000_000
# What each answers to a message, and what the attempt is called.
ANSWERS = {
    "apns": [
        (200, {}, "delivered"), (403, {"reason": "InvalidProviderToken"}, "configuration"),
        (410, {"reason": "Unregistered", "timestamp": FAR}, "expired_address"),
    ],
    "fcm": [
        (200, {}, "delivered"), (403, fcm_error(403, "SENDER_ID_MISMATCH"), "foreign_address"),
        (404, fcm_error(404, "UNREGISTERED"), "expired_address"),
    ],
    "webpush": [(201, {}, "delivered"), (403, {}, "foreign_address"), (410, {}, "expired_address")],
}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_address_is_logged_whatever_a_provider_answers_and_when_none_listens(woken, transport):
    accounts = Accounts(woken, f"logs-{transport}", "Logs")
    someone, _ = accounts.woken_by(transport, displayName="Wilhelmine Sandkorn")
    given = []

    def ring(address: dict, outcome: str) -> None:
        given.extend(value.rsplit("/")[-1] for name, value in address.items() if name != "transport")
        give_address(someone.phone, address)
        request = accounts.begin(someone)
        Stack.wait_for(lambda: outcome in woken.outcomes(request), 20, f"an attempt that is {outcome}")
        assert accounts.application.cancel(request).status_code < 300

    for status, answer, outcome in ANSWERS[transport]:
        subscription = woken.service.subscribe()
        subscription.status = accounts.provider.status = status
        accounts.provider.answer = answer
        ring(subscription.address if transport == "webpush" else accounts.address(transport), outcome)
    Stack.wait_for(lambda: someone.phone.call("GET", "/push").json()["transport"] == "none", 10, "the dead address to be dropped")
    accounts.provider.stop()
    ring(Subscription(accounts.provider.origin).address if transport == "webpush" else accounts.address(transport), "unreachable")
    logs = {path.name: path.read_text() for path in (woken.stack.var / "log").glob("*.log")}
    assert set(logs) >= {f"{service}.log" for service in Stack.SERVICES} and len(given) >= 4
    assert found("".join(logs.values()) + woken.stack.log() + woken.metrics(), given) == []
    assert found(logs["notifier.log"] + woken.metrics(), [someone.username, "Wilhelmine", "Sandkorn"]) == []


def credentials(accounts: Accounts, transport: str, headers: dict) -> str:
    """The token by which a provider knows who sends this message."""
    if transport == "apns":
        return headers["authorization"].removeprefix("bearer ")
    if transport == "webpush":
        return headers["authorization"].split("t=")[1].split(",")[0]
    # The access token is for what was asked for with the assertion.
    number = int(headers["authorization"].removeprefix("Bearer access-"))
    return urllib.parse.parse_qs(accounts.provider.token_requests[number - 1][1].decode())["assertion"][0]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_key_that_was_replaced_on_disk_signs_the_next_wake_up_without_a_restart(accounts, transport):
    someone, subscription = accounts.woken_by(transport)
    processes, former = accounts.woken.stack.pids(), accounts.keys[transport]

    def token_of_a_wake_up() -> str:
        request = accounts.begin(someone)
        token = credentials(accounts, transport, accounts.next(subscription)[0])
        Stack.wait_for(lambda: accounts.woken.outcomes(request) == ["delivered"], 10, "the delivery to be written down")
        assert accounts.application.cancel(request).status_code < 300
        accounts.next(subscription)
        return token

    accounts.keys[transport] = accounts.change_key(transport)
    # What is on the disk counts once the notifier was told to read it.
    assert is_signed(token_of_a_wake_up(), former)
    assert "push accounts read" in accounts.woken.reload()
    token = token_of_a_wake_up()
    assert is_signed(token, accounts.keys[transport]) and not is_signed(token, former)
    assert accounts.woken.stack.pids() == processes


def counted(accounts: Accounts, request: dict) -> tuple[int, int]:
    """How many messages that ring, and that take back, reached APNs for a request that has ended."""
    Stack.wait_for(lambda: accounts.woken.stages(request) == [], 20, "nothing of the request to be left")
    kinds = [accounts.provider.messages.get(timeout=0)[0]["apns-push-type"] for _ in range(accounts.provider.messages.qsize())]
    assert set(kinds) <= {"alert", "background"}
    return kinds.count("alert"), kinds.count("background")


@pytest.mark.parametrize("phones, ringing", [(1, 1), (2, 2), (4, 3)])
def test_a_request_rings_three_phones_at_most_and_takes_back_each_that_did_not_answer(accounts, phones, ringing):
    someone, _ = accounts.woken_by("apns")
    others = [register(someone.browser, Phone()) for _ in range(phones - 1)]
    for phone in others:
        give_address(phone, accounts.address("apns"))

    def begin():
        request = accounts.begin(someone)
        Stack.wait_for(lambda: accounts.woken.stages(request).count("rung") == ringing, 20, "the phones to be rung")
        return request

    # The application gives it up: nobody knows.
    request = begin()
    assert accounts.application.cancel(request).status_code < 300
    assert counted(accounts, request) == (ringing, ringing)
    # By an offline code: no phone has heard of it.
    request = begin()
    code = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"]).now()
    assert accounts.application.code(request, code).status_code == 200
    assert counted(accounts, request) == (ringing, ringing)
    # By one that was rung: it knows.
    request = begin()
    [rung] = accounts.woken.read("SELECT device FROM wake_up WHERE challenge = ? LIMIT 1", request["id"])
    phone = next(phone for phone in (someone.phone, *others) if phone.id == rung[0])
    assert phone.answer(phone.challenge(request["id"]), number=request["number"]).json()["status"] == "approved"
    assert counted(accounts, request) == (ringing, ringing - 1)


class Worker:
    """One who signs in again and again, until told to stop, with a phone that is told by its stream or asks by itself."""

    def __init__(self, woken: Woken, someone: Someone, is_live: bool):
        self.woken, self.someone = woken, someone
        self.application = Application(woken.demo)
        self.events = someone.phone.events() if is_live else None
        self.completed = 0
        self.failures: list[BaseException] = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self) -> None:
        try:
            while not self.is_over.is_set():
                self.sign_in()
                self.completed += 1
        except BaseException as failure:
            self.failures.append(failure)

    def sign_in(self) -> None:
        request = self.application.begin(self.someone.username, factor="secondFactor").json()
        if self.events:
            challenge = next(data for event, data in self.events if event == "challenge" and data["id"] == request["id"])
        else:
            challenge = self.someone.phone.challenge(request["id"])
        assert self.someone.phone.answer(challenge, number=request["number"]).json()["status"] == "approved"
        assert self.application.redeem(request).status_code == 200


def test_doubles_that_end_while_they_are_asked_cost_no_sign_in_its_other_ways(woken):
    """Last in this file: the doubles are gone after it."""
    addresses = woken.doubles.addresses()
    *people, listener = [woken.someone(addresses[transport], phone_sign_in=False) for transport in (*TRANSPORTS, "apns")]
    workers = [Worker(woken, listener, is_live=True), *(Worker(woken, someone, is_live=False) for someone in people)]

    def wait_for_more(count: int) -> None:
        aims = [worker.completed + count for worker in workers]
        done = lambda: any(worker.failures for worker in workers) or all(  # noqa: E731
            worker.completed >= aim for worker, aim in zip(workers, aims))
        Stack.wait_for(done, 60, f"{count} more sign-ins of each")
        assert [worker.failures for worker in workers if worker.failures] == []

    def begin_for_codes() -> list[tuple[Someone, dict]]:
        return [(someone, woken.application.begin(someone.username, factor="secondFactor").json()) for someone in people]

    # Each is well, and takes what it gets.
    for someone, request in begin_for_codes():
        Stack.wait_for(lambda: woken.stages(request) == ["rung"], 20, "the wake-up to be taken")
        woken.complete(someone, request)
    wait_for_more(1)
    # From here on they take no request to its end.
    woken.doubles.process.send_signal(signal.SIGSTOP)
    open_requests = begin_for_codes()
    under_way = "SELECT 1 FROM wake_up WHERE challenge = ? AND stage = 'ring' AND attempts = 1"
    Stack.wait_for(lambda: all(woken.read(under_way, request["id"]) for _, request in open_requests), 20, "the wake-ups to be under way")
    wait_for_more(1)
    woken.doubles.stop()
    for someone, request in open_requests:
        Stack.wait_for(lambda: "unreachable" in woken.outcomes(request), 20, "the attempt to fail")
        code = pyotp.parse_uri(someone.phone.registration["offlineCode"]["uri"]).now()
        assert woken.application.code(request, code).status_code == 200
        assert woken.application.redeem(request).status_code == 200
    wait_for_more(2)
    for worker in workers:
        worker.is_over.set()
        worker.thread.join(30)
        assert not worker.thread.is_alive() and not worker.failures
