"""Calls wait if the service asks for it, are tried again a few times, and say what an operator can do."""

import asyncio
import logging

import numpy as np
import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity.aio import ManagedIdentityCredential

from shared.clock import SystemClock
from shared.errors import Permanent, Unavailable
from shared.scoring.azure_vision.calls import VisionCalls
from shared.scoring.azure_vision.pace import Timing
from shared.scoring.azure_vision.scorer import AzureVision
from shared.scoring.azure_vision.tokens import Tokens
from tests.identity_server import identity_server
from tests.unit.loopback import asking, serving
from tests.unit.scoring.azure_vision.conftest import refusal, vector_of

PICTURE = np.zeros((20, 20, 3), np.uint8)


async def test_a_busy_service_is_called_again_after_the_wait_that_it_asks_for(vision, server, clock):
    server.gives(429, refusal("429"), Retry_After="7")
    server.gives(429, refusal("429"))
    await vision.embed_picture(PICTURE)
    assert len(server.asked) == 3
    assert clock.seconds == pytest.approx(7 + 5)


async def test_all_calls_wait_if_the_service_asks_one_of_them_to_wait(vision, server, clock):
    server.gives(429, refusal("429"), Retry_After="30")
    await asyncio.gather(*(vision.embed_picture(PICTURE) for _ in range(5)))
    assert len(server.asked) == 6
    assert clock.seconds >= 30


@pytest.mark.parametrize("retry_after", ["86400", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_service_that_stays_busy_is_given_up_within_its_time(vision, server, clock, retry_after):
    for _ in range(9):
        server.gives(429, refusal("429"), Retry_After=retry_after)
    with pytest.raises(Unavailable, match="busy"):
        await vision.embed_picture(PICTURE)
    assert len(server.asked) <= 5
    assert clock.seconds <= 120


async def test_a_wait_of_no_time_is_a_second_at_least(vision, server, clock):
    server.gives(429, refusal("429"), Retry_After="0")
    await vision.embed_picture(PICTURE)
    assert clock.seconds == pytest.approx(1)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
async def test_failures_of_the_service_are_tried_again_and_then_given_up(vision, server, status):
    server.gives(status, b"<html>")
    await vision.embed_picture(PICTURE)
    assert len(server.asked) == 2
    for _ in range(5):
        server.gives(status, b"<html>")
    with pytest.raises(Unavailable, match="Azure AI Vision is busy, or did not answer"):
        await vision.embed_picture(PICTURE)
    assert len(server.asked) == 7


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, refusal("401"), "does not accept the app's identity"),
        (403, refusal("PermissionDenied"), "Cognitive Services User"),
        (404, refusal("404"), "region of the resource"),
        (400, refusal("InvalidRequest", "NotSupportedVersion"), "status 400"),
        (400, b"{", "status 400"),
        (413, refusal("InvalidRequest", "InvalidImageSize"), "status 413"),
        (302, b"", "status 302"),
        (204, b"", "status 204"),
    ],
)
async def test_a_refusal_says_what_an_operator_can_do_and_leaks_nothing(
    vision, server, caplog, status, body, words
):
    caplog.set_level(logging.DEBUG, "shared")
    for _ in range(2):
        server.gives(status, body, Location="/elsewhere")
    with pytest.raises(Permanent, match=words) as raised:
        await vision.embed_picture(PICTURE)
    assert not [
        word for word in ("secret words", "token 1", "token 2") if word in f"{raised.value} {caplog.text}"
    ]
    assert {call.path for call in server.asked} == {"/computervision/retrieval:vectorizeImage"}


async def test_a_service_that_cannot_be_reached_is_tried_again(server, credential, clock):
    async with serving(server.answer) as endpoint:
        pass
    async with asking() as web:
        timing = Timing(clock, clock.sleep)
        vision = AzureVision(VisionCalls(endpoint, 10, Tokens(credential, clock), web, timing))
        with pytest.raises(Unavailable):
            await vision.embed_picture(PICTURE)
    assert clock.seconds >= 1 + 2 + 4 + 8


async def test_a_token_is_used_until_shortly_before_its_end(vision, server, clock):
    server.tokens = {"token 1", "token 2"}
    for seconds in (0, 3000, 301):
        clock.advance(seconds)
        await vision.embed_picture(PICTURE)
    assert [call.headers["Authorization"][-1] for call in server.asked] == ["1", "1", "2"]


async def test_many_calls_at_once_ask_for_one_token(vision, credential):
    await asyncio.gather(*(vision.embed_picture(PICTURE) for _ in range(20)))
    assert len(credential.scopes) == 1


async def test_a_refused_token_is_replaced_once(vision, server, credential):
    server.tokens = {"token 2"}
    await vision.embed_picture(PICTURE)
    assert len(credential.scopes) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ClientAuthenticationError("no"), Permanent), (ServiceRequestError("no"), Unavailable)],
)
async def test_an_app_without_an_identity_fails_and_a_silent_identity_service_does_not(
    vision, credential, error, kind
):
    credential.error = error
    with pytest.raises(kind):
        await vision.embed_picture(PICTURE)


async def test_calls_begin_no_faster_than_the_service_takes_them(vision, clock):
    await asyncio.gather(*(vision.embed_picture(PICTURE) for _ in range(31)))
    assert clock.seconds == pytest.approx(3)


async def test_azures_own_library_gets_the_token(server, monkeypatch):
    clock = SystemClock()
    server.tokens = {"of the managed identity"}
    async with (
        identity_server(monkeypatch, "of the managed identity") as asked,
        serving(server.answer) as endpoint,
        asking() as web,
        ManagedIdentityCredential(client_id="the-app") as credential,
    ):
        calls = VisionCalls(endpoint, 10, Tokens(credential, clock), web, Timing(clock))
        found = await AzureVision(calls).embed_text("cat")
    assert asked == ["the-app"]
    assert found @ np.array(vector_of(1), np.float32) > 0
