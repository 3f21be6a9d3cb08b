"""While a job waits for its sources, the notice names them, the time and the reason.

It is cleared when the job goes on.
"""

from datetime import timedelta

import pytest

from functions.http.models.answers import JobAnswer
from shared.errors import Permanent, RateLimited, Unavailable
from shared.jobs.discovery.visits import StreamVisits
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.rows import Progress

SPEC = {"keywords": ["a"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}
OUT = Unavailable("images.example could not be reached (ConnectionRefusedError).")


class Watched:
    """Records the API's answer about the job whenever discovery sleeps, and at the end of each slice."""

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
        """Runs discovery to its end. The clock advances by the delays of the continuations."""
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
async def test_the_notice_names_a_source_that_asks_to_wait_with_its_time_and_reason(watched, seconds):
    watched.flow.source.errors = [RateLimited("images.example asks to wait.", seconds)]
    until = _at(watched, seconds)
    told = await watched.discover()
    assert told == [f"Waiting: fake is asked again at {until}: images.example asks to wait."]
    assert await watched.shown() is None


async def test_the_notice_names_each_try_of_a_source_that_cannot_be_reached_until_it_is_given_up(watched):
    watched.flow.source.errors = [OUT] * 5
    times = [_at(watched, seconds) for seconds in (10, 30, 70, 150)]
    told = await watched.discover()
    assert watched.slept == [10, 20, 40, 80]
    assert told == [
        f"Waiting: fake is asked again at {until}: failure {number} in a row; after 5 it is given up. {OUT.detail}"
        for number, until in enumerate(times, 1)
    ]
    assert await watched.shown() is None
    found = await watched.flow.job(watched.job)
    assert (found.state, OUT.detail in found.failure.detail) == (State.FAILED, True)


async def test_the_notice_no_longer_names_a_source_that_answers_again(watched, monkeypatch):
    """This also holds before the job has saved anything else."""
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


async def test_the_next_slice_keeps_the_notice_until_the_source_answers(watched):
    watched.flow.source.errors = [RateLimited("wait", 100), RateLimited("wait", 100)]
    first, second = _at(watched, 100), _at(watched, 200)
    told = await watched.discover()
    assert watched.slept == [100, 100]
    assert told == [f"Waiting: fake is asked again at {until}: wait" for until in (first, second)]
    assert await watched.shown() is None


async def test_a_short_wait_makes_no_notice_and_costs_no_write(watched):
    watched.flow.source.errors = [RateLimited("a moment", 1.0)] * 3
    assert await watched.discover() == [None] * 3


async def test_many_waiting_queries_of_one_source_make_one_line_of_the_notice(watched):
    spec = {**SPEC, "keywords": [f"k{number}" for number in range(40)]}
    watched.flow.source.errors = [RateLimited("wait", 20)] * 40
    before = watched.flow.weather.calls["apply"]
    told = await watched.discover(spec)
    assert len(set(told)) == 1
    assert told[0].count("fake") == 1
    assert watched.flow.weather.calls["apply"] - before < 120


async def test_the_notice_has_at_most_three_reasons_in_the_order_of_their_times(watched):
    spec = {**SPEC, "keywords": list("abcde")}
    errors = [RateLimited(f"reason {number}", 25 - number) for number in range(5)]
    watched.flow.source.errors = errors
    told = (await watched.discover(spec))[0]
    assert [told.index(f"reason {number}") for number in (4, 3, 2)] == sorted(
        told.index(f"reason {number}") for number in (4, 3, 2)
    )
    assert told.endswith("And 2 more.")


@pytest.mark.parametrize("detail", ["a\nb", "x" * 5000, "😀" * 3000, "a\ud83d", "a\u202eb"])
async def test_any_reason_becomes_one_valid_line_of_the_notice(watched, detail):
    watched.flow.source.errors = [RateLimited(detail, 25)]
    [told] = await watched.discover()
    assert told.isprintable()
    assert len(told.encode("utf-16-le")) <= 2000


async def test_only_a_discovering_job_shows_that_it_waits(watched):
    watched.flow.source.errors = [RateLimited("wait", 100)]
    job = watched.job = await watched.flow.send(SPEC)
    await watched.flow.handle(JOBS_QUEUE, watched.flow.queues.take(JOBS_QUEUE)[0])
    assert "wait" in await watched.shown()
    await watched.flow.cancel(job)
    assert (await watched.shown()).startswith("Cancelled")


async def test_a_permanent_error_is_a_problem_and_no_wait(watched):
    watched.flow.source.errors = [Permanent("the key is refused")]
    assert await watched.discover() == []


async def test_a_slice_without_waits_clears_the_notice_of_the_slice_before(watched, monkeypatch):
    """It is cleared after the first page already, not only when a chunk is saved or the slice ends."""
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


async def test_the_notice_has_the_earliest_time_of_queries_that_wait_for_one_reason(watched):
    watched.flow.source.errors = [RateLimited("wait", 20), RateLimited("wait", 25), RateLimited("wait", 20)]
    times = [_at(watched, seconds) for seconds in (20, 25, 40)]
    told = await watched.discover({**SPEC, "keywords": ["a", "b"]})
    assert told[:2] == [f"Waiting: fake is asked again at {until}: wait" for until in times[:2]]


@pytest.mark.parametrize("seconds", [25, 100])
async def test_the_notice_is_complete_before_a_wait_begins(watched, seconds):
    """It also has the waits of the last two seconds, in which nothing was written."""
    watched.flow.source.errors = [RateLimited("one", seconds), RateLimited("two", seconds + 1)]
    told = await watched.discover({**SPEC, "keywords": ["a", "b"]})
    assert "one" in told[0]
    assert "two" in told[0]
