"""An independent client of the public contract: an application, a phone and an administrator, written from the document alone.

Knows nothing of the project's own code; uses `cryptography` for ES256 and `requests` for HTTP."""

import base64
import hashlib
import json
import os
import time
import urllib.parse

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

TIMEOUT = 40


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def digest(data: bytes) -> str:
    return b64u(hashlib.sha256(data).digest())


def sign(key: ec.EllipticCurvePrivateKey, header: dict, payload: dict) -> str:
    """Compact JWS, ES256 (RFC 7515, RFC 7518 section 3.4)."""
    text = b64u(json.dumps(header).encode()) + "." + b64u(json.dumps(payload).encode())
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return text + "." + b64u(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def jwk(key: ec.EllipticCurvePrivateKey) -> dict:
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64u(numbers.x.to_bytes(32, "big")), "y": b64u(numbers.y.to_bytes(32, "big"))}


class Application:
    """A client of section 1."""

    def __init__(self, demo: dict, http: requests.Session | None = None, tenant: str | None = None):
        self.base, self.tenant = demo["base"], tenant or demo["tenant"]
        self.credentials = (demo["client"]["id"], demo["client"]["secret"])
        self.http = http or requests.Session()

    def url(self, path: str) -> str:
        return f"{self.base}/v1/{self.tenant}{path}"

    def begin(self, username: str, headers: dict | None = None, **members) -> requests.Response:
        return self.http.post(
            self.url("/sign-ins"), json={"username": username, **members}, auth=self.credentials, headers=headers, timeout=TIMEOUT
        )

    def call(self, method: str, request: dict, path: str = "", secret: str | None = None, headers: dict | None = None, **options):
        headers = {"Sign-In-Secret": secret or request["secret"], **(headers or {})}
        return self.http.request(
            method, self.url(f"/sign-ins/{request['id']}{path}"), auth=self.credentials, headers=headers, timeout=TIMEOUT, **options
        )

    def status(self, request: dict, wait: int | None = None) -> dict:
        reply = self.call("GET", request, "" if wait is None else f"?wait={wait}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def redeem(self, request: dict, **options) -> requests.Response:
        return self.call("POST", request, "/redeem", **options)

    def code(self, request: dict, code: str, password: str | None = None) -> requests.Response:
        body = {"code": code} if password is None else {"code": code, "password": password}
        return self.call("POST", request, "/code", json=body)

    def cancel(self, request: dict) -> requests.Response:
        return self.call("DELETE", request)


class Administrator:
    """Section 5, with the administrator's token."""

    def __init__(self, demo: dict, token: str | None = None, tenant: str | None = None):
        self.base, self.tenant = demo["base"], tenant or demo["tenant"]
        self.token = token or demo["admin"]["token"]
        self.http = requests.Session()

    def call(self, method: str, path: str, headers: dict | None = None, **options) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return self.http.request(method, f"{self.base}/v1/{self.tenant}/admin{path}", headers=headers, timeout=TIMEOUT, **options)

    def get(self, path: str) -> dict:
        reply = self.call("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def sign_ins(self):
        """Yields the whole sign-in log, newest first."""
        cursor = ""
        while cursor is not None:
            page = self.get(f"/sign-ins?limit=1000&cursor={cursor}")
            yield from page["items"]
            cursor = page["next"]

    def change(self, path: str, patch: dict) -> dict:
        current = self.call("GET", path)
        reply = self.call("PATCH", path, headers={"If-Match": current.headers["ETag"]}, json=patch)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def create_user(self, username: str, password: str | None = None, **members) -> dict:
        body = {"username": username, "displayName": username.capitalize(), **members}
        if password is not None:
            body["password"] = password
        reply = self.call("POST", "/users", json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def issue_pass(self, user_id: str, **members) -> str:
        reply = self.call("POST", f"/users/{user_id}/temporary-access-pass", json=members)
        assert reply.status_code == 201, reply.text
        return reply.json()["temporaryAccessPass"]


class Person:
    """Section 4: a browser with cookies."""

    def __init__(self, base: str, tenant: str):
        self.base, self.tenant = base, tenant
        self.http = requests.Session()

    def call(self, method: str, path: str, **options) -> requests.Response:
        return self.http.request(method, f"{self.base}/v1/{self.tenant}{path}", timeout=TIMEOUT, **options)

    def sign_in(self, username: str, **credentials) -> requests.Response:
        return self.call("POST", "/session", json={"username": username, **credentials})

    def new_activation(self) -> dict:
        reply = self.call("POST", "/me/activations")
        assert reply.status_code == 201, reply.text
        return reply.json()

    def activation(self, activation_id: str, wait: int | None = None, state: str | None = None) -> dict:
        query = {} if wait is None else {"wait": wait}
        if state:
            query["state"] = state
        reply = self.call("GET", f"/me/activations/{activation_id}", params=query)
        assert reply.status_code == 200, reply.text
        return reply.json()


class Phone:
    """Sections 2 and 3: one key, one activation."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | None = None, platform: str = "cli", os_version: str = "12", app_version: str = "1.0.0"):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.facts = {"name": "Test phone", "platform": platform, "osVersion": os_version, "appVersion": app_version}
        self.http = requests.Session()
        self.clock_offset = 0
        # Where requests go, when that is not the base that they are signed for.
        self.origin: str | None = None

    def now(self) -> int:
        return int(time.time()) + self.clock_offset

    def activate(self, uri: str, **changes) -> requests.Response:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)
        self.base, self.tenant, ticket = query["server"][0], query["tenant"][0], query["ticket"][0]
        header = {"alg": "ES256", "typ": "countersign-activation+jws", "jwk": jwk(self.key)}
        payload = {"aud": f"{self.base}/{self.tenant}", "ticket": digest(ticket.encode()), "iat": self.now()}
        body = {"ticket": ticket, "proof": sign(self.key, header, payload), "device": self.facts, "push": {"transport": "none"}}
        url = self.reached(f"{self.base}/v1/{self.tenant}/devices")
        reply = self.http.post(url, json={**body, **changes}, timeout=TIMEOUT)
        if reply.status_code == 201:
            self.registration = reply.json()
            self.id = self.registration["deviceId"]
        return reply

    def proof(self, method: str, url: str, body: bytes | None, **changes) -> str:
        payload = {"htm": method, "htu": url.split("?")[0], "iat": self.now(), "jti": b64u(os.urandom(16))}
        if body is not None:
            payload["bdh"] = digest(body)
        return sign(self.key, {"alg": "ES256", "typ": "countersign-device+jws", "kid": self.id}, {**payload, **changes})

    def call(self, method: str, path: str, body: dict | None = None, proof: str | None = None, **options) -> requests.Response:
        url = f"{self.base}/v1/{self.tenant}/devices/{self.id}{path}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "DeviceProof " + (proof or self.proof(method, url, data))}
        if data is not None:
            headers["Content-Type"] = "application/json"
        return self.http.request(method, self.reached(url), data=data, headers=headers, timeout=TIMEOUT, **options)

    def at(self, origin: str) -> "Phone":
        """The same phone with connections of its own, to another of the addresses for which it signs."""
        other = Phone(key=self.key)
        other.id, other.base, other.tenant, other.origin = self.id, self.base, self.tenant, origin
        return other

    def reached(self, url: str) -> str:
        return url if self.origin is None else url.replace(self.base, self.origin, 1)

    def challenges(self) -> list[dict]:
        reply = self.call("GET", "/challenges")
        assert reply.status_code == 200, reply.text
        return reply.json()["challenges"]

    def challenge(self, challenge_id: str) -> dict:
        return next(item for item in self.challenges() if item["id"] == challenge_id)

    def answer_text(self, challenge: dict, decision: str = "approve", number: str | None = None, changes: dict | None = None) -> str:
        payload = {
            "aud": f"{self.base}/{self.tenant}",
            "challenge": challenge["id"],
            "decision": decision,
            "content": digest(unb64u(challenge["content"])),
            "iat": self.now(),
            "uv": True,
        }
        if number is not None:
            payload["number"] = number
        return sign(self.key, {"alg": "ES256", "typ": "countersign-answer+jws", "kid": self.id}, {**payload, **(changes or {})})

    def send_answer(self, challenge_id: str, text: str) -> requests.Response:
        url = self.reached(f"{self.base}/v1/{self.tenant}/challenges/{challenge_id}/answer")
        return self.http.post(url, json={"answer": text}, timeout=TIMEOUT)

    def answer(self, challenge: dict, decision: str = "approve", number: str | None = None, changes: dict | None = None) -> requests.Response:
        return self.send_answer(challenge["id"], self.answer_text(challenge, decision, number, changes))

    def events(self):
        """Yields (event, data) of the device's event stream; None for a comment."""
        url = f"{self.base}/v1/{self.tenant}/devices/{self.id}/events"
        headers = {"Authorization": "DeviceProof " + self.proof("GET", url, None)}
        with requests.get(self.reached(url), headers=headers, stream=True, timeout=TIMEOUT) as reply:
            assert reply.status_code == 200, reply.text
            yield from server_sent_events(reply)


def server_sent_events(reply: requests.Response):
    event, data = "message", []
    for line in reply.iter_lines(chunk_size=1, decode_unicode=True):
        if line == "":
            if data:
                yield event, json.loads("\n".join(data))
            event, data = "message", []
        elif line.startswith(":"):
            yield None, None
        elif line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].strip())


def register(person: Person, phone: Phone) -> Phone:
    """J3: the whole of adding a phone, for a person with a session."""
    activation = person.new_activation()
    reply = phone.activate(activation["activationUri"])
    assert reply.status_code == 201, reply.text
    confirming = person.activation(activation["id"], wait=10)
    assert confirming["state"] == "confirming", confirming
    challenge = phone.challenges()[0]
    assert challenge["purpose"] == "registration"
    reply = phone.answer(challenge, number=confirming["number"])
    assert reply.status_code == 200 and reply.json()["status"] == "approved", reply.text
    done = person.activation(activation["id"])
    assert done["state"] == "active" and done["deviceId"] == phone.id
    return phone


def set_up_phone_sign_in(phone: Phone, **credentials) -> None:
    """J4, on the phone."""
    reply = phone.call("POST", "/phone-sign-in", body=credentials)
    assert reply.status_code == 202, reply.text
    setup = reply.json()
    reply = phone.answer(phone.challenge(setup["challengeId"]), number=setup["number"])
    assert reply.status_code == 200 and reply.json()["status"] == "approved", reply.text
