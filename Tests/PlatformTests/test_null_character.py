"""U+0000, which PostgreSQL keeps in no text, in every string that the API takes: it is malformed, or like what is unknown, on both stores."""

import base64
import copy
import pathlib
import shutil
import tempfile

import pytest
import requests
import yaml

from client import Administrator, Application, b64u, digest, jwk, sign, unb64u
from conftest import Someone
from stack import ROOT, Stack

DOCUMENT = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
OPERATIONS = [(method, path, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()]
TENANT = "/v1/{tenant}"
TEXTS = ["\0", "a\0b"]

# A body of each operation that is well formed, with every string that it may have.
DEVICE = {"name": "Phone", "platform": "cli", "osVersion": "12", "appVersion": "1.0.0"}
PUSH = [
    {"transport": "apns", "token": "ab" * 32, "topic": "org.example"}, {"transport": "fcm", "token": "token"},
    {"transport": "webpush", "endpoint": "https://push.example/x", "p256dh": "B" * 87, "auth": "A" * 22},
]
TARGET = {"id": "all_users", "targetType": "group", "authenticationMode": "any"}
BODIES = {
    ("post", TENANT + "/token"): [{"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"}],
    # Without a text.
    ("post", TENANT + "/me/activations"): [{"replaceOldest": True}],
    ("post", TENANT + "/sign-ins"): [
        {"username": "alice", "factor": "passwordless", "application": "Demo", "context": {"ipAddress": "203.0.113.7", "userAgent": "Browser"}}
    ],
    ("post", TENANT + "/sign-ins/{id}/code"): [{"code": "123456", "password": "a longer word"}],
    ("post", TENANT + "/devices"): [{"ticket": "t", "proof": "p", "device": DEVICE, "push": push} for push in PUSH],
    ("patch", TENANT + "/devices/{device}"): [{"name": "Phone", "osVersion": "12", "appVersion": "1", "push": push} for push in PUSH],
    ("post", TENANT + "/devices/{device}/phone-sign-in"): [{"password": "a longer word"}, {"temporaryAccessPass": "PASS1234"}],
    ("post", TENANT + "/challenges/{challenge}/answer"): [{"answer": "a.b.c"}],
    ("post", TENANT + "/session"): [{"username": "alice", "password": "a longer word"}, {"username": "alice", "temporaryAccessPass": "PASS1234"}],
    ("post", TENANT + "/session/complete"): [{"id": "i", "secret": "s"}],
    ("patch", TENANT + "/me"): [{"defaultMethod": "push"}],
    ("patch", TENANT + "/admin/policies/authenticator"): [{"includeTargets": [TARGET], "state": "enabled"}],
    ("post", TENANT + "/admin/policies/authenticator:preview"): [{"excludeTargets": [TARGET], "state": "enabled"}],
    ("patch", TENANT + "/admin/settings"): [{"offlineCodeAlgorithm": "SHA1", "profile": "standard", "minimumVersions": {"ios": {"os": "8.0", "app": "1"}}}],
    ("post", TENANT + "/admin/users"): [
        {"username": "u", "displayName": "U", "password": "a longer word", "roles": ["administrator"], "groups": ["g"]}
    ],
    ("patch", TENANT + "/admin/users/{user}"): [{"displayName": "U", "password": "a longer word", "roles": ["administrator"], "groups": ["g"]}],
    ("post", TENANT + "/admin/users/{user}/temporary-access-pass"): [],
    ("post", TENANT + "/admin/groups"): [{"name": "g"}],
    ("patch", TENANT + "/admin/groups/{group}"): [{"name": "g"}],
    ("post", TENANT + "/admin/groups/{group}/members"): [{"add": ["u"], "remove": ["v"]}],
    ("patch", TENANT + "/admin/groups/{group}/members"): [{"add": ["u"], "remove": ["v"]}],
    ("post", TENANT + "/admin/clients"): [{"name": "c", "applications": ["Payroll"], "roles": ["signIn"]}],
    ("post", "/v1/tenants"): [{"id": "t", "name": "T"}],
}
IMPORT = ("post", TENANT + "/admin/users:import")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def system(request):
    # The database server runs as another user when the tests run as root, and pytest's own folders let nobody through.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="countersign-", dir="/tmp"))
    folder.chmod(0o711)
    stack = Stack(folder / "var", {"STORE": request.param}).start()
    yield System(stack)
    assert stack.stop() == 0
    shutil.rmtree(folder)


class System:
    """Every caller, and one of each thing that a path can name."""

    def __init__(self, stack: Stack):
        self.demo = stack.demo()
        self.operator = "Bearer " + (stack.var / "keys/operator.token").read_text().strip()
        self.application, self.administrator, self.someone = Application(self.demo), Administrator(self.demo), Someone(self.demo)
        self.sign_in = self.application.begin(self.someone.username, factor="secondFactor").json()
        activation = self.someone.browser.new_activation()
        groups = [self.administrator.call("POST", "/groups", json={"name": name}).json()["id"] for name in ("one", "two")]
        members = [self.someone.user["id"], self.administrator.create_user("second")["id"]]
        assert self.administrator.call("PATCH", f"/groups/{groups[0]}/members", json={"add": members}).status_code == 200
        self.administrator.call("POST", "/clients", json={"name": "Another"})
        self.names = {
            "tenant": self.demo["tenant"], "id": self.sign_in["id"], "device": self.someone.phone.id, "challenge": self.sign_in["id"],
            "signIn": self.sign_in["id"], "activation": activation["id"], "user": self.someone.user["id"], "group": groups[0],
            "client": self.demo["client"]["id"],
        }

    def call(self, method: str, path: str, operation: dict, names: dict | None = None, query: str = "", headers: dict | None = None, **options):
        for name, value in {**self.names, **(names or {})}.items():
            path = path.replace("{%s}" % name, value)
        request = requests.Request(method.upper(), self.demo["base"] + path + query, headers={"Sign-In-Secret": self.sign_in["secret"]}, **options)
        if "/me" in path or path.endswith("/session/complete"):
            request.cookies = dict(self.someone.browser.http.cookies)
        if "/admin/" in path and method == "patch":
            request.headers["If-Match"] = "*"
        prepared = request.prepare()
        schemes = {name for choice in operation.get("security", []) for name in choice}
        if path == "/v1/tenants" or ":renew" in path:
            prepared.headers["Authorization"] = self.operator
        elif "/admin/" in path:
            prepared.headers["Authorization"] = "Bearer " + self.demo["admin"]["token"]
        elif "clientBasic" in schemes:
            prepared.headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.application.credentials).encode()).decode()
        elif "deviceProof" in schemes:
            prepared.headers["Authorization"] = "DeviceProof " + self.someone.phone.proof(method.upper(), prepared.url, prepared.body or None)
        prepared.headers.update(headers or {})
        with requests.Session() as http:
            return http.send(prepared, timeout=20)


def is_refused(reply: requests.Response, what) -> None:
    assert 400 <= reply.status_code < 500, (what, reply.status_code, reply.text)
    assert reply.headers["Content-Type"].startswith("application/problem+json") and reply.json()["code"], what


def variants(value):
    """The body once for each of its strings, with U+0000 in it; and for each of its members, in their names."""
    if isinstance(value, str):
        yield from TEXTS
    elif isinstance(value, list):
        for index, element in enumerate(value):
            for changed in variants(element):
                yield [*value[:index], changed, *value[index + 1:]]
    elif isinstance(value, dict):
        yield {**copy.deepcopy(value), "a\0b": "c"}
        for name, element in value.items():
            for changed in variants(element):
                yield {**value, name: changed}


def test_no_operation_is_left_out():
    with_body = {(method, path) for method, path, operation in OPERATIONS if "requestBody" in operation}
    assert with_body == set(BODIES) | {IMPORT}


def test_in_paths(system):
    count = 0
    for method, path, operation in OPERATIONS:
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                for text in ("%00", "a%00b"):
                    count += 1
                    is_refused(system.call(method, path, operation, names={parameter["name"]: text}), (method, path, text))
    assert count > 150


def test_in_queries(system):
    count = 0
    for method, path, operation in OPERATIONS:
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                for text in ("%00", "a%00b"):
                    count += 1
                    is_refused(system.call(method, path, operation, query=f"?{parameter['name']}={text}"), (method, path, parameter["name"]))
    assert count > 50


def test_in_bodies(system):
    count = 0
    for (method, path), bodies in BODIES.items():
        operation = DOCUMENT["paths"][path][method]
        encode = (lambda body: {"data": body}) if path.endswith("/token") else (lambda body: {"json": body})
        for body in bodies:
            for variant in variants(body):
                count += 1
                is_refused(system.call(method, path, operation, **encode(variant)), (method, path, variant))
    assert count > 150


def test_in_imported_lines(system):
    operation = DOCUMENT["paths"][IMPORT[1]][IMPORT[0]]
    lines = {"application/x-ndjson": [], "text/csv": []}
    for text in (r"\u0000", r"a\u0000b"):
        lines["application/x-ndjson"] += [
            f'{{"username":"{text}"}}', f'{{"username":"n1","displayName":"{text}"}}', f'{{"username":"n2","password":"{text}"}}',
            f'{{"username":"n3","groups":["{text}"]}}', f'{{"username":"n4","{text}":1}}',
        ]
    for text in TEXTS:
        lines["text/csv"] += [f"username,displayName,password,groups\n{row}" for row in (f"{text},,,", f"c1,{text},,", f"c2,,{text},", f"c3,,,{text}")]
        lines["text/csv"].append(f"username,{text}\nc4,x")
    for kind, texts in lines.items():
        for text in texts:
            reply = system.call(*IMPORT, operation, data=text, headers={"Content-Type": kind})
            if reply.status_code == 200:
                assert (reply.json()["created"], reply.json()["problemCount"]) == (0, 1), (text, reply.text)
            else:
                is_refused(reply, (kind, text))


def test_in_cursors(system):
    for path in ("/admin/users", "/admin/groups", "/admin/clients", "/admin/sign-ins", "/admin/audit", "/admin/groups/{group}/members"):
        operation = DOCUMENT["paths"][TENANT + path]["get"]
        begun = [system.application.begin(system.someone.username) for _ in range(2)]
        assert all(reply.status_code == 201 for reply in begun)
        cursor = system.call("get", TENANT + path, operation, query="?limit=1").json()["next"]
        assert cursor, path
        given = cursor.encode() if cursor.isdigit() else unb64u(cursor)
        for changed in (b"\0", given + b"\0", given[:-1] + b"\0", given.replace(b'"', b'"\\u0000', 1)):
            reply = system.call("get", TENANT + path, operation, query="?limit=1&cursor=" + b64u(changed))
            assert reply.status_code in (200, 400), (path, changed, reply.status_code, reply.text)


def test_in_what_is_signed_or_encoded(system):
    phone, base = system.someone.phone, f"{system.demo['base']}/v1/{system.demo['tenant']}"
    for text in TEXTS:
        basic = "Basic " + base64.b64encode(f"{text}:{text}".encode()).decode()
        for authorization in (basic, "Bearer a", "DeviceProof " + text.replace("\0", "a")):
            is_refused(requests.get(base + "/admin/users", headers={"Authorization": authorization}, timeout=20), authorization)
            is_refused(requests.get(base + f"/sign-ins/{system.sign_in['id']}", headers={"Authorization": authorization}, timeout=20), authorization)
        for header in ({"kid": text}, {"kid": phone.id, text: 1}, {"kid": phone.id, "typ": text}):
            for changes in ({}, {"jti": text}, {"htm": text}, {"htu": text}):
                url = f"{base}/devices/{phone.id}/challenges"
                payload = {"htm": "GET", "htu": url, "iat": phone.now(), "jti": b64u(b"0" * 16), **changes}
                proof = sign(phone.key, {"alg": "ES256", "typ": "countersign-device+jws", **header}, payload)
                is_refused(requests.get(url, headers={"Authorization": "DeviceProof " + proof}, timeout=20), (header, changes))
                answer = sign(
                    phone.key, {"alg": "ES256", "typ": "countersign-answer+jws", **header},
                    {"aud": text, "challenge": text, "decision": "approve", "number": text, "content": text, "iat": phone.now(), "uv": True})
                reply = requests.post(f"{base}/challenges/{system.sign_in['id']}/answer", json={"answer": answer}, timeout=20)
                is_refused(reply, (header, "answer"))
        payload = {"aud": f"{system.demo['base']}/{system.demo['tenant']}", "ticket": digest(text.encode()), "iat": phone.now()}
        proof = sign(phone.key, {"alg": "ES256", "typ": "countersign-activation+jws", "jwk": jwk(phone.key)}, payload)
        is_refused(requests.post(base + "/devices", json={"ticket": text, "proof": proof, "device": DEVICE}, timeout=20), "activation")
