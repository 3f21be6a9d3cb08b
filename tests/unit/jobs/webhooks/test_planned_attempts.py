"""When the message of a planned attempt calls the receiver, and when it waits or goes on."""

import asyncio

import pytest

from shared.errors import Unavailable
from shared.jobs.job.messages import WEBHOOKS_QUEUE
from tests.unit.jobs.webhooks.hooks import SPEC, announced


async def test_receivers_of_one_user_that_hang_leave_room_for_other_users(flow):
    await flow.add_user("ann")
    messages = [(await announced(flow))[1] for _ in range(4)]
    anns = await flow.send({**SPEC, "webhook_url": "https://ann.example/x"}, "ann")
    await flow.cancel(anns)
    [end] = flow.queues.take(WEBHOOKS_QUEUE)
    await flow.webhooks.run(end)
    [of_ann] = flow.queues.take(WEBHOOKS_QUEUE)
    released = asyncio.Event()
    send = flow.web.send

    async def hanging(request):
        if "hooks.example" in request.url:
            await released.wait()
        return await send(request)

    flow.web.send = hanging
    running = [asyncio.create_task(flow.webhooks.run(text)) for text in messages]
    await flow.webhooks.run(of_ann)
    assert (await flow.delivery(anns)).state == "delivered"
    async with asyncio.timeout(5):
        await asyncio.gather(*running[2:])
    assert sorted(flow.queues.take(WEBHOOKS_QUEUE)) == sorted(messages[2:])
    released.set()
    await asyncio.gather(*running)
    for text in messages:
        await flow.webhooks.run(text)
    assert len(flow.web.sent) == 5


async def test_a_message_that_comes_long_before_its_time_waits_again(flow):
    job, message = await announced(flow)
    flow.web.answers = [503, 503]
    await flow.webhooks.run(message)
    flow.clock.advance(5)
    await flow.webhooks.run(flow.queues.take(WEBHOOKS_QUEUE)[0])
    [third] = flow.queues.take(WEBHOOKS_QUEUE)
    await flow.webhooks.run(third)
    assert len(flow.web.sent) == 2
    assert flow.queues.take(WEBHOOKS_QUEUE) == [third]
    flow.clock.advance(300)
    await flow.webhooks.run(third)
    assert (await flow.delivery(job)).state == "delivered"


async def test_the_next_attempt_is_planned_although_the_run_dies_before_it_sends_the_message(flow):
    job, message = await announced(flow)
    flow.web.answers = [503]
    send = flow.queues.send

    async def dying(*_, **__):
        raise Unavailable("died before the message")

    flow.queues.send = dying
    with pytest.raises(Unavailable):
        await flow.webhooks.run(message)
    flow.queues.send = send
    await flow.webhooks.run(message)
    [following] = flow.queues.take(WEBHOOKS_QUEUE)
    await flow.webhooks.run(following)
    assert len(flow.web.sent) == 2
    assert (await flow.delivery(job)).state == "delivered"


async def test_poison_is_an_attempt_that_failed_and_the_schedule_goes_on(flow):
    job, message = await announced(flow)
    for _ in range(2):
        await flow.webhooks.give_up(message)
    delivery = await flow.delivery(job)
    assert (delivery.state, delivery.attempt_count, delivery.planned) == ("pending", 1, 2)
    assert delivery.error == "The attempt did not come to its end."
    for following in flow.queues.take(WEBHOOKS_QUEUE):
        await flow.webhooks.run(following)
    assert len(flow.web.sent) == 1
    assert (await flow.delivery(job)).state == "delivered"
