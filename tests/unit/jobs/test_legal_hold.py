"""A job whose dataset is under legal hold is not retried, and what it stored is not cleared."""

from dataclasses import replace

import pytest

from shared.errors import Conflict
from shared.records.records import Reason

SOURCE = {"type": "fake", "total": 30}
FAKE = {"keywords": ["a"], "sources": [SOURCE], "dedup": {"near_distance": None}}


def hold(*, held):
    return lambda stored: replace(stored, keeping=replace(stored.keeping, legal_hold=held))


async def run_with_a_failure(flow):
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index == 3 else None
    job = await flow.send(FAKE)
    await flow.run()
    flow.worker.reject = lambda _: None
    return job


async def test_a_retry_is_refused_until_the_hold_is_lifted(flow):
    job = await run_with_a_failure(flow)
    before = await flow.catalog.keep("admin", job.id, hold(held=True))
    with pytest.raises(Conflict, match="legal hold"):
        await flow.retry.run("admin", job.id)
    assert await flow.catalog.require("admin", job.id) == before
    await flow.catalog.keep("admin", job.id, hold(held=False))
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert (await flow.catalog.require("admin", job.id)).revision == 2


async def test_a_hold_that_comes_during_a_retry_keeps_the_files_of_both_revisions(flow):
    job = await run_with_a_failure(flow)
    before = await flow.catalog.require("admin", job.id)
    await flow.retry.run("admin", job.id)
    await flow.catalog.keep("admin", job.id, hold(held=True))
    await flow.run()
    after = await flow.catalog.require("admin", job.id)
    assert (after.revision, after.keeping.legal_hold) == (2, True)
    await flow.catalog.delete_other_revisions("admin", job.id, flow.clock.now())
    for blob in (*before.blobs, *after.blobs):
        assert await flow.blobs.info(blob)
