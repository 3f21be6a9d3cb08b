"""The watchdog's signals about a job belong to the job's operation, not to the watchdog's."""

import pytest

from shared.errors import Permanent, Unavailable
from shared.jobs.flow.watchdog import WatchdogConfig
from shared.telemetry.correlation import Origin, current_operation, operation
from tests.expect import present
from tests.unit.jobs.simulation import QUEUES, Flow

POST = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
TIMER = "00-" + "e" * 32 + "-" + "f" * 16 + "-01"
SPEC = {"keywords": ["a"], "sources": [{"type": "fake"}], "webhook_url": "https://hooks.example/x"}


@pytest.fixture
def reported(monkeypatch):
    """A flow, and each exception that it reports, with its operation and its properties."""
    flow, found = Flow(), []

    def note(error, properties):
        found.append((error, present(current_operation()), properties))

    monkeypatch.setattr(flow.telemetry, "exception", note)
    return flow, found


async def _watch(flow):
    with operation("watchdog", traceparent=TIMER, correlation_id="of-the-timer"):
        await flow.watchdog.run(flow.deadline())


@pytest.mark.parametrize(
    ("error", "origin"),
    [
        (Permanent("The queue is not there."), Origin(POST, "mine")),
        # storage that does not answer is not asked for the job once more
        (Unavailable("Storage did not answer."), Origin(TIMER, "of-the-timer")),
    ],
)
async def test_an_error_of_a_job_is_an_item_of_the_job(reported, monkeypatch, error, origin):
    flow, found = reported
    with operation("submit_job", traceparent=POST, correlation_id="mine"):
        job = await flow.send(SPEC)
    flow.clock.advance(10_000)

    async def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(flow.queues, "send", fail)
    await _watch(flow)
    [(raised, current, properties)] = found
    assert raised is error
    assert (current.origin, current.job_id) == (origin, job.id)
    assert properties["operation"] == "watchdog"


async def test_a_webhook_that_the_watchdog_gives_up_is_reported_as_one_that_fails(reported):
    flow, found = reported
    with operation("submit_job", traceparent=POST, correlation_id="mine"):
        job = await flow.send(SPEC)
    await flow.cancel(job)
    for _ in range(WatchdogConfig().max_nudges + 2):
        for queue in QUEUES:  # every message is lost
            flow.queues.take(queue)
        flow.clock.advance(10_000_000)
        await _watch(flow)
    [(error, current, properties)] = found
    assert str(error) == "The job's end could not be announced to its webhook."
    assert (current.trace_id, current.correlation_id) == ("a" * 32, "mine")
    assert (properties["operation"], properties["job_id"]) == ("webhook", job.id)
