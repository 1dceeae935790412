"""The OpenAPI document and the gateway's table of routes say the same of each operation. Needs no running system."""

import re

import pytest
import yaml

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
        "/sign-ins", "/sign-ins/{id}/code", "/sign-ins/{id}/redeem", "/devices", "/devices/{device}/phone-sign-in", "/session",
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
