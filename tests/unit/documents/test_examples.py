"""The examples in documents are true: specs are read, messages become jobs, answers have the fields of the code."""

import ast
import json
import re
from typing import Any

import pytest
from pydantic import TypeAdapter

from functions.http.models.answers import JobAnswer
from functions.http.problems import Problem
from shared.jobs.spec.spec import JobSpec
from shared.jobs.submission.image_list import parse_image_list
from shared.records.delivered import Delivered
from tests.unit.documents.markdown import documents, examples_in, text_of
from tests.unit.known_sources import decode_spec, parse_source, parse_spec

_BODY = re.compile(r"-d '([^']*)'")
_MESSAGE = re.compile(r"(\w+)\.send_message\(\s*'([^']*)'\s*\)")
_CODE = re.compile(r"`(\{[^`]*\})`")
_SPEC_FIELDS = JobSpec.model_fields.keys()
PAGES = [document for document in documents() if document == "README.md" or document.startswith("docs/")]


def objects_in(document: str) -> list[dict[str, Any]]:
    return [json.loads(text.replace("…", "")) for text in examples_in(document, "json")]


@pytest.mark.parametrize("document", PAGES)
def test_examples_in_json_are_json(document: str) -> None:
    assert all(isinstance(example, dict) for example in objects_in(document))


@pytest.mark.parametrize("document", PAGES)
def test_examples_in_python_can_be_parsed(document: str) -> None:
    for example in examples_in(document, "python"):
        ast.parse(example)


@pytest.mark.parametrize("document", ["docs/reference/spec.md", "docs/reference/sources.md"])
def test_the_examples_of_specs_are_read(document: str) -> None:
    examples = objects_in(document)
    assert examples
    assert all(parse_spec(example).name for example in examples)


@pytest.mark.parametrize("document", ["docs/reference/lists.md", "docs/reference/websites.md"])
def test_the_examples_of_sources_are_read(document: str) -> None:
    examples = objects_in(document)
    assert examples
    assert [parse_source(example).type for example in examples] == [example["type"] for example in examples]


def test_the_short_examples_of_specs_are_read() -> None:
    examples = [json.loads(text) for text in _CODE.findall(text_of("docs/reference/spec.md"))]
    specs = [example for example in examples if example.keys() <= _SPEC_FIELDS]
    assert specs
    for example in specs:
        parse_spec({"keywords": ["a"], **example})


@pytest.mark.parametrize("document", ["README.md", "docs/reference/api.md"])
def test_the_bodies_of_calls_are_specs(document: str) -> None:
    bodies = [body for example in examples_in(document, "console") for body in _BODY.findall(example)]
    assert bodies
    assert all(decode_spec(body).labels for body in bodies)


@pytest.mark.parametrize("document", ["README.md", "docs/reference/queues.md"])
def test_the_examples_of_messages_become_jobs(document: str) -> None:
    messages = [found for example in examples_in(document, "python") for found in _MESSAGE.findall(example)]
    assert messages
    for queue, text in messages:
        data = json.loads(text)
        if queue == "archives":
            assert parse_image_list(data).images
        else:
            del data["job_id"]
            assert parse_spec(data).labels


def test_the_examples_of_records_are_read() -> None:
    [kept, rejected] = objects_in("docs/reference/datasets.md")
    rows = [TypeAdapter(Delivered).validate_python(row) for row in (kept, rejected)]
    assert [row.kept for row in rows] == [True, False]


def test_the_examples_of_answers_have_exactly_the_fields_of_the_api() -> None:
    [job, problem] = objects_in("docs/reference/api.md")
    assert JobAnswer.model_validate(job).model_dump(mode="json") == job
    assert Problem.model_validate(problem).model_dump(mode="json", exclude_none=True) == problem
