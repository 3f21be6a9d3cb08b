"""One suite over every QueueSender."""

import pytest

from shared.errors import Permanent


async def test_messages_are_counted(queues, unique):
    assert await queues.depth(unique) == 0
    for body in ("one", '{"ü": "<&>"}'):
        await queues.send(unique, body)
    assert await queues.depth(unique) == 2


async def test_a_message_of_64_kib_fits_and_one_more_byte_does_not(queues, unique):
    await queues.send(unique, "x" * 65_536)
    with pytest.raises(Permanent):
        await queues.send(unique, "x" * 65_537)
    assert await queues.depth(unique) == 1


async def test_a_sender_answers_a_ping(queues):
    await queues.ping()
