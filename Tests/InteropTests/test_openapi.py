"""The OpenAPI document describes the running gateway: generated requests meet no status, media type or shape that it does not have.

Every operation is called with data that fits the document and with data that does not, as whoever may call it. A stack of its own:
what is generated creates, changes and deletes.
"""

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

from stack import ROOT, Stack

from .generated_calls import GeneratedCalls

DOCUMENT = ROOT / "docs/openapi.yaml"
EXAMPLES = 32
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
def calls(generated_stack):
    return GeneratedCalls(generated_stack)


@pytest.fixture
def statuses():
    """Those of one operation. A request that nobody was asked for, or about nothing, shows little of it."""
    seen = set()
    yield seen
    assert seen - {401, 404}, f"nothing but {sorted(seen)}"


schema = schemathesis.openapi.from_path(DOCUMENT)
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_operation_answers_as_the_document_says(case, calls, statuses):
    response = calls.send(case)
    statuses.add(response.status_code)
    case.validate_response(response, checks=CHECKS)
