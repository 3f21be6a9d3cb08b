"""Reading a job takes a few small reads of tables, however much its discovery has saved."""

import random
from collections import Counter

import pytest

from shared.jobs.job.job import Failure
from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import Addition
from shared.jobs.ledger.discovery import DiscoveryState, StreamState
from shared.jobs.ledger.report import DiscoveryReport
from shared.jobs.ledger.rows import DiscoveryRow
from tests.unit.manual_clock import ManualClock

STREAMS = 60_000
MOST_PROBLEMS = tuple(f"{number:02} " + '"' * 297 for number in range(20))
STEPS = {
    State.DISCOVERING: (State.DISCOVERING,),
    State.CRAWLING: (State.DISCOVERING, State.CRAWLING),
    State.COMPLETED: (State.DISCOVERING, State.CRAWLING, State.ARCHIVING, State.COMPLETED),
    State.CANCELLED: (State.CANCELLED,),
    State.FAILED: (State.FAILED,),
}


class _Counting:
    """A store that counts calls by method, and the bytes that reads return."""

    def __init__(self, store):
        self._store = store
        self.calls: Counter[str] = Counter()
        self.bytes_read = 0

    def __getattr__(self, name):
        method = getattr(self._store, name)

        async def stream(*args, **kwargs):
            self.calls[name] += 1
            async for row in method(*args, **kwargs):
                self.bytes_read += _size(row)
                yield row

        async def call(*args, **kwargs):
            self.calls[name] += 1
            result = await method(*args, **kwargs)
            self.bytes_read += _size(result)
            return result

        return stream if name in ("query", "list", "stream") else call


def _size(result):
    return len(result) if isinstance(result, bytes) else len(repr(result).encode("utf-16-le"))


@pytest.fixture
def counted(app):
    """The app's tables and blobs. Time stands still, as a new minute of the rate limit would cost a write."""
    stores = _Counting(app.entities), _Counting(app.blobs)
    vars(app).update(entities=stores[0], blobs=stores[1], clock=ManualClock())
    return stores


async def _save_discovery(app, job, streams, problems):
    """Save a state of discovery with so many queries, whose cursors do not compress."""
    chance = random.Random(1)
    cursors = {f"0:{at}": StreamState(cursor=chance.randbytes(40).hex()) for at in range(streams)}
    states = app.job_data.discovery
    encoded = await states.encode(job.id, DiscoveryState(streams=cursors), "nonce")
    report = DiscoveryReport(problem_count=10**6, problems=problems, notice="x" * 1000)
    await app.job_data.ledger.add(job.id, Addition(), DiscoveryRow(encoded, report), app.clock.now())


@pytest.mark.parametrize("state", list(STEPS))
async def test_the_reads_of_a_job_do_not_grow_with_the_state_of_its_discovery(app, caller, counted, state):
    costs = []
    for streams, problems in ((1, ()), (STREAMS, MOST_PROBLEMS)):
        made = (await caller.post("jobs", {"keywords": ["cat"]})).body
        job = await app.job_data.jobs.require("admin", made["id"])
        await _save_discovery(app, job, streams, problems)
        for following in STEPS[state]:
            failure = Failure("discovery_failed", "It failed.") if following is State.FAILED else None
            job = await app.job_data.jobs.save(job.moved(following, app.clock.now(), failure))
        for store in counted:
            store.calls.clear()
            store.bytes_read = 0
        shown = (await caller.get(f"jobs/{job.id}")).body
        assert (shown["state"], shown["problem_count"]) == (state, 10**6)
        assert shown["problems"] == list(problems)
        costs.append([(store.calls.copy(), store.bytes_read) for store in counted])
    (few, small), (same, large) = [tables for tables, _ in costs]
    assert few == same
    assert few.total() <= 5
    assert large - small < 40_000  # twenty problems of 300 characters, in UTF-16
    (few, small), (same, large) = [blobs for _, blobs in costs]
    assert few == same
    assert "get" not in same
    assert abs(large - small) < 100  # times are written in different lengths
