"""One suite over every QueueSender."""

import asyncio

import pytest

from shared.errors import Permanent
from shared.storage.sent import noting_sent_messages


async def test_the_depth_of_a_queue_is_its_number_of_messages(queues, unique):
    assert await queues.depth(unique) == 0
    for body in ("one", '{"ü": "<&>"}'):
        await queues.send(unique, body)
    assert await queues.depth(unique) == 2


async def test_a_message_has_at_most_64_kib(queues, unique):
    await queues.send(unique, "x" * 65_536)
    with pytest.raises(Permanent):
        await queues.send(unique, "x" * 65_537)
    assert await queues.depth(unique) == 1


async def test_a_sender_answers_a_ping(queues):
    await queues.ping()


async def test_the_queues_of_sent_messages_are_noted_for_the_block_that_sends_them(queues, unique):
    with noting_sent_messages() as outer:
        await asyncio.create_task(queues.send(unique, "by a task of the block"))
        with noting_sent_messages() as inner, pytest.raises(Permanent):
            await queues.send(unique, "x" * 65_537)
    await queues.send(f"{unique}-2", "outside")
    assert (outer, inner) == ({unique}, set())
