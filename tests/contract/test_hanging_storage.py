"""If storage accepts requests but does not answer, HTTP calls end in time and say what may have happened."""

import asyncio
import json
import re
import time
from functools import partial

import pytest

from functions.http import endpoint
from shared.jobs.submission.submit import Submission
from shared.settings import Settings
from shared.wiring import App
from tests.unit.functions.http.http_calls import DECLARED, KEY, Caller, short
from tests.unit.known_sources import parse_spec

CATS = {"keywords": ["cat"]}
SERVICES = ["blob", "queue", "table"]
ANSWER_WITHOUT_STORAGE = {
    "dashboard_file",
    "describe_api",
    "health_full",
    "health_live",
    "health_ready",
    "list_insights",
    "get_insight",
    "page_file",
    "show_dashboard",
    "show_docs",
    "show_redoc",
    "show_report",
}
BODIES = {
    "submit_job": CATS,
    "create_user": {"name": "Ann"},
    "change_user": {"tier": "pro"},
    "create_key": {"name": "laptop", "scopes": ["read"]},
}


@pytest.fixture
async def app(proxied_connection, unique, monkeypatch):
    made = App(Settings(storage_connection=proxied_connection, admin_api_key=KEY, datasets_container=unique))
    monkeypatch.setattr(endpoint, "app", lambda: made)
    assert made.answer_within_seconds < 9
    yield made
    for store in (made.blobs, made.entities, made.queues):
        await store.close()


@pytest.fixture
def caller(app):
    return Caller(app)


def _hang(app, proxies, names, seconds=0.5):
    app.answer_within_seconds = seconds
    for name in names:
        proxies[name].stalling = True


def _recover(app, proxies):
    app.answer_within_seconds = App.answer_within_seconds
    for proxy in proxies.values():
        proxy.stalling = False


@pytest.mark.parametrize("name", sorted(DECLARED.keys() - ANSWER_WITHOUT_STORAGE))
async def test_every_call_ends_in_a_clear_503_while_storage_hangs(app, caller, proxies, name, request):
    declared = DECLARED[name]
    if declared.within_seconds is not None:
        # it is frozen, and longer than a test should wait
        restore = partial(object.__setattr__, declared, "within_seconds", declared.within_seconds)
        request.addfinalizer(restore)
        object.__setattr__(declared, "within_seconds", 0.5)
    _hang(app, proxies, SERVICES)
    begun = time.monotonic()
    path = re.sub(r"\{\w+\}", "something", short(declared.path))
    body = json.dumps(BODIES.get(name, {})).encode()
    query = "datasets=keep" if name == "delete_user" else ""
    answered = await caller.call(declared.method, path, query, body, {})
    assert time.monotonic() - begun < 7
    assert (answered.status, answered.body["code"]) == (503, "unavailable")
    assert answered.body["detail"].startswith("Storage did not answer in time. ")
    assert answered.headers["Retry-After"] == "5"
    assert answered.body["detail"].endswith(declared.when_late)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_submission_that_may_have_taken_effect_is_safe_to_repeat(
    app, caller, proxies, unique, service
):
    spec = CATS | {"name": unique}
    assert (await caller.post("jobs", CATS)).status == 201  # so that the containers, tables and queues exist
    proxies[service].stalled.clear()
    _hang(app, proxies, [service], seconds=3.0)
    late = await caller.post("jobs", spec, Idempotency_Key=unique)
    assert (late.status, proxies[service].stalled.is_set()) == (503, True)
    assert "Idempotency-Key" in late.body["detail"]
    _recover(app, proxies)
    again = await caller.post("jobs", spec, Idempotency_Key=unique)
    replayed = again.headers.get("Idempotency-Replayed")
    assert (again.status, replayed) == ((200, "true") if service == "queue" else (201, None))
    assert [
        job["id"] for job in (await caller.get("jobs", "limit=100")).body["items"] if job["name"] == unique
    ] == [again.body["id"]]


async def test_a_cancel_that_hangs_is_done_when_it_is_repeated(app, caller, proxies):
    job = (await caller.post("jobs", CATS)).body["id"]
    _hang(app, proxies, ["table"], seconds=0.3)
    assert (await caller.post(f"jobs/{job}/cancel")).status == 503
    _recover(app, proxies)
    answers = await asyncio.gather(*(caller.post(f"jobs/{job}/cancel") for _ in range(2)))
    assert [(answer.status, answer.body["state"]) for answer in answers] == [(200, "cancelled")] * 2


async def test_jobs_are_listed_newest_first_in_storage_too(app, caller, unique):
    ids = [f"{first}-{unique}" for first in ("zz", "AA", "00")]
    for job_id in ids:
        assert await app.submit.run(_submission(job_id))
    listed, query = [], "limit=2"
    while query:
        page = await caller.get("jobs", query)
        listed += [job["id"] for job in page.body["items"] if job["id"].endswith(unique)]
        _, _, query = (page.body["next"] or "").partition("?")
    assert listed == ids[::-1]


def _submission(job_id):
    return Submission("admin", parse_spec(CATS), job_id=job_id)
