"""If too many candidates are rejected, discovery continues until the limit is reached, or sources or rounds end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.flow.rounds import MAX_ROUNDS
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.discovery import DiscoveryState, StreamState
from shared.records.records import Reason
from tests.unit.jobs.simulation import Flow
from tests.unit.jobs.test_any_schedule import CHANCE, thoroughly

LIMIT = 10
SPEC = {
    "keywords": ["a", "b"],
    "sources": [{"type": "fake", "total": 300, "page": 7}],
    "max_images_per_label": LIMIT,
    "dedup": {"near_distance": None},
}


def _keep_one_in(number):
    return lambda index: None if index % number == 0 else Reason.CORRUPT


async def _kept(flow, job):
    counts = (await flow.ledger.progress(job.id)).tally.counts
    return {label: outcomes.get("kept", 0) for label, outcomes in counts.items()}


@pytest.mark.parametrize("one_in", [5, 9])
async def test_labels_are_filled_however_much_is_rejected(flow, one_in):
    flow.worker.reject = _keep_one_in(one_in)
    job = await flow.send(SPEC)
    await flow.run()
    assert min((await _kept(flow, job)).values()) >= LIMIT
    assert (await flow.catalog.require("admin", job.id)).image_count == 2 * LIMIT
    assert (await flow.job(job)).round >= 1
    assert len(flow.queues.sent[ARCHIVES_QUEUE]) == 1
    found = (await flow.ledger.progress(job.id)).found
    assert sorted(flow.worker.fetched) == list(range(found))
    assert found < 600


async def test_a_job_that_keeps_enough_has_one_round(flow):
    job = await flow.send(SPEC)
    await flow.run()
    assert (await flow.job(job)).round == 0
    assert (await flow.ledger.progress(job.id)).found == 2 * (2 * LIMIT + 20)


async def test_only_the_label_that_is_short_is_looked_for(flow):
    spec = {**SPEC, "sources": [{"type": "urls", "items": _items("a", 200) + _items("b", 200)}]}
    flow.worker.reject = lambda index: None if index < 40 or index % 4 == 0 else Reason.CORRUPT
    job = await flow.send(spec)
    await flow.run()
    counts = (await flow.ledger.progress(job.id)).tally.counts
    found = {label: sum(outcomes.values()) for label, outcomes in counts.items()}
    assert found["a"] == 2 * LIMIT + 20
    assert found["a"] <= found["b"]
    assert min((await _kept(flow, job)).values()) >= LIMIT


def _items(label, number):
    return [{"url": f"http://x.example/{label}/{at}.jpg", "label": label} for at in range(number)]


async def test_sources_that_have_no_more_end_it(flow):
    flow.worker.reject = _keep_one_in(50)
    job = await flow.send({**SPEC, "sources": [{"type": "fake", "total": 60}]})
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert (await flow.ledger.progress(job.id)).found == 120


def test_a_new_round_asks_a_source_that_was_given_up_from_the_first_skipped_page_without_counted_failures():
    stream = StreamState("90", ended=True, failures=5, gave_up=True, skipped_labels=["a"], skipped_at="20")
    state = DiscoveryState({"0:urls": stream}, complete=True)
    state.begin_round(1, {"a": 30})
    assert stream == StreamState("20")
    assert not state.complete


async def test_rubbish_is_not_looked_for_without_end(flow):
    flow.worker.reject = lambda index: Reason.CORRUPT  # noqa: ARG005 - none is kept, whichever
    job = await flow.send({**SPEC, "sources": [{"type": "fake", "total": 5000}]})
    await flow.run()
    stored = await flow.job(job)
    assert (stored.state, stored.failure.code, stored.round) == (State.FAILED, "no_images", MAX_ROUNDS)
    assert (await flow.ledger.progress(job.id)).found == 2 * (40 + MAX_ROUNDS * 40)


@pytest.mark.parametrize("after", [False, True])
async def test_a_death_at_any_write_loses_no_round(flow, after):
    flow.worker.reject = _keep_one_in(5)
    for at in range(1, 90):
        job = await flow.send({**SPEC, "keywords": ["a"]})
        deaths = flow.weather.deaths
        flow.weather.writes_left, flow.weather.after = at, after
        for _ in range(300):
            taken = flow.take()
            if not taken:
                break
            for queue, text in taken:
                await flow.deliver(queue, text)
        flow.weather.writes_left = -1
        assert (await flow.job(job)).state is State.COMPLETED, at
        assert (await flow.catalog.require("admin", job.id)).image_count == LIMIT
        if flow.weather.deaths == deaths:
            break
    assert deaths == at - 1 > 30, "the flow has fewer writes than this test believes"


async def test_messages_that_come_twice_begin_no_round_twice(flow):
    flow.worker.reject = _keep_one_in(5)
    job = await flow.send(SPEC)
    await flow.run(times=2)
    found = (await flow.ledger.progress(job.id)).found
    assert sorted(flow.worker.fetched) == list(range(found))
    for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE):
        for text in flow.queues.sent[queue]:
            await flow.handle(queue, text)
    assert (await flow.ledger.progress(job.id)).found == found


async def test_a_straggler_of_an_earlier_round_ends_no_later_one(flow):
    flow.worker.reject = _keep_one_in(5)
    job = await flow.send(SPEC)
    before = None
    while (stored := await flow.job(job)).round == 0:
        (queue, text), *others = flow.take()
        if queue == JOBS_QUEUE and before is None:
            before = await flow.transitions.begin(stored)
        for other in others:
            flow.put_back(*other)
        await flow.handle(queue, text)
    assert stored.state is State.DISCOVERING
    assert before is not None
    await flow.transitions.advance(before, State.DISCOVERING, State.CRAWLING)
    assert (await flow.job(job)).state is State.DISCOVERING
    await flow.run()
    assert min((await _kept(flow, job)).values()) >= LIMIT


@thoroughly
@given(
    CHANCE,
    st.lists(
        st.sampled_from([None, Reason.CORRUPT, Reason.CORRUPT, Reason.TIMED_OUT]), min_size=9, max_size=9
    ),
    st.integers(3, 25),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([0.0, 90.0]),
)
async def test_rounds_in_any_weather_lose_nothing_and_double_nothing(
    chance, fates, budget, at_once, rough, tick
):
    flow = Flow()
    flow.worker.budget, flow.clock.tick = budget, tick
    flow.worker.reject = lambda index: fates[index % len(fates)]
    job = await flow.send(SPEC)
    await flow.storm(chance, copies=rough, deaths=rough, at_once=at_once)
    stored = await flow.job(job)
    assert stored.state is (State.COMPLETED if None in fates else State.FAILED)
    progress = await flow.ledger.progress(job.id)
    assert progress.done == progress.added
    assert progress.found == progress.tally.found
    assert set(flow.worker.fetched) == set(range(progress.found))
    if not rough:
        assert sorted(flow.worker.fetched) == list(range(progress.found))
        assert len(flow.queues.sent[ARCHIVES_QUEUE]) == 1
    kept = await _kept(flow, job)
    assert stored.round == MAX_ROUNDS or min(kept.values()) >= LIMIT
    if None in fates:
        assert (await flow.delivered(job)).keys() == set(range(progress.found))
