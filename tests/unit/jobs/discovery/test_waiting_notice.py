"""A job that waits for its sources says for which, until when and why; and no more as soon as it goes on."""

from datetime import timedelta

import pytest

from functions.http.answers import JobAnswer
from shared.errors import Permanent, RateLimited, Unavailable
from shared.jobs.discovery.visits import StreamVisits
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.rows import Progress

SPEC = {"keywords": ["a"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}
OUT = Unavailable("images.example could not be reached (ConnectionRefusedError).")


class Watched:
    """Notes what the API tells of the job whenever discovery sleeps, and at the end of each of its slices."""

    def __init__(self, flow):
        self.flow = flow
        self.job = None
        self.seen = []
        self.slept = []
        flow.discover._sleep = self.sleep

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await self.look()
        self.flow.clock.advance(seconds)

    async def shown(self):
        job = await self.flow.job(self.job)
        report = await self.flow.ledger.report(job.id)
        return JobAnswer.of(job, Progress(), report=report).notice

    async def look(self):
        self.seen.append(await self.shown())

    async def discover(self, spec=SPEC):
        """Discover to the end; the delays of continuations pass."""
        self.job = await self.flow.send(spec)
        send = self.flow.queues.send

        async def noting(queue, text, *, delay_seconds=0.0):
            await send(queue, text, delay_seconds=delay_seconds)
            if queue == JOBS_QUEUE:
                self.slept.append(delay_seconds)
                await self.look()
                self.flow.clock.advance(delay_seconds)

        self.flow.queues.send = noting
        while messages := self.flow.queues.take(JOBS_QUEUE):
            for text in messages:
                await self.flow.handle(JOBS_QUEUE, text)
        return self.seen


@pytest.fixture
def watched(flow):
    return Watched(flow)


def _at(watched, seconds):
    return f"{watched.flow.clock.moment + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("seconds", [5, 30, 31, 600])
async def test_a_source_that_asks_to_wait_is_told_with_its_time_and_reason(watched, seconds):
    watched.flow.source.errors = [RateLimited("images.example asks to wait.", seconds)]
    until = _at(watched, seconds)
    told = await watched.discover()
    assert told == [f"Waiting: fake is asked again at {until}: images.example asks to wait."]
    assert await watched.shown() is None


async def test_a_source_that_cannot_be_reached_is_told_with_each_try_until_it_is_given_up(watched):
    watched.flow.source.errors = [OUT] * 5
    times = [_at(watched, seconds) for seconds in (10, 30, 70, 150)]
    told = await watched.discover()
    assert watched.slept == [10, 20, 40, 80]
    assert told == [
        f"Waiting: fake is asked again at {until}: it failed {number} of 5 times. {OUT.detail}"
        for number, until in enumerate(times, 1)
    ]
    assert await watched.shown() is None
    found = await watched.flow.job(watched.job)
    assert (found.state, OUT.detail in found.failure.detail) == (State.FAILED, True)


async def test_a_source_that_answers_again_is_no_longer_told(watched, monkeypatch):
    """Also before the job has saved anything else."""
    watched.flow.source.errors = [OUT, OUT]
    shown = []
    visit = StreamVisits.visit

    async def noting(*args):
        wait_seconds = await visit(*args)
        if not wait_seconds:
            shown.append(await watched.shown())
        return wait_seconds

    monkeypatch.setattr(StreamVisits, "visit", noting)
    told = await watched.discover()
    assert len(told) == 2
    assert shown[0] is not None
    assert set(shown[2:]) == {None}


async def test_a_job_that_goes_on_in_another_slice_keeps_and_then_clears_what_it_tells(watched):
    watched.flow.source.errors = [RateLimited("wait", 100), RateLimited("wait", 100)]
    first, second = _at(watched, 100), _at(watched, 200)
    told = await watched.discover()
    assert watched.slept == [100, 100]
    assert told == [f"Waiting: fake is asked again at {until}: wait" for until in (first, second)]
    assert await watched.shown() is None


async def test_a_wait_that_is_over_at_once_is_not_told_and_costs_no_write(watched):
    watched.flow.source.errors = [RateLimited("a moment", 1.0)] * 3
    assert await watched.discover() == [None] * 3


async def test_many_queries_of_one_source_that_wait_are_told_as_one(watched):
    spec = {**SPEC, "keywords": [f"k{number}" for number in range(40)]}
    watched.flow.source.errors = [RateLimited("wait", 20)] * 40
    before = watched.flow.weather.calls["apply"]
    told = await watched.discover(spec)
    assert len(set(told)) == 1
    assert told[0].count("fake") == 1
    assert watched.flow.weather.calls["apply"] - before < 120


async def test_sources_that_wait_for_different_reasons_are_told_by_turn_and_at_most_three(watched):
    spec = {**SPEC, "keywords": list("abcde")}
    errors = [RateLimited(f"reason {number}", 25 - number) for number in range(5)]
    watched.flow.source.errors = errors
    told = (await watched.discover(spec))[0]
    assert [told.index(f"reason {number}") for number in (4, 3, 2)] == sorted(
        told.index(f"reason {number}") for number in (4, 3, 2)
    )
    assert told.endswith("And 2 more.")


@pytest.mark.parametrize("detail", ["a\nb", "x" * 5000, "😀" * 3000, "a\ud83d", "a\u202eb"])
async def test_any_reason_is_told_as_one_valid_line(watched, detail):
    watched.flow.source.errors = [RateLimited(detail, 25)]
    [told] = await watched.discover()
    assert told.isprintable()
    assert len(told.encode("utf-16-le")) <= 2000


async def test_only_a_job_that_discovers_tells_of_waits(watched):
    watched.flow.source.errors = [RateLimited("wait", 100)]
    job = watched.job = await watched.flow.send(SPEC)
    await watched.flow.handle(JOBS_QUEUE, watched.flow.queues.take(JOBS_QUEUE)[0])
    assert "wait" in await watched.shown()
    await watched.flow.cancel(job)
    assert (await watched.shown()).startswith("Cancelled")


async def test_what_will_never_answer_is_a_problem_and_no_wait(watched):
    watched.flow.source.errors = [Permanent("the key is refused")]
    assert await watched.discover() == []


async def test_a_slice_that_meets_no_wait_clears_what_the_one_before_told(watched, monkeypatch):
    """At its first page, and not only where it saves a chunk or ends."""
    watched.flow.source.errors = [RateLimited("wait", 100)]
    watched.job = await watched.flow.send({**SPEC, "sources": [{"type": "fake", "total": 15, "page": 5}]})
    await watched.flow.handle(JOBS_QUEUE, watched.flow.queues.take(JOBS_QUEUE)[0])
    watched.flow.clock.advance(100)
    shown = []
    visit = StreamVisits.visit

    async def noting(*args):
        shown.append(await watched.shown())
        return await visit(*args)

    monkeypatch.setattr(StreamVisits, "visit", noting)
    await watched.flow.handle(JOBS_QUEUE, watched.flow.queues.take(JOBS_QUEUE)[0])
    assert [text is None for text in shown] == [False, True, True]


async def test_queries_that_wait_for_one_reason_at_different_times_are_told_with_the_next_time(watched):
    watched.flow.source.errors = [RateLimited("wait", 20), RateLimited("wait", 25), RateLimited("wait", 20)]
    times = [_at(watched, seconds) for seconds in (20, 25, 40)]
    told = await watched.discover({**SPEC, "keywords": ["a", "b"]})
    assert told[:2] == [f"Waiting: fake is asked again at {until}: wait" for until in times[:2]]


@pytest.mark.parametrize("seconds", [25, 100])
async def test_whatever_is_waited_for_is_told_before_the_wait(watched, seconds):
    """Also what came within the two seconds in which nothing more is written."""
    watched.flow.source.errors = [RateLimited("one", seconds), RateLimited("two", seconds + 1)]
    told = await watched.discover({**SPEC, "keywords": ["a", "b"]})
    assert "one" in told[0]
    assert "two" in told[0]
