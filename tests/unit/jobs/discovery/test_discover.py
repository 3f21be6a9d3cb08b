"""Discovery that runs out of time, waits, fails, or finds nothing."""

from shared.errors import Permanent, RateLimited, Unavailable
from shared.jobs.job.messages import (
    JOBS_QUEUE,
)
from shared.jobs.job.states import State
from tests.unit.jobs.job_outcomes import SPEC, TOTAL, check_whole, outcome


async def test_discovery_goes_on_where_its_time_ended(flow):
    flow.clock.tick = 150.0  # each look at the clock takes a while: a slice has room for a few pages
    job = await flow.send(SPEC)
    await flow.run()
    check_whole(*(await outcome(flow, job))[:2])
    assert len(flow.queues.sent[JOBS_QUEUE]) > 1


async def test_a_source_that_asks_to_wait_is_waited_for(flow):
    """A short wait is slept. The first back-off of 10 seconds is the delay of a message."""
    flow.source.errors = [RateLimited("slow down", 5.0), Unavailable("hiccup")]
    job = await flow.send({**SPEC, "keywords": ["a"], "sources": [{"type": "fake", "total": TOTAL}]})
    slept = []

    async def sleep(seconds):
        slept.append((seconds, len(flow.source.errors)))
        flow.clock.advance(seconds)

    flow.discover._sleep = sleep
    await flow.run()
    assert slept == [(5.0, 1)]
    assert flow.clock.seconds == 15
    check_whole(*(await outcome(flow, job))[:2])


async def test_a_source_that_never_works_fails_the_job_with_its_reason(flow):
    flow.source.errors = [Permanent("the key is refused")] * 2
    job = await flow.send(SPEC)
    await flow.run()
    found = await flow.jobs.require("admin", job.id)
    assert found.state is State.FAILED
    assert "the key is refused" in found.failure.detail


async def test_a_job_that_finds_nothing_says_so(flow):
    job = await flow.send({**SPEC, "sources": [{"type": "fake", "total": 0}]})
    await flow.run()
    found = await flow.jobs.require("admin", job.id)
    assert (found.state, found.failure.code) == (State.FAILED, "no_images")
