"""The OpenAPI document and the gateway's table of routes say the same of each operation. Needs no running system."""

import json
import re

import jsonschema
import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from client import digest, unb64u
from stack import ROOT

DOCUMENT = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
OPERATIONS = {(method, path): operation for path, item in DOCUMENT["paths"].items() for method, operation in item.items()}
SIGN_IN = "/v1/{tenant}/sign-ins/{id}"

BODIES = {
    "none": set(),
    "json": {"application/json"},
    "mergePatch": {"application/json", "application/merge-patch+json"},
    "form": {"application/x-www-form-urlencoded"},
    "upload": {"text/csv", "application/x-ndjson"},
}
CALLERS = {
    "open": set(),
    "client": {"clientBasic", "bearer"},
    "device": {"deviceProof"},
    "session": {"session"},
    "administrator": {"bearer", "clientBasic", "session"},
    "operator": {"bearer"},
}
# Where a caller proves who it is otherwise than its line of the table says.
OTHER_CALLERS = {
    ("post", "/v1/{tenant}/token"): set(),
    ("post", "/v1/{tenant}/session"): set(),
    ("delete", "/v1/{tenant}/session"): set(),
    ("post", "/v1/{tenant}/session/complete"): {"preSession"},
    ("get", SIGN_IN): {"clientBasic", "bearer", "preSession"},
    ("delete", SIGN_IN): {"clientBasic", "bearer", "preSession"},
    ("get", SIGN_IN + "/events"): {"clientBasic", "bearer", "preSession"},
    ("post", SIGN_IN + "/code"): {"clientBasic", "bearer", "preSession"},
}


def routes():
    source = (ROOT / "Sources/GatewayService/GatewayRoutes.swift").read_text()
    lines = re.findall(r'route\(\s*\.(\w+), "([^"]+)", \.(\w+), \.(\w+),', source)
    return {(method, path): (access, body) for method, path, access, body in lines if path.startswith("/v1/") or (method, path) in OPERATIONS}


ROUTES = routes()


def parameters(operation, place):
    return {parameter["name"]: parameter for parameter in operation.get("parameters", []) if parameter["in"] == place}


def test_the_document_has_the_routes_of_the_table_and_no_others():
    assert len(ROUTES) > 50
    assert set(ROUTES) == set(OPERATIONS)


@pytest.mark.parametrize("key", sorted(OPERATIONS), ids=" ".join)
def test_an_operation_is_documented_with_its_caller_body_and_every_status(key):
    operation = OPERATIONS[key]
    access, body = ROUTES[key]
    assert {name for choice in operation["security"] for name in choice} == OTHER_CALLERS.get(key, CALLERS[access])
    assert set(operation.get("requestBody", {}).get("content", {})) == BODIES[body]
    expected = {"400", "403", "404", "405", "500", "503"}
    if key[0] != "get":
        expected |= {"413", "415"}
    if operation["security"] or access == "client":
        expected.add("401")
    headers = parameters(operation, "header")
    if "Idempotency-Key" in headers:
        expected |= {"409", "422"}
    if "If-Match" in headers:
        expected |= {"412", "428"} if headers["If-Match"]["required"] else {"412"}
    assert expected <= set(operation["responses"])


def test_a_post_that_makes_something_takes_an_idempotency_key():
    tenant = "/v1/{tenant}"
    makers = [
        "/token", "/sign-ins", "/sign-ins/{id}/code", "/sign-ins/{id}/redeem", "/devices", "/devices/{device}/phone-sign-in", "/session",
        "/session/complete", "/me/activations", "/admin/users", "/admin/users:import", "/admin/users/{user}/temporary-access-pass",
        "/admin/groups", "/admin/groups/{group}/members", "/admin/clients",
    ]
    documented = {path for (method, path), operation in OPERATIONS.items() if "Idempotency-Key" in parameters(operation, "header")}
    assert documented == {tenant + path for path in makers} | {"/v1/tenants", "/v1/{tenant}:renew-admin-token"}


def test_a_document_is_patched_only_with_its_tag():
    for path in ("/v1/{tenant}/admin/settings", "/v1/{tenant}/admin/policies/authenticator"):
        assert parameters(OPERATIONS["patch", path], "header")["If-Match"]["required"]


def test_every_list_is_paged():
    for (method, path), operation in OPERATIONS.items():
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        reference = content.get("schema", {}).get("$ref", "")
        if reference.endswith("Page") and not reference.endswith("DevicePage"):
            assert {"cursor", "limit"} <= set(parameters(operation, "query")), path


def test_a_problem_names_its_members():
    members = DOCUMENT["components"]["schemas"]["Problem"]["properties"]
    assert {"member", "range", "allowed", "target", "minimum", "reason"} <= set(members)
    codes = set(members["code"]["enum"])
    prose = (ROOT / "docs/protocol/http.md").read_text()
    table = {code for line in prose.splitlines() if re.match(r"\| [0-9, ]+ \|", line) for code in re.findall(r"`(\w+)`", line)}
    assert table == codes


def test_an_offline_code_lasts_30_or_60_seconds():
    assert DOCUMENT["components"]["schemas"]["Settings"]["properties"]["offlineCodePeriodSeconds"]["enum"] == [30, 60]


def test_the_settings_have_the_ranges_and_first_values_of_the_source():
    source = (ROOT / "Sources/Domain/TenantSettings.swift").read_text()
    members = DOCUMENT["components"]["schemas"]["Settings"]["properties"]
    first = dict(re.findall(r"package var (\w+) = (\w+)$", source, re.MULTILINE))
    ranges = re.findall(r'\("(\w+)", \\\.\w+, (\d+)\.\.\.([\d_]+)\)', source)
    assert len(ranges) > 20
    for member, low, high in ranges:
        assert members[member]["description"] == f"{first[member]} in a new tenant."
        if "enum" not in members[member]:
            assert (members[member]["minimum"], members[member]["maximum"]) == (int(low), int(high)), member


# --- what is signed, and what is inside texts ---

SCHEMAS = DOCUMENT["components"]["schemas"]
SIGNED = {"activation": "ActivationProof", "device-proof": "DeviceProof", "answer": "Answer"}
VECTORS = [(folder, path) for folder in SIGNED for path in sorted((ROOT / "Tests/Vectors" / folder).glob("*.txt"))]
# Malformed, and beyond what a schema can tell: Python's reader takes the last of two members, and a curve is no matter of syntax.
BEYOND_SCHEMAS = {"header-member-twice", "payload-member-twice", "payload-deep", "off-curve", "point-zero"}


def validator(schema):
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}, format_checker=jsonschema.FormatChecker())


def content(schema, text):
    """What is inside a text, as its schema's annotations say that it is to be read; None where they say nothing."""
    match schema.get("contentMediaType"), schema.get("contentEncoding"):
        case "application/jwt", None:
            return [json.loads(unb64u(part)) for part in text.split(".")[:2]]
        case "application/json", encoding:
            return json.loads(unb64u(text) if encoding == "base64url" else text)
    return None


def fits(schema, text):
    if not validator(schema).is_valid(text):
        return False
    try:
        inside = content(schema, text)
    except ValueError:
        return False
    return inside is None or validator(schema["contentSchema"]).is_valid(inside)


@pytest.mark.parametrize(("folder", "path"), VECTORS, ids=lambda value: getattr(value, "stem", value))
def test_what_is_signed_is_described_as_it_is_accepted(folder, path):
    vector = dict(line.split(": ", 1) for line in path.read_text().splitlines())
    is_well_formed = vector["expect"] != "malformed" or path.stem in BEYOND_SCHEMAS
    assert fits(SCHEMAS[SIGNED[folder]], vector["jws"]) == is_well_formed


def examples(node, path=""):
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield from ((path, node, example) for example in node["examples"])
        for name, value in node.items():
            yield from examples(value, f"{path}/{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from examples(value, f"{path}/{index}")


EXAMPLES = list(examples(SCHEMAS))


@pytest.mark.parametrize(("schema", "example"), [found[1:] for found in EXAMPLES], ids=[found[0] for found in EXAMPLES])
def test_an_example_fits_its_schema(schema, example):
    assert fits(schema, example) if isinstance(example, str) else validator(schema).is_valid(example)


def test_the_examples_of_bodies_and_events_fit_their_schemas():
    for operation in OPERATIONS.values():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in media:
                validator(media["schema"]).validate(media["example"])
        stream = operation["responses"].get("200", {}).get("content", {}).get("text/event-stream")
        for text in stream["example"].split("\n\n") if stream else []:
            event = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(":"))
            if event:
                events = stream["schema"]["contentSchema"]["items"]
                names = [reference["$ref"].rpartition("/")[2] for reference in events.get("oneOf", [events])]
                [data] = [SCHEMAS[name]["properties"]["data"] for name in names if validator(SCHEMAS[name]).is_valid(event)]
                validator(data["contentSchema"]).validate(content(data, event["data"]))


def test_the_signed_examples_belong_together():
    key = SCHEMAS["DeviceKey"]["examples"][0]
    x, y = (int.from_bytes(unb64u(key[name]), "big") for name in ("x", "y"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    claims = {}
    for name in ("ActivationProof", "DeviceProof", "Answer", "Receipt"):
        text, _, signature = SCHEMAS[name]["examples"][0].rpartition(".")
        r, s = (int.from_bytes(unb64u(signature)[half], "big") for half in (slice(32), slice(32, 64)))
        public.verify(encode_dss_signature(r, s), text.encode(), ec.ECDSA(hashes.SHA256()))
        claims[name] = content(SCHEMAS[name], text)[1]
    ticket = re.search("ticket=([^&]+)", SCHEMAS["ActivationUri"]["examples"][0]).group(1)
    assert claims["ActivationProof"]["ticket"] == digest(ticket.encode())
    assert claims["DeviceProof"]["bdh"] == digest(b'{"name":"Alice\'s phone"}')
    shown = SCHEMAS["PendingRequest"]["properties"]["content"]["examples"][0]
    assert claims["Answer"] == claims["Receipt"] and claims["Answer"]["content"] == digest(unb64u(shown))
    assert json.loads(unb64u(shown)) == SCHEMAS["RequestContent"]["examples"][0]


def test_the_members_of_content_are_those_of_the_source():
    source = (ROOT / "Sources/Domain/ChallengeContent.swift").read_text()
    members = re.findall(r'member\("(\w+)",', source)
    assert list(SCHEMAS["RequestContent"]["properties"]) == SCHEMAS["RequestContent"]["required"] == members
