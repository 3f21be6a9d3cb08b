"""Jobs whose messages were lost, or that make no progress."""

import pytest

from shared.jobs.job.messages import (
    ARCHIVES_QUEUE,
    CHUNKS_QUEUE,
    JOBS_QUEUE,
)
from tests.unit.jobs.job_outcomes import SPEC, check_whole, outcome
from tests.unit.jobs.simulation import QUEUES


@pytest.mark.parametrize("lost", [JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE])
async def test_the_watchdog_sends_on_a_job_that_lost_its_message(flow, lost):
    job = await flow.send(SPEC)
    for _ in range(20):
        taken = [(q, text) for q in QUEUES for text in flow.queues.take(q)]
        if any(queue == lost for queue, _ in taken):
            break
        for queue, text in taken:
            await flow.handle(queue, text)
    assert await flow.watchdog.run(flow.deadline()) == 0  # too early
    flow.clock.advance(1000)
    assert await flow.watchdog.run(flow.deadline()) == 1
    await flow.run()
    check_whole(*(await outcome(flow, job))[:2])
    assert await flow.watchdog.run(flow.deadline()) == 0


async def test_the_watchdog_gives_up_on_a_job_that_never_moves(flow):
    job = await flow.send(SPEC)
    for _ in range(12):
        flow.queues.take(JOBS_QUEUE)
        flow.clock.advance(1000)
        await flow.watchdog.run(flow.deadline())
    assert (await flow.jobs.require("admin", job.id)).failure.code == "stalled"
