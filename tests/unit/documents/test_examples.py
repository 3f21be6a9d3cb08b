"""The short examples of specs in the text are true. The tests of all code blocks are in tests/documents."""

import json
import re

from shared.jobs.spec.spec import JobSpec
from tests.unit.documents.markdown import text_of
from tests.unit.known_sources import parse_spec

_CODE = re.compile(r"`(\{[^`]*\})`")
_SPEC_FIELDS = JobSpec.model_fields.keys()


def test_the_short_examples_of_specs_are_read() -> None:
    examples = [json.loads(text) for text in _CODE.findall(text_of("docs/reference/spec.md"))]
    specs = [example for example in examples if example.keys() <= _SPEC_FIELDS]
    assert specs
    for example in specs:
        parse_spec({"keywords": ["a"], **example})
