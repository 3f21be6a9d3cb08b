"""Telemetry of the ends of jobs: one event each, in the job's trace, with a reason if there is no dataset."""

import contextlib
import itertools
import json

import pytest

from shared.errors import Permanent, Unavailable
from shared.jobs.job.messages import ARCHIVES_QUEUE
from shared.jobs.job.states import State
from shared.records.records import Reason
from shared.telemetry.correlation import Operation, current_operation, operation
from tests.expect import present
from tests.unit.jobs.simulation import Flow

POST = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
OTHER = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"
SPEC = {"keywords": ["cat"], "sources": [{"type": "fake", "total": 20}], "dedup": {"near_distance": None}}
# the tables and queues that a job writes to until it is complete
WRITTEN = {"apply jobs", "apply chunks", "apply datasets", "send crawl-chunks", "send dataset-archives"}
ENDS = ("job_completed", "job_failed", "job_cancelled")


class NotedFlow(Flow):
    """Records the operation in which each end of a job was reported."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation | None] = []


@pytest.fixture
def flow(monkeypatch):
    flow = NotedFlow()
    event = flow.telemetry.event

    def noted(name, *args, **kwargs):
        if name in ENDS:
            flow.operations.append(current_operation())
        event(name, *args, **kwargs)

    monkeypatch.setattr(flow.telemetry, "event", noted)
    return flow


async def _submit(flow):
    with operation("submit_job", traceparent=POST, correlation_id="mine"):
        return await flow.send(SPEC)


def _ends(flow):
    return [signal for signal in flow.telemetry.signals if signal.name in ENDS]


def _failures(flow):
    return [signal for signal in flow.telemetry.signals if signal.name == "JobFailed"]


async def test_a_job_that_completes_says_so_once_with_its_images_and_its_time(flow):
    job = await _submit(flow)
    flow.clock.advance(12)
    await flow.run(times=2)
    [end] = _ends(flow)
    assert end.name == "job_completed"
    assert end.measurements["images_processed"] == 18
    assert end.measurements["duration"] == (await flow.job(job)).duration_seconds >= 12
    assert end.always
    assert _failures(flow) == []


async def test_a_job_without_images_is_an_event_and_an_exception_with_its_reason(flow):
    flow.worker.reject = lambda _: Reason.CORRUPT
    job = await _submit(flow)
    await flow.run(times=2)
    [end] = _ends(flow)
    stored = await flow.job(job)
    assert end.name == "job_failed"
    assert end.always
    assert end.properties == {
        "job_id": job.id,
        "reason": "no_images",
        "images_count": 0,
        "duration_seconds": stored.duration_seconds,
    }
    assert end.measurements == {"images_processed": 0, "duration": stored.duration_seconds}
    [failure] = _failures(flow)
    assert failure.properties["job_id"] == job.id
    assert failure.properties["reason"] == "no_images"


async def test_the_error_behind_a_failure_is_its_cause(flow, monkeypatch):
    errors = []
    monkeypatch.setattr(flow.telemetry, "exception", lambda error, _: errors.append(error))
    flow.source.errors = [Permanent("The service is gone.")] * 100
    await _submit(flow)
    await flow.run()
    [error] = errors
    assert isinstance(error.__cause__, Permanent)
    assert _ends(flow)[0].properties["reason"] == "discovery_failed"


async def test_cancelled_twice_is_reported_once_with_the_images_so_far(flow):
    job = await _submit(flow)
    while not flow.queues.take(ARCHIVES_QUEUE):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    with operation("cancel_job", traceparent=OTHER):
        await flow.cancel(job)
        await flow.cancel(job)
    [end] = _ends(flow)
    assert (end.name, end.properties["reason"], end.properties["images_count"]) == (
        "job_cancelled",
        "requested",
        18,
    )
    assert _failures(flow) == []


@pytest.mark.parametrize("way", ["cancel", "watchdog"])
async def test_the_end_belongs_to_the_jobs_trace_also_if_the_watchdog_or_a_call_ends_the_job(flow, way):
    job = await _submit(flow)
    with operation("another", traceparent=OTHER, correlation_id="other"):
        if way == "cancel":
            await flow.cancel(job)
        else:
            await flow.transitions.fail(await flow.job(job), "stalled", "It stood still.")
        assert present(current_operation()).correlation_id == "other"
    [found] = flow.operations
    assert (found.trace_id, found.span_id, found.correlation_id, found.job_id, found.name) == (
        "a" * 32,
        "b" * 16,
        "mine",
        job.id,
        "another",
    )


async def test_a_count_that_cannot_be_read_does_not_keep_the_end_from_being_reported(flow, monkeypatch):
    job = await _submit(flow)

    async def away(_):
        raise Unavailable("Storage is away.")

    monkeypatch.setattr(flow.ledger, "progress", away)
    await flow.cancel(job)
    assert _ends(flow)[0].properties["images_count"] == 0
    assert (await flow.job(job)).state is State.CANCELLED


async def test_a_refused_message_is_a_failed_job_that_is_reported_once(flow):
    text = json.dumps({"keywords": ["cat"], "unknown": 1})
    for _ in range(2):
        await flow.intake.handle_job("m1", text, flow.deadline())
    [end] = _ends(flow)
    assert (end.name, end.properties["reason"]) == ("job_failed", "invalid_message")
    assert len(_failures(flow)) == 1
    assert flow.telemetry.signals[-1].name == "InvalidRequest"  # the host delivered it again


async def test_the_time_of_a_retry_begins_with_the_retry(flow):
    job = await _submit(flow)
    await flow.run()
    flow.clock.advance(1_000_000)
    await flow.retry.run("admin", job.id)
    flow.clock.advance(5)
    await flow.run()
    assert [end.name for end in _ends(flow)] == ["job_completed"] * 2
    assert 5 <= _ends(flow)[1].measurements["duration"] < 1000


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("way", ["complete", "cancel"])
async def test_an_end_is_reported_once_whichever_write_fails_before_or_after_it_took_effect(flow, way, after):
    for failed in itertools.count(1):
        job = await flow.send(SPEC)
        flow.weather.deaths, flow.weather.writes_left, flow.weather.after = 0, failed, after
        if way == "cancel":
            await _tried(flow.cancel, job)
        while not (await flow.job(job)).state.terminal:
            for queue, text in flow.take():
                await _tried(flow.handle, queue, text)
            flow.clock.advance(2000)
            await _tried(flow.watchdog.run, flow.deadline())
        assert [end.properties["job_id"] for end in _ends(flow)].count(job.id) == 1, failed
        if not flow.weather.deaths:
            break
    if way == "cancel":  # the job's new state, and the user's slot that becomes free
        assert flow.weather.failed == ["apply jobs", "apply jobs"]
    else:
        assert {write for write in flow.weather.failed if write.startswith(("apply", "send"))} == WRITTEN


async def _tried(work, *args):
    """Do what the host does with a message while storage fails."""
    for _ in range(3):
        with contextlib.suppress(Unavailable):
            return await work(*args)
    return None
