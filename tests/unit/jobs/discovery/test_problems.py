"""Problems of discovery are counted once, at whatever line a run dies."""

import pytest

from shared.errors import Unavailable
from shared.jobs.job.messages import JOBS_QUEUE

SPEC = {"keywords": ["a"], "sources": [{"type": "search", "total": 120, "page": 30}]}


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("tick", [0.0, 90.0])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, 18))
async def test_a_run_that_dies_at_any_write_counts_each_problem_once(flow, write, after, tick):
    flow.clock.tick = tick
    job = await flow.send(SPEC)
    flow.weather.writes_left, flow.weather.after = write, after
    while messages := flow.queues.take(JOBS_QUEUE):
        for text in messages:
            try:
                await flow.handle(JOBS_QUEUE, text)
            except Unavailable:
                flow.put_back(JOBS_QUEUE, text)
    assert flow.weather.deaths == 1
    report = await flow.ledger.report(job.id)
    assert (report.problem_count, report.problems) == (4, ("one 0", "one 30", "one 60", "one 90"))
