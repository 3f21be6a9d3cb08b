"""Sources that fail or ask to wait: after how long they are asked again, and when they are given up."""

from unittest.mock import patch

import pytest

from shared.clock import Deadline
from shared.errors import NotFound, Permanent, RateLimited, Unavailable
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.discovery import DiscoveryStates
from tests.unit.jobs.discovery.searching import Search, discover
from tests.unit.jobs.fake_source import FakeSource

OUT = Unavailable("images.example is out of order.")
SPEC = {"keywords": ["a"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}


@pytest.fixture
def asked(flow, monkeypatch):
    """The seconds between the first request for a page and each request."""
    moments = []
    pages = FakeSource.pages

    async def noting(self, query, cursor):
        source = pages(self, query, cursor)
        while True:
            moments.append(flow.clock.seconds)
            try:
                page = await anext(source)
            except StopAsyncIteration:
                return
            yield page

    monkeypatch.setattr(FakeSource, "pages", noting)
    return moments


async def _discover(flow, spec=SPEC):
    """Runs discovery to its end. The clock advances by the delays of the continuations' messages."""
    job = await flow.send(spec)
    send = flow.queues.send

    async def waiting(queue, text, *, delay_seconds=0.0):
        await send(queue, text, delay_seconds=delay_seconds)
        flow.clock.advance(delay_seconds if queue == JOBS_QUEUE else 0.0)

    flow.queues.send = waiting
    while messages := flow.queues.take(JOBS_QUEUE):
        for text in messages:
            await flow.handle(JOBS_QUEUE, text)
    flow.queues.send = send
    return job


async def _problems(flow, job):
    return list((await flow.ledger.report(job.id)).problems)


async def _state(flow, job):
    return (await DiscoveryStates(flow.ledger, flow.blobs).read(job.id))[0]


@pytest.mark.parametrize("failures", [1, 2, 3, 4])
async def test_a_failing_source_is_asked_again_after_ever_longer_waits_and_then_goes_on(
    flow, asked, failures
):
    flow.source.errors = [OUT] * failures
    job = await _discover(flow)
    assert asked[: failures + 1] == [0, 10, 30, 70, 150][: failures + 1]
    state = await _state(flow, job)
    assert (state.found, await _problems(flow, job)) == ({"a": 100}, [])
    assert state.streams["0:a"].failures == 0
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED


async def test_a_source_that_fails_five_times_in_a_row_is_given_up_and_a_retry_asks_it_again(flow, asked):
    flow.source.errors = [OUT] * 5
    job = await _discover(flow)
    assert asked == [0, 10, 30, 70, 150]
    state = await _state(flow, job)
    report = await flow.ledger.report(job.id)
    assert (report.problems, report.problem_count) == ((f"a: {OUT.detail}",), 1)
    assert (report.can_continue, state.streams["0:a"].gave_up) == (True, True)
    assert (await flow.job(job)).failure.code == "discovery_failed"
    await flow.retry.run("admin", job.id)
    flow.source.errors = [OUT] * 4  # it is asked as if it had never failed
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED


async def test_failures_count_only_in_a_row(flow):
    fails = {0: 4, 1: 4, 5: 4}  # by page, how often it fails before it is given
    pages = FakeSource.pages

    async def failing(self, query, cursor):
        source = pages(self, query, cursor)
        number = int(cursor or 0) // 10
        while True:
            if fails.get(number, 0):
                fails[number] -= 1
                raise OUT
            try:
                yield await anext(source)
            except StopAsyncIteration:
                return
            number += 1

    with patch.object(FakeSource, "pages", failing):
        job = await _discover(flow)
    assert (await _state(flow, job)).found == {"a": 100}
    assert flow.clock.seconds == 3 * 150


@pytest.mark.parametrize("budget", [0.5, 5.0, 1000.0])
async def test_failures_count_over_slices(flow, asked, budget):
    flow.source.errors = [OUT] * 5
    flow.deadline = lambda: Deadline.after(flow.clock, budget)
    job = await _discover(flow)
    assert asked == [0, 10, 30, 70, 150]
    assert (await flow.job(job)).state is State.FAILED


@pytest.mark.parametrize(
    ("wished", "waited"), [(1, 1), (30, 30), (31, 31), (900, 900), (901, 900), (1e9, 900)]
)
async def test_a_source_that_asks_to_wait_is_left_alone_for_as_long_and_for_15_minutes_at_most(
    flow, asked, wished, waited
):
    flow.source.errors = [RateLimited("slow down", wished)]
    job = await _discover(flow)
    assert asked[:2] == [0, waited]
    state = await _state(flow, job)
    assert (state.found, await _problems(flow, job)) == ({"a": 100}, [])
    assert (state.streams["0:a"].failures, state.streams["0:a"].waited_seconds) == (0, 0)


async def test_a_source_that_asks_to_wait_for_six_hours_without_a_page_is_given_up(flow, asked):
    flow.source.errors = [RateLimited("slow down", 900)] * 100
    job = await _discover(flow)
    assert asked == [900 * number for number in range(24)]
    assert await _problems(flow, job) == ["a: slow down It has done so for hours."]


async def test_a_source_that_asks_to_wait_has_not_failed(flow, asked):
    flow.source.errors = [OUT] * 4 + [RateLimited("slow down", 5)] * 3
    job = await _discover(flow)
    assert asked[:8] == [0, 10, 30, 70, 150, 155, 160, 165]
    assert (await _state(flow, job)).found == {"a": 100}


@pytest.mark.parametrize("error", [Permanent("the key is refused"), NotFound("there is no such list")])
async def test_a_source_with_a_permanent_error_is_asked_once(flow, asked, error):
    flow.source.errors = [error] * 2
    job = await _discover(flow)
    assert asked == [0]
    assert await _problems(flow, job) == [f"a: {error.detail}"]


@pytest.mark.usefixtures("search")
async def test_others_have_their_turns_while_one_fails(flow):
    flow.source.errors = [OUT] * 5
    sources = [{"type": "fake"}, {"type": "search", "total": 60, "cost": 1.0}]
    job = await _discover(flow, {**SPEC, "sources": sources})
    assert len(Search.asked) == 6
    state = await _state(flow, job)
    assert (state.found, (await flow.ledger.report(job.id)).problem_count) == (
        {"a": 60},
        7,
    )  # of each page one, and one of the source given up
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("nap", [5.0, 40.0])
async def test_a_source_that_asks_to_wait_for_long_is_left_alone_while_others_are_asked_again_sooner(
    flow, monkeypatch, nap
):
    asked: dict[str, list[float]] = {"soon": [], "late": []}
    wishes = {"soon": [nap] * 20, "late": [600.0]}
    pages = Search.pages

    async def wishing(self, query, cursor):
        name = self.config.name
        asked[name].append(flow.clock.seconds)
        if wishes[name]:
            raise RateLimited("slow down", wishes[name].pop(0))
        async for page in pages(self, query, cursor):
            yield page

    monkeypatch.setattr(Search, "pages", wishing)
    sources = [{"type": "search", "name": name, "total": 10} for name in asked]
    flow.deadline = lambda: Deadline.after(flow.clock, 20.0)
    await discover(flow, {"keywords": ["cat"], "sources": sources})
    assert asked["soon"] == [nap * number for number in range(21)]
    assert asked["late"][:2] == [0, 600]
