"""Deliveries of which a message is lost, or whose run dies at any write: each event arrives all the same."""

import asyncio
import json
import random

import pytest

from shared.errors import Unavailable
from shared.jobs.job.messages import WEBHOOKS_QUEUE
from tests.unit.jobs.simulation import QUEUES, Flow
from tests.unit.jobs.webhooks.hooks import SPEC, announced, bodies, events

STALL = 900


async def _die(flow, write, after, text):
    """Handles a message until the write of this number fails; returns whether there were as many."""
    flow.weather.writes_left, flow.weather.after = write, after
    try:
        await flow.webhooks.run(text)
    except Unavailable:
        return True
    finally:
        flow.weather.writes_left = -1
    return False


def _lose_all(flow):
    for queue in QUEUES:
        flow.queues.take(queue)


async def _repair(flow):
    """Runs both watchdogs until they find nothing to do, and handles what they send."""
    for _ in range(40):
        flow.clock.advance(4 * STALL)
        sent = await flow.overdue.run(flow.deadline()) + await flow.watchdog.run(flow.deadline())
        await flow.run()
        if not sent and [due async for due in flow.deliveries.store.overdue(flow.clock.now())] == []:
            return


@pytest.mark.parametrize("after", [False, True])
async def test_an_end_is_delivered_although_its_announcement_dies_at_any_write(after):
    write, died = 0, True
    while died:
        write += 1
        flow = Flow()
        job = await flow.send(SPEC)
        await flow.cancel(job)
        [end] = flow.queues.take(WEBHOOKS_QUEUE)
        died = await _die(flow, write, after, end)
        _lose_all(flow)
        await _repair(flow)
        assert (await flow.delivery(job)).state == "delivered", write
        assert set(events(flow)) == {("job.cancelled", 1)}
        assert len({sent.headers["webhook-id"] for sent in flow.web.sent}) == 1
    assert write > 5


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("status", [200, 503, 410])
async def test_an_attempt_that_dies_at_any_write_is_made_again(after, status):
    write, died = 0, True
    while died:
        write += 1
        flow = Flow()
        job, message = await announced(flow)
        flow.web.answers = [status, status if status == 410 else 200]
        died = await _die(flow, write, after, message)
        _lose_all(flow)
        await _repair(flow)
        delivery = await flow.delivery(job)
        assert delivery.state == ("failed" if status == 410 else "delivered"), write
        assert len({sent.headers["webhook-id"] for sent in flow.web.sent}) == 1
        assert len(flow.web.sent) <= 3
    assert write > 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_redelivery_that_dies_at_any_write_is_made_or_may_be_asked_for_again(after):
    deaths = 0
    for write in range(1, 8):
        flow = Flow()
        job, message = await announced(flow)
        await flow.webhooks.run(message)
        delivery = await flow.delivery(job)
        flow.weather.writes_left, flow.weather.after = write, after
        try:
            await flow.deliveries.redeliver("admin", job.id, delivery.id)
        except Unavailable:
            deaths += 1
        flow.weather.writes_left = -1
        stored = await flow.delivery(job)
        _lose_all(flow)
        await _repair(flow)
        expected = 2 if stored.state == "pending" else 1
        assert (len(flow.web.sent), (await flow.delivery(job)).state) == (expected, "delivered")
    assert deaths > 2


async def test_the_watchdog_leaves_attempts_alone_that_are_not_overdue(flow):
    job, message = await announced(flow)
    flow.web.answers = [503] * 3
    for seconds in (5, 300, 1800):
        await flow.webhooks.run(message)
        assert await flow.overdue.run(flow.deadline()) == 0
        flow.clock.advance(seconds)
        [message] = flow.queues.take(WEBHOOKS_QUEUE)
    flow.clock.advance(STALL)
    assert await flow.overdue.run(flow.deadline()) == 0
    flow.clock.advance(1)
    assert await flow.overdue.run(flow.deadline()) == 1
    assert flow.queues.take(WEBHOOKS_QUEUE) == [message]
    assert (await flow.delivery(job)).state == "pending"


async def test_the_watchdog_asks_less_and_less_often_and_gives_up_in_the_end(flow):
    job, _ = await announced(flow)
    began, sent = flow.clock.now(), []
    for _ in range(1500):
        flow.clock.advance(300)
        flow.queues.take(WEBHOOKS_QUEUE)
        if await flow.overdue.run(flow.deadline()):
            sent.append(round((flow.clock.now() - began).total_seconds() / STALL, 1))
    assert len(sent) == 8
    assert all(0 < moment - (1 << number) < 3 for number, moment in enumerate(sent)), sent
    delivery = await flow.delivery(job)
    assert (delivery.state, delivery.attempts, delivery.due_at) == ("failed", (), None)
    assert delivery.error == "No attempt came to its end."
    [failure] = [signal for signal in flow.telemetry.signals if signal.kind == "exception"]
    assert (failure.properties["operation"], failure.properties["job_id"]) == ("webhook", job.id)
    assert [due async for due in flow.deliveries.store.overdue(flow.clock.now())] == []


async def test_no_row_of_a_planned_attempt_outlives_its_delivery(flow):
    job, message = await announced(flow)
    flow.web.answers = [503] * 2
    await flow.webhooks.run(message)
    await flow.deliveries.store.erase("admin", job.id)
    _lose_all(flow)
    flow.clock.advance(10 * STALL)
    assert await flow.overdue.run(flow.deadline()) == 0
    assert [due async for due in flow.deliveries.store.overdue(flow.clock.now())] == []


async def test_a_delivery_that_cannot_be_read_stops_no_other(flow):
    first, _ = await announced(flow)
    second, _ = await announced(flow)
    delivery = await flow.delivery(first)
    get = flow.entities.get

    async def failing(table, partition, row):
        if row == delivery.id:
            raise Unavailable("storage does not answer")
        return await get(table, partition, row)

    flow.entities.get = failing
    flow.clock.advance(STALL + 1)
    assert await flow.overdue.run(flow.deadline()) == 1
    [message] = flow.queues.take(WEBHOOKS_QUEUE)
    assert json.loads(message)["job_id"] == second.id


async def test_storage_that_lists_nothing_does_not_stop_the_timer(flow):
    def unavailable(*_, **__):
        raise Unavailable("storage does not answer")

    flow.entities.query = unavailable
    assert await flow.overdue.run(flow.deadline()) == 0


@pytest.mark.parametrize("seed", range(25))
async def test_in_any_weather_every_end_arrives_with_one_id(seed):
    """Some messages come twice, some at the same time, some runs die, and the receiver fails now and then."""
    chance = random.Random(seed)
    flow = Flow()
    jobs = [await flow.send(SPEC) for _ in range(3)]
    for job in jobs:
        await flow.cancel(job)
    answers: list[int | Exception] = [200, 503, 404, Unavailable("It broke off.")]
    flow.web.answers = chance.choices(answers, k=8)
    for _ in range(60):
        waiting = flow.queues.take(WEBHOOKS_QUEUE)
        chance.shuffle(waiting)
        flow.clock.advance(chance.choice([1, 300, 7200]))
        if chance.random() < 0.4:
            flow.weather.writes_left, flow.weather.after = chance.randint(1, 6), chance.random() < 0.5
        copies = [text for text in waiting for _ in range(chance.randint(0, 2))]
        await asyncio.gather(*(flow.webhooks.run(text) for text in copies), return_exceptions=True)
        flow.weather.writes_left = -1
        if chance.random() < 0.3:
            await flow.overdue.run(flow.deadline())
            await flow.watchdog.run(flow.deadline())
    flow.web.answers = []
    await _repair(flow)
    assert {(await flow.delivery(job)).state for job in jobs} == {"delivered"}
    named = zip(bodies(flow), flow.web.sent, strict=True)
    assert len({(body["data"]["job_id"], sent.headers["webhook-id"]) for body, sent in named}) == len(jobs)
