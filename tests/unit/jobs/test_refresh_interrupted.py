"""Whichever write of a refresh fails or loses its answer, the refresh ends in the same way, without the watchdog."""

import hashlib

import pytest

from shared.jobs.job.states import State
from shared.jobs.submission.refresh import WantedRefresh
from shared.records.blob_names import revision_prefix
from shared.records.delivered import DIFF, RECORDS
from shared.users.caller import CallMark, TierName
from tests.unit.jobs.simulation import Flow
from tests.unit.jobs.test_lost_answers import _until_it_works, _work

SPEC = {
    "keywords": ["a"],
    "sources": [{"type": "fake", "total": 9}],
    "dedup": {"near_distance": None},
}
WANTED = WantedRefresh(CallMark("key", "values"))


async def _refresh(lost, *, after):
    """Refreshes a dataset while the write with the number `lost` fails; returns the flow and what was made."""
    flow = Flow(window=2, chunk_size=5)
    await flow.add_user("free", TierName.FREE)
    job = await flow.send(SPEC, "free")
    await _work(flow)
    assert (await flow.job(job)).state is State.COMPLETED
    flow.source.added, flow.source.removed = {"a": 3}, {"http://x/a/4"}
    flow.weather.writes_left, flow.weather.after = lost, after
    await _until_it_works(flow, lambda: flow.refresh.run("free", job.id, WANTED))
    await _work(flow)
    stored = await flow.job(job)
    assert (stored.state, stored.revision) == (State.COMPLETED, 2), (lost, stored.failure)
    dataset = await flow.catalog.require("free", job.id)
    prefix = revision_prefix(job.id, dataset.revision)
    files = [*dataset.blobs, f"{prefix}{RECORDS}", f"{prefix}{DIFF}"]
    digests = [hashlib.sha256(await flow.blobs.get(name)).hexdigest() for name in files]
    return flow, (dataset.diff, digests, await flow.usage.look_up("free", flow.clock.now()))


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
async def test_whichever_write_of_a_refresh_fails_it_ends_in_the_same_way(after):
    _, expected = await _refresh(-1, after=after)
    lost = 1
    while True:
        flow, found = await _refresh(lost, after=after)
        assert found == expected, lost
        if not flow.weather.deaths:
            break
        lost += 1
    assert lost > 20
