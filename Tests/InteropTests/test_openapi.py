"""The OpenAPI document is valid."""

import yaml
from openapi_spec_validator import validate

from stack import ROOT

DOCUMENT = ROOT / "docs/openapi.yaml"


def test_the_document_is_valid():
    validate(yaml.safe_load(DOCUMENT.read_text()))

