"""The `retry` link is shown only if a retry would begin, and a repeated submission is marked as one."""

from datetime import timedelta

import pytest

from shared.errors import Conflict
from shared.jobs.submission.submit import Submission
from shared.records.blob_names import work_prefix
from shared.records.records import Reason

SPEC = {"labels": {"cat": ["cat"]}, "sources": [{"type": "fake"}]}


async def _running(flow):
    return await flow.send(SPEC)


async def _refused(flow):
    await flow.intake.handle_job("m1", "{", flow.deadline())
    [job] = (await flow.jobs.page("admin")).items
    return job


async def _cancelled(flow):
    return await flow.cancel(await flow.send(SPEC))


async def _all_kept(flow):
    flow.worker.reject = lambda _: None
    job = await flow.send(SPEC)
    await flow.run()
    return job


async def _some_timed_out(flow):
    job = await flow.send(SPEC)
    await flow.run()
    return job


async def _nothing_kept(flow):
    flow.worker.reject = lambda _: Reason.CORRUPT
    return await _some_timed_out(flow)


async def _being_cleared(flow):
    job = await _some_timed_out(flow)
    assert await flow.jobs.begin_clearing(job.id, flow.clock.now() + timedelta(days=1))
    return job


async def _cleared(flow):
    job = await _being_cleared(flow)
    for name in [info.name async for info in flow.blobs.list(work_prefix(job.id))]:
        await flow.blobs.delete(name)
    await flow.ledger.erase(job.id)
    await flow.jobs.forget_work(job.id)
    return job


@pytest.mark.parametrize(
    ("end", "possible"),
    [
        (_running, False),
        (_refused, False),
        (_cancelled, True),
        (_all_kept, False),
        (_some_timed_out, True),
        (_nothing_kept, False),
        (_being_cleared, False),
        (_cleared, False),
    ],
)
async def test_a_retry_is_offered_exactly_where_it_would_begin(flow, end, possible):
    job = await flow.job(await end(flow))
    progress, report = await flow.ledger.progress(job.id), await flow.ledger.report(job.id)
    assert await flow.retry.is_possible(job, progress, report) is possible
    if possible:
        assert (await flow.retry.run("admin", job.id)).revision == 2
    else:
        with pytest.raises(Conflict):
            await flow.retry.run("admin", job.id)


async def test_a_repeated_submission_says_that_it_is_one(flow):
    submission = Submission("admin", flow.specs.parse(SPEC), key="k")
    first = await flow.submit.accept(submission)
    again = await flow.submit.accept(submission)
    assert (first.replayed, again.replayed, again.job.id) == (False, True, first.job.id)
    other = await flow.submit.accept(Submission("admin", flow.specs.parse(SPEC), key="l"))
    assert (other.replayed, other.job.id == first.job.id) == (False, False)
