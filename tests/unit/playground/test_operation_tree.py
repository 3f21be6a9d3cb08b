"""The tree of an operation holds every item under its parent, and what is amiss in it is found."""

from collections.abc import Mapping
from typing import Any

import pytest

from playground.operation_tree import faults_of_job, job_tree, lines_of, orphans, read_item

TRACE = "a" * 32
JOB = {"job_id": "j1", "correlation_id": "mine"}


def envelope(
    base_type: str, moment: int, base: Mapping[str, Any], parent: str = "", trace: str = TRACE
) -> dict[str, Any]:
    tags = {"ai.operation.id": trace} if trace else {}
    if parent:
        tags["ai.operation.parentId"] = parent
    return {
        "time": f"2026-01-01T00:00:{moment:02}.000000Z",
        "tags": tags,
        "data": {"baseType": base_type, "baseData": base},
    }


def request(span: str, trace: str = TRACE) -> dict[str, Any]:
    base = {
        "id": span,
        "name": "submit_job",
        "duration": "0.00:00:00.034",
        "success": True,
        "responseCode": "201",
    }
    return envelope("RequestData", 1, base, trace=trace)


def span(name: str, own: str, parent: str, moment: int, *, success: bool = True) -> dict[str, Any]:
    base = {
        "id": own,
        "name": name,
        "type": "InProc",
        "duration": "0.00:01:02.500",
        "success": success,
        "properties": JOB,
    }
    return envelope("RemoteDependencyData", moment, base, parent)


def event(
    name: str, parent: str, moment: int, properties: Mapping[str, str] = JOB, trace: str = TRACE
) -> dict[str, Any]:
    return envelope("EventData", moment, {"name": name, "properties": properties}, parent, trace)


def metric(value: float, parent: str, moment: int) -> dict[str, Any]:
    base = {
        "metrics": [{"name": "images_processed", "value": value}],
        "properties": {**JOB, "status": "kept"},
    }
    return envelope("MetricData", moment, base, parent)


@pytest.fixture
def whole() -> list[dict[str, Any]]:
    """Children arrive before their parents, as spans are reported at their end."""
    return [
        event("user_action", "s1", 2, {**JOB, "action": "submit_job"}),
        metric(24, "s3", 5),
        metric(8, "s3", 6),
        span("crawl_chunk", "s3", "s2", 4),
        event("job_failed", "s4", 9, {**JOB, "reason": "no_images"}),
        span("archive_dataset", "s4", "s3", 8, success=False),
        span("discover_job", "s2", "s1", 3),
        request("s1"),
        event("application_started", "", 1, {}, trace=""),
    ]


def test_the_items_of_a_job_are_one_tree(whole: list[dict[str, Any]]) -> None:
    assert list(lines_of(job_tree(whole, "j1"))) == [
        "request submit_job                               201  0.034 s",
        "├─ event user_action                             submit_job",
        "└─ span discover_job                             62.500 s",
        "   └─ span crawl_chunk                           62.500 s",
        "      ├─ metric images_processed                 2 times",
        "      └─ span archive_dataset                    62.500 s  FAILED",
        "         └─ event job_failed                     no_images",
    ]
    assert not orphans(whole)
    assert not faults_of_job(whole, "j1", "mine")


def test_a_line_fits_a_terminal() -> None:
    error = {"exceptions": [{"typeName": "shared.errors.Permanent", "message": "a" * 200}]}
    items = [request("s1"), envelope("ExceptionData", 2, {**error, "properties": JOB}, "s1")]
    lines = list(lines_of(job_tree(items, "j1")))
    assert lines[1].startswith("└─ exception Permanent ")
    assert {len(line) <= 79 for line in lines} == {True}


@pytest.mark.parametrize("lost", range(8))
def test_an_item_whose_parent_is_not_there_is_found(whole: list[dict[str, Any]], lost: int) -> None:
    [gone] = [read_item(whole.pop(lost))]
    below = [item for item in map(read_item, whole) if item.parent_id == gone.span_id and gone.span_id]
    assert len(orphans(whole)) == len(below)
    assert bool(faults_of_job(whole, "j1", "mine")) == bool(below)


def test_an_item_of_an_operation_that_names_no_parent_is_found(whole: list[dict[str, Any]]) -> None:
    assert orphans([*whole, event("x", "", 7)]) == [f"event x of operation {TRACE}: there is no parent named"]


def test_a_span_that_arrives_twice_is_found(whole: list[dict[str, Any]]) -> None:
    assert orphans([*whole, request("s1", trace="b" * 32)]) == ["the span s1 arrived more than once"]


def test_an_item_without_the_jobs_correlation_id_is_found(whole: list[dict[str, Any]]) -> None:
    for properties in ({}, {"correlation_id": "another's"}):
        [fault] = faults_of_job([*whole, event("x", "s1", 7, properties)], "j1", "mine")
        assert fault.startswith("event x has the correlation id ")


def test_a_job_of_two_operations_is_found(whole: list[dict[str, Any]]) -> None:
    other = event("job_completed", "t1", 7, trace="b" * 32)
    assert faults_of_job([*whole, request("t1", trace="b" * 32), other], "j1", "mine") == [
        f"the items of the job have 2 operations, not one: {TRACE}, {'b' * 32}"
    ]
    with pytest.raises(LookupError):
        job_tree([*whole, request("t1", trace="b" * 32), other], "j1")


def test_a_run_that_the_host_does_not_report_is_found(whole: list[dict[str, Any]]) -> None:
    run = span("submit_job", "s9", "s1", 5)
    run["data"]["baseData"]["properties"] = {**JOB, "host_operation_id": "b" * 32}
    assert orphans([*whole, run]) == [f"span submit_job: the host has no request in the operation {'b' * 32}"]
    assert not orphans([*whole, run, request("t1", trace="b" * 32)])
