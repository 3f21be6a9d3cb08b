"""The reference has what the code declares: every field of a spec, and each parameter and error of a call."""

import re

from infra.site.reference import API_PAGE, link_calls, reference_pages
from shared.jobs.spec.spec import JobSpec
from tests.unit.documents.markdown import codes_in, rows_of, text_of
from tests.unit.documents.test_fields import fields_of
from tests.unit.functions.http.description.described import operations, resolved
from tests.unit.known_sources import KINDS

PAGES = reference_pages()
CALLS = {name: text for name, text in PAGES.items() if name.startswith("reference/http/")}


def test_the_page_of_a_spec_has_each_field_with_its_limits():
    rows = {
        codes_in(row[0])[0]: row[1:]
        for row in rows_of(PAGES["reference/spec-fields.md"].partition("\n## ")[0])
    }
    assert {name for name, _, _ in fields_of(JobSpec)} <= rows.keys()
    assert rows["max_images_per_label"] == ["whole number or `null`", "`null`", "1 to 1,000,000"]
    assert rows["transform.quality"] == ["whole number", "`92`", "1 to 100"]
    assert rows["seed"][2] == "at least 0"


def test_the_page_of_a_spec_has_each_source_that_it_may_name():
    text = PAGES["reference/spec-fields.md"]
    assert [name for name, kind in KINDS.items() if not kind.internal and f"### `{name}`" not in text] == []


def test_each_call_has_its_parameters_answers_and_errors():
    sections = {
        section.partition("{ #")[2].partition(" }")[0]: section
        for text in CALLS.values()
        for section in text.split("\n## ")[1:]
    }
    for _, _, operation in operations():
        rows = {
            codes_in(row[0])[0] if codes_in(row[0]) else row[0]
            for row in rows_of(sections[operation["operationId"]])
        }
        names = {resolved(parameter)["name"] for parameter in operation["parameters"]}
        assert names - {"X-Correlation-ID"} <= rows, operation["operationId"]
        errors = re.findall(
            r"(?<=[ ,])(\d{3}) `", sections[operation["operationId"]].partition("[Errors]")[2]
        )
        assert operation["responses"].keys() == (rows | set(errors)) & {*map(str, range(200, 600))}


def test_the_page_of_the_api_leads_to_each_call() -> None:
    found = link_calls(text_of(f"docs/{API_PAGE}"))
    links = re.findall(r"^\| \[`([^`]+)`\]\(http/([\w-]+\.md)#(\w+)\) \|", found, re.MULTILINE)
    served = {(f"{method} {path}", operation["operationId"]) for method, path, operation in operations()}
    assert {(name, anchor) for name, _, anchor in links} == served
    assert {f"reference/http/{page}" for _, page, _ in links} <= PAGES.keys()
