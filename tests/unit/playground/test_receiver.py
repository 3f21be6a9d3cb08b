"""The receiver of the demo accepts only calls that are signed with its secret, and counts an event once."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from playground.receiver import receiving
from shared.jobs.webhooks.signature import signed_headers
from shared.jobs.webhooks.signing_secrets import SigningKeys, SigningSecret

NOW = datetime.now(UTC)
RIGHT, WRONG = (SigningKeys(SigningSecret(f"whsec_{letter * 32}", NOW)) for letter in "ab")
BODY = b'{"type": "job.completed", "data": {}}'


@pytest.mark.parametrize(
    ("keys", "at", "body", "status"),
    [
        (RIGHT, timedelta(), BODY, 204),
        (WRONG, timedelta(), BODY, 401),
        (RIGHT, timedelta(minutes=-6), BODY, 401),
        (RIGHT, timedelta(), BODY + b" ", 401),
        (SigningKeys(WRONG.current, (RIGHT.current,)), timedelta(), BODY, 204),
    ],
)
async def test_a_call_is_accepted_only_if_its_signature_is_right(keys, at, body, status):
    headers = signed_headers(keys, "msg_1", datetime.now(UTC) + at, BODY)
    async with receiving(RIGHT.current.text) as receiver, aiohttp.ClientSession() as session:
        async with session.post(receiver.url, data=body, headers=headers) as answered:
            assert answered.status == status
        assert receiver.refused == (status != 204)


async def test_a_call_without_a_signature_is_refused():
    async with (
        receiving(RIGHT.current.text) as receiver,
        aiohttp.ClientSession() as session,
        session.post(receiver.url, data=BODY) as answered,
    ):
        assert answered.status == 401


async def test_an_event_that_comes_twice_counts_once():
    async with receiving(RIGHT.current.text) as receiver, aiohttp.ClientSession() as session:
        for webhook_id in ("msg_1", "msg_1", "msg_2"):
            headers = signed_headers(RIGHT, webhook_id, datetime.now(UTC), BODY)
            async with session.post(receiver.url, data=BODY, headers=headers) as answered:
                assert answered.status == 204
        assert [await receiver.event() for _ in range(2)] == [{"type": "job.completed", "data": {}}] * 2
        assert receiver._events.empty()
