"""A thousand malformed inputs at each edge: the answer names what was wrong, and the system goes on."""

import json
import random
import socket

import requests

from client import Application


def mutations(seed: random.Random, sample: dict):
    text = json.dumps(sample).encode()
    kinds = [
        lambda: text[: seed.randrange(len(text))],
        lambda: bytes(seed.randrange(256) for _ in range(seed.randrange(1, 200))),
        lambda: b"[" * seed.randrange(1, 5000),
        lambda: text.replace(b'"', b"'"),
        lambda: json.dumps({**sample, seed.choice(["username", "ticket", "answer"]): seed.choice([None, 1, [], {}, True, "\ud800"])}).encode(),
        lambda: b"\xff\xfe" + text,
        lambda: json.dumps([sample]).encode(),
        lambda: text[:-1] + b',"username":"again","username":1}',
        lambda: b"1e99999",
        lambda: b'"' + b"\\u0000" * seed.randrange(1, 500) + b'"',
    ]
    while True:
        yield seed.choice(kinds)()


def test_a_thousand_malformed_bodies_get_problem_documents(application):
    seed = random.Random(7)
    paths = [
        ("/sign-ins", {"username": "alice"}),
        ("/devices", {"ticket": "x", "proof": "y", "device": {}}),
        ("/challenges/" + "A" * 22 + "/answer", {"answer": "a.b.c"}),
        ("/session", {"username": "alice", "password": "x"}),
    ]
    sources = [(path, mutations(seed, sample)) for path, sample in paths]
    for count in range(1000):
        path, bodies = sources[count % len(sources)]
        reply = application.http.post(
            application.url(path), data=next(bodies), headers={"Content-Type": "application/json"}, auth=application.credentials, timeout=20
        )
        assert 400 <= reply.status_code < 500, (path, reply.status_code, reply.text)
        assert reply.json()["code"] and reply.headers["X-Request-Id"]
    assert application.begin("alice").status_code == 201


def test_malformed_headers_and_paths_get_problem_documents(application, demo):
    for path in ("/v1", "/v1/", "/v1/UPPER/sign-ins", "/v1/demo/nothing", "/v1/demo/sign-ins/%00", "/v1/demo/sign-ins/" + "a" * 3000):
        reply = requests.get(demo["base"] + path, auth=application.credentials, timeout=20)
        assert 400 <= reply.status_code < 500, (path, reply.status_code)
        assert reply.headers["Content-Type"].startswith("application/problem+json")
    for authorization in ("Basic", "Basic !!!", "Bearer", "Bearer " + "x" * 6000, "DeviceProof a.b.c", "Nonsense"):
        reply = requests.post(application.url("/sign-ins"), json={"username": "a"}, headers={"Authorization": authorization}, timeout=20)
        assert 400 <= reply.status_code < 500, (authorization, reply.status_code)


def test_what_is_not_http_gets_a_problem_document_with_a_request_id(stack, demo):
    for unreadable in (
        b"\x16\x03\x01\x02\x00 nothing\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nLong: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: one\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", stack.first_port), timeout=20) as raw:
            raw.sendall(unreadable)
            head, _, body = b"".join(iter(lambda: raw.recv(65536), b"")).partition(b"\r\n\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.decode().splitlines()[1:])}
        assert head.startswith(b"HTTP/1.1 400 "), (unreadable[:40], head)
        assert headers["content-type"].startswith("application/problem+json") and headers["connection"] == "close", headers
        problem = json.loads(body)
        assert (problem["code"], problem["title"], problem["type"]) == ("malformed", "Bad Request", "about:blank")
        assert problem["requestId"] == headers["x-request-id"]
        assert problem["requestId"] in (stack.var / "log/gateway.log").read_text()


def test_garbage_on_the_bus_changes_nothing(stack, application):
    seed = random.Random(11)
    ports = [stack.first_port + 10 + index for index in range(5)]
    greeting = bytes.fromhex("ff00000000000000017f0300") + b"NULL".ljust(20, b"\0") + b"\0" * 32
    for count in range(1000):
        with socket.create_connection(("127.0.0.1", ports[count % len(ports)]), timeout=5) as raw:
            start = greeting if count % 3 == 0 else b""
            try:
                raw.sendall(start + bytes(seed.randrange(256) for _ in range(seed.randrange(1, 300))))
            except OSError:
                pass
        if count % 200 == 0:
            assert application.begin("alice").status_code == 201
    assert application.begin("alice").status_code == 201
    assert all(name in stack.pids() for name in stack.SERVICES)
