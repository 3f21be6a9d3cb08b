"""Large bodies are decoded in a thread, in a time that is proportional to their size."""

import asyncio
import json
import threading

import azure.functions as func
import pytest

from functions.http.call import Call
from shared.errors import FieldError, InvalidRequest
from shared.jobs.job.store import JobStore
from shared.jobs.spec.spec import MAX_SPEC_BYTES, JobSpec
from shared.telemetry.correlation import operation
from shared.text.strict_json import MAX_NAMES
from shared.users.caller import Caller
from tests.unit.known_sources import parse_spec

LONG_LIST = {
    "sources": [
        {"type": "urls", "items": [f"http://images.example/{number}.jpg" for number in range(20_000)]}
    ]
}
FEW = {"keywords": ["cat"]}


async def _read(app, body, parse):
    request = func.HttpRequest(method="POST", url="http://localhost/", body=body)
    with operation("test") as current:
        return await Call(request, app, Caller.anonymous(), current, {}, "").read(parse)


@pytest.mark.parametrize(("spec", "in_thread"), [(FEW, False), (LONG_LIST, True)])
async def test_a_large_body_is_decoded_in_a_thread_and_a_small_one_is_not(app, spec, in_thread):
    def parse(data):
        return threading.current_thread() is not threading.main_thread(), parse_spec(data)

    assert await _read(app, json.dumps(spec).encode(), parse) == (in_thread, parse_spec(spec))


async def test_a_large_body_has_the_same_errors_as_a_small_one(app):
    padding = " " * 200_000
    for text in ('{"keywords": 1}', '{"a": 1, "a": 2}', "[", '{"name": "\\ud83d"}'):
        with pytest.raises(InvalidRequest) as small:
            await _read(app, text.encode(), parse_spec)
        with pytest.raises(InvalidRequest) as large:
            await _read(app, (text + padding).encode(), parse_spec)
        assert large.value.fields == small.value.fields
    with pytest.raises(InvalidRequest, match="must have at most"):
        await _read(app, b" " * (MAX_SPEC_BYTES + 1), parse_spec)


async def test_a_large_stored_spec_is_decoded_in_a_thread(app, monkeypatch):
    threads = []
    threaded = asyncio.to_thread

    async def noting(function, *given, **named):
        threads.append(function)
        return await threaded(function, *given, **named)

    monkeypatch.setattr(asyncio, "to_thread", noting)
    store: JobStore = app.job_data.jobs
    for number, spec in enumerate((FEW, LONG_LIST)):
        wanted = parse_spec(spec)
        await app.blobs.put(
            f"work/job_j{number}/spec.json", wanted.model_dump_json(exclude_defaults=True).encode()
        )
        assert isinstance(found := await store.spec(f"j{number}"), JobSpec)
        assert found == wanted
        assert len(threads) == number


def _unknown(number):
    return {f"k{at}": 1 for at in range(number)}


@pytest.mark.parametrize(
    ("place", "wrap"),
    [
        ("", lambda names: names),
        ("filters", lambda names: {**FEW, "filters": names}),
        ("splits", lambda names: {**FEW, "splits": names}),
        ("labels", lambda names: {"labels": names}),
        ("sources.0", lambda names: {"sources": [names]}),
        ("sources.0.items.0", lambda names: {"sources": [{"type": "urls", "items": [names]}]}),
    ],
)
async def test_an_object_of_a_hundred_thousand_names_is_refused_for_its_number_of_names(caller, place, wrap):
    answered = await caller.post("jobs", wrap(_unknown(100_000)))
    message = f"has 100,000 names; it must have at most {MAX_NAMES:,}"
    assert (answered.status, answered.errors) == (400, [(place, message)])


async def test_an_object_with_the_largest_number_of_names_is_checked_field_by_field(caller):
    answered = await caller.post("jobs", {**FEW, "filters": _unknown(MAX_NAMES)})
    assert answered.errors[0] == ("filters.k0", "is not a known field")
    assert FieldError(*answered.errors[-1]).field == "filters.k19"
