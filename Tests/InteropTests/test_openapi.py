"""The OpenAPI document describes the running gateway: generated requests meet no status, media type or shape that it does not have.

Every operation is called with data that fits the document and with data that does not, as whoever may call it. A stack of its own:
what is generated creates, changes and deletes.
"""

import base64
import json

import hypothesis
import pytest
import schemathesis
import yaml
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from conftest import Someone
from stack import ROOT, Stack

DOCUMENT = ROOT / "docs/openapi.yaml"
EXAMPLES = 40
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, response_headers_conformance]


@schemathesis.serializer("application/x-ndjson", "text/csv")
def lines(_context, value):
    return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value).encode()


def test_the_document_is_valid():
    validate(yaml.safe_load(DOCUMENT.read_text()))


@pytest.fixture(scope="module")
def generated_stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("openapi") / "var").start()
    yield stack
    assert stack.stop() == 0


@pytest.fixture(scope="module")
def callers(generated_stack):
    """How each kind of caller of the document's `security` authenticates itself."""
    demo = generated_stack.demo()
    someone = Someone(demo)
    operator = (generated_stack.var / "keys/operator.token").read_text().strip()
    client = base64.b64encode(f"{demo['client']['id']}:{demo['client']['secret']}".encode()).decode()

    def headers(case):
        schemes = {name for choice in case.operation.definition.raw.get("security", []) for name in choice}
        if case.path == "/v1/tenants":
            return {"Authorization": "Bearer " + operator}
        if "/admin/" in case.path:
            return {"Authorization": "Bearer " + demo["admin"]["token"]}
        if "clientBasic" in schemes:
            return {"Authorization": "Basic " + client}
        if "deviceProof" in schemes:
            url = demo["base"] + case.formatted_path
            return {"Authorization": "DeviceProof " + someone.phone.proof(case.method, url, None)}
        return {}

    return demo, headers, someone.browser.http.cookies


schema = schemathesis.openapi.from_path(DOCUMENT)
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_operation_answers_as_the_document_says(case, callers):
    demo, headers, cookies = callers
    # Most requests are for a tenant that exists; the others meet 404.
    if len(str(case.path_parameters.get("tenant", ""))) % 4:
        case.path_parameters["tenant"] = demo["tenant"]
    session = "/me" in case.path or case.path.endswith("/session/complete")
    response = case.call(
        base_url=demo["base"], headers={**headers(case), **(case.headers or {})}, cookies=dict(cookies) if session else None, timeout=40
    )
    case.validate_response(response, checks=CHECKS)
