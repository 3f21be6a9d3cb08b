"""The items that reach Application Insights, on a server with the real protocol."""

from typing import Any

import pytest

from shared.telemetry import signals
from shared.telemetry.azure_monitor.sampling import is_sampled
from shared.telemetry.correlation import operation
from shared.telemetry.telemetry import Dependency


class Reader:
    class Refused(Exception):
        pass


def fail(depth):
    if depth == 0:
        raise Reader.Refused("no")
    fail(depth - 1)


async def test_every_kind_arrives_with_its_operation(ingestion, client):
    sink = client(ingestion.url)
    with operation("crawl", correlation_id="c-1") as current:
        signals.job_completed(sink, job_id="j", images_count=3, duration_seconds=1.5)
        signals.datasets_archived(sink, count=2)
        signals.azure_blob_upload(sink, target="x.zip", duration_seconds=61.5, file_size_mb=2.0)
        try:
            int("boom")
        except ValueError as error:
            signals.failure(sink, error, operation="crawl", job_id="j")
    event, metric, dependency, exception = await ingestion.arrived(4)
    assert event["data"]["baseType"] == "EventData"
    assert event["data"]["baseData"]["name"] == "job_completed"
    assert event["data"]["baseData"]["measurements"] == {"images_processed": 3, "duration": 1.5}
    assert metric["data"]["baseData"]["metrics"][0]["value"] == 2
    assert dependency["data"]["baseData"]["duration"] == "0.00:01:01.500"
    assert dependency["data"]["baseData"]["type"] == "Azure Blob"
    assert dependency["data"]["baseData"]["success"] is True
    assert exception["data"]["baseData"]["exceptions"][0]["typeName"] == "ValueError"
    for item in ingestion.items:
        assert item["tags"]["ai.operation.id"] == current.trace_id
        assert item["tags"]["ai.operation.parentId"] == current.span_id
        assert item["tags"]["ai.cloud.role"] == "role"
        assert item["tags"]["ai.cloud.roleInstance"] == "here"
        assert item["data"]["baseData"]["properties"]["environment"] == "test"
        assert item["data"]["baseData"]["properties"]["correlation_id"] == "c-1"


async def test_dependencies_have_ids_of_their_own_and_say_whether_they_succeeded(ingestion, client):
    sink = client(ingestion.url)
    with operation("o") as current:
        for success in (True, False, True):
            sink.dependency(Dependency("call", "HTTP", "a.example", 0.25, success, result_code="418"))
        sink.dependency(
            Dependency("o", "InProc", "", 1.0, success=True, span_id=current.span_id, parent_id="")
        )
    calls = await ingestion.arrived(4)
    base = [item["data"]["baseData"] for item in calls]
    assert [call["success"] for call in base] == [True, False, True, True]
    assert [call["resultCode"] for call in base] == ["418", "418", "418", "0"]
    assert len({call["id"] for call in base}) == 4
    assert base[3]["id"] == current.span_id
    assert "ai.operation.parentId" not in calls[3]["tags"]


async def test_an_exception_carries_its_causes_and_its_frames(ingestion, client):
    sink = client(ingestion.url)
    try:
        try:
            fail(3)
        except Reader.Refused as refused:
            raise ExceptionGroup("two", [KeyError("k"), OSError("o")]) from refused
    except ExceptionGroup as error:
        signals.failure(sink, error, operation="read", dataset="d")
    [item] = await ingestion.arrived(1)
    base = item["data"]["baseData"]
    found = base["exceptions"]
    assert [(error["typeName"], error["id"], error["outerId"]) for error in found] == [
        ("ExceptionGroup", 1, 0),
        (f"{Reader.__module__}.Reader.Refused", 2, 1),
        ("KeyError", 3, 1),
        ("OSError", 4, 1),
    ]
    frames = found[1]["parsedStack"]
    assert [frame["level"] for frame in frames] == list(range(5))
    assert [frame["method"] for frame in frames] == ["fail"] * 4 + [
        "test_an_exception_carries_its_causes_and_its_frames"
    ]
    assert frames[0]["fileName"] == __file__
    assert frames[0]["line"] == fail.__code__.co_firstlineno + 2
    assert found[1]["hasFullStack"] is True
    assert base["properties"]["dataset"] == "d"
    assert base["properties"]["operation"] == "read"


async def test_a_deep_stack_is_cut_in_its_middle(ingestion, client):
    sink = client(ingestion.url)
    with pytest.raises(Reader.Refused) as caught:
        fail(500)
    sink.exception(caught.value, {})
    [item] = await ingestion.arrived(1)
    [error] = item["data"]["baseData"]["exceptions"]
    assert len(error["parsedStack"]) == 100
    assert error["hasFullStack"] is False


async def test_causes_in_a_circle_end(ingestion, client):
    sink = client(ingestion.url)
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    sink.exception(first, {})
    [item] = await ingestion.arrived(1)
    assert [error["message"] for error in item["data"]["baseData"]["exceptions"]] == ["1", "2"]


async def test_an_operation_is_sampled_as_a_whole_and_its_items_carry_the_rate(ingestion, client):
    sink = client(ingestion.url, rate=0.3)
    sampled = 0
    for _ in range(300):
        with operation("o") as current:
            sink.event("first", {})
            sink.event("second", {})
            sink.event("rare", {}, always=True)
            sink.metric("m", 1.0)
            sink.exception(ValueError("x"), {})
        sampled += is_sampled(current.trace_id, 0.3)
    await ingestion.arrived(900 + 2 * sampled)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for name, item in zip(ingestion.names, ingestion.items, strict=True):
        by_name.setdefault(name, []).append(item)
    for name in ("m", "rare", "ValueError"):
        assert len(by_name[name]) == 300
        assert {item["sampleRate"] for item in by_name[name]} == {100.0}
    ids = [{item["tags"]["ai.operation.id"] for item in by_name[name]} for name in ("first", "second")]
    assert ids[0] == ids[1]
    assert 40 < len(ids[0]) < 150
    assert {item["sampleRate"] for item in by_name["first"]} == {30.0}


async def test_outcomes_and_uploads_are_never_sampled(ingestion, client):
    sink = client(ingestion.url, rate=0)
    with operation("o"):
        signals.job_completed(sink, job_id="j", images_count=1, duration_seconds=1)
        signals.dataset_upload_started(sink, job_id="j", image_count=1, destination="d")
        signals.dataset_archived(sink, dataset="d", age_days=90, size_mb=1)
        sink.event("seen", {})
    await sink.flush(10)
    assert ingestion.names == ["job_completed", "dataset_upload_started", "dataset_archived"]


async def test_no_query_and_no_key_leaves(ingestion, client):
    sink = client(ingestion.url)
    secret = "https://me:pw@a.example/x.jpg?sig=abcdef&se=1"
    sink.event("e", {"url": secret, "text": "AccountKey=abc; authorization: Bearer tok"}, always=True)
    sink.exception(ValueError(f"cannot read {secret}"), {"detail": secret})
    sink.dependency(Dependency("call", "HTTP", secret, 1.0, success=False))
    await ingestion.arrived(3)
    text = str(ingestion.items)
    assert "a.example/x.jpg" in text
    assert not [word for word in ("abcdef", "pw@", "=abc;", "tok'") if word in text]
