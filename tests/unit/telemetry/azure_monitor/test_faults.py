"""Every fault of an ingestion service: which items arrive, which count as dropped, and how long callers wait."""

import asyncio
import logging
import socket
import sys
import time

import pytest
from aiohttp import web

from shared.telemetry.telemetry import Dependency
from tests.unit.telemetry.ingestion import (
    COUNT,
    ingestion_server,
    partly,
    send,
    settled,
    until,
    with_headers,
)


async def hang(_request, _items):
    await asyncio.Event().wait()


async def drop_connection(request, _items):
    request.transport.abort()
    return web.Response()


async def garbage(request, _items):
    request.transport.write(b"\x00\xff this is no HTTP\r\n\r\n")
    await asyncio.sleep(0.1)
    request.transport.abort()
    return web.Response()


TABLE = {
    "500": ([500], COUNT, 0),
    "503 three times": ([503, 503, 503], COUNT, 0),
    "429 with Retry-After": ([with_headers(429, Retry_After="0")], COUNT, 0),
    "408": ([408], COUNT, 0),
    "401, as long as a role is not granted": ([401, 403], COUNT, 0),
    "a connection that is dropped": ([drop_connection], COUNT, 0),
    "no HTTP": ([garbage], COUNT, 0),
    "400": ([400], 0, COUNT),
    "404": ([404], 0, COUNT),
    "402": ([402], 0, COUNT),
    "439": ([439], 0, COUNT),
    "a redirect without a place": ([307], 0, COUNT),
    "a redirect to something else": ([with_headers(308, Location="ftp://x/")], 0, COUNT),
}


@pytest.mark.parametrize("fault", TABLE)
async def test_how_many_items_a_fault_loses(ingestion, client, fault):
    ingestion.answers, arrived, dropped = [*TABLE[fault][0]], TABLE[fault][1], TABLE[fault][2]
    telemetry = client(ingestion.url)
    send(telemetry)
    state = await settled(telemetry)
    assert len(ingestion.items) == arrived
    assert state.dropped == dropped
    assert len(set(ingestion.names)) == arrived


async def test_a_service_that_hangs_loses_no_items(ingestion, client):
    ingestion.answers = [hang]
    telemetry = client(ingestion.url, timeout_seconds=0.5)
    send(telemetry)
    state = await settled(telemetry)
    assert state.dropped == 0
    # on a busy machine, further answers may come too late, and each makes the service have all items once more
    assert len(ingestion.items) == COUNT * (len(ingestion.requests) - 1)
    assert len(set(ingestion.names)) == COUNT


async def test_a_refused_connection_is_tried_until_the_service_is_there(client):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    telemetry = client(f"http://127.0.0.1:{port}")
    send(telemetry)
    await until(lambda: telemetry.state().problem is not None)
    assert telemetry.state().backlog == COUNT
    async with ingestion_server(port) as server:
        await server.arrived(COUNT)
    assert telemetry.state().dropped == 0


async def test_of_a_part_that_is_refused_what_may_pass_is_sent_again(ingestion, client):
    ingestion.answers = [partly({1: 500, 2: 400, 3: 429}, ingestion)]
    telemetry = client(ingestion.url)
    send(telemetry)
    state = await settled(telemetry)
    assert sorted(ingestion.names) == ["e0", "e1", "e3", "e4"]
    assert state.dropped == 1


async def test_an_item_that_is_refused_while_others_are_accepted_is_dropped_in_the_end(ingestion, client):
    ingestion.answers = [partly({0: 500}, ingestion) for _ in range(1000)]
    telemetry = client(ingestion.url)
    send(telemetry)
    for refusals in range(5):
        await ingestion.arrived(4 + COUNT * refusals)
        await until(lambda: telemetry.state().backlog <= 1)
        assert telemetry.state().dropped == refusals // 4
        send(telemetry)


async def test_a_part_whose_refusals_cannot_be_read_counts_as_dropped(ingestion, client):
    async def answer(_request, _items):
        return web.Response(status=206, text='{"errors": [{"index": "x"}]}')

    ingestion.answers = [answer]
    telemetry = client(ingestion.url)
    send(telemetry)
    assert (await settled(telemetry)).dropped == COUNT


async def test_retry_after_is_honoured_as_seconds(ingestion, client):
    moments = []

    async def busy(_request, _items):
        moments.append(time.monotonic())
        return web.Response(status=503, headers={"Retry-After": "1"})

    ingestion.answers = [busy]
    telemetry = client(ingestion.url)
    send(telemetry)
    await ingestion.arrived(COUNT)
    assert time.monotonic() - moments[0] >= 1.0


async def test_a_service_that_asks_for_no_wait_is_not_asked_in_a_tight_loop(ingestion, client):
    moments = []

    async def busy(_request, _items):
        moments.append(time.monotonic())
        return web.Response(status=429, headers={"Retry-After": "0"})

    ingestion.answers = [busy] * 1000
    telemetry = client(ingestion.url, back_off_seconds=0.1)
    send(telemetry)
    await until(lambda: len(moments) >= 3)
    first, second, third = moments[:3]
    assert second - first >= 0.2
    assert third - second >= 0.4


async def test_libraries_that_cannot_be_imported_are_a_problem_and_no_flush_waits(
    ingestion, client, monkeypatch
):
    monkeypatch.setitem(sys.modules, "shared.telemetry.azure_monitor.transport", None)
    telemetry = client(ingestion.url)
    send(telemetry)
    await until(lambda: telemetry.state().problem is not None)
    async with asyncio.timeout(20):
        await telemetry.flush(60)
    assert "ModuleNotFoundError" in telemetry.state().problem


async def test_a_redirect_is_followed_and_remembered(ingestion, client):
    async with ingestion_server() as other:
        ingestion.answers = [with_headers(308, Location=f"{other.url}/v2.1/track")]
        telemetry = client(ingestion.url)
        send(telemetry)
        await other.arrived(COUNT)
        send(telemetry)
        await other.arrived(2 * COUNT)
    assert len(ingestion.requests) == 1


async def test_redirects_in_a_circle_end(ingestion, client):
    ingestion.answers = [with_headers(307, Location=ingestion.url) for _ in range(5)]
    telemetry = client(ingestion.url)
    send(telemetry)
    assert (await settled(telemetry)).dropped == COUNT
    assert len(ingestion.requests) == 5


async def test_a_batch_that_is_too_large_is_halved(ingestion, client):
    ingestion.answers = [413]
    telemetry = client(ingestion.url)
    send(telemetry)
    await ingestion.arrived(COUNT)
    assert [len(batch) for batch in ingestion.batches] == [2, 3]


async def test_an_answer_that_drips_ends_with_its_time(ingestion, client):
    enough = asyncio.Event()

    async def drip(request, _items):
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        while not enough.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    ingestion.answers = [drip]
    telemetry = client(ingestion.url, timeout_seconds=0.5)
    send(telemetry)
    await settled(telemetry)
    enough.set()


async def test_batches_are_packed(ingestion, client):
    telemetry = client(ingestion.url)
    send(telemetry)
    await ingestion.arrived(COUNT)
    assert ingestion.requests[0]["content-encoding"] == "gzip"
    assert ingestion.requests[0]["content-type"] == "application/json; charset=utf-8"


async def test_a_flush_ends_at_once_while_the_service_is_down(ingestion, client):
    ingestion.answers = [with_headers(503, Retry_After="60")]
    telemetry = client(ingestion.url)
    send(telemetry)
    await ingestion.asked(1)
    await until(lambda: telemetry.state().problem is not None)
    async with asyncio.timeout(20):
        for _ in range(20):
            await telemetry.flush(60)
    assert telemetry.state().backlog == COUNT


async def test_a_flush_waits_for_what_was_emitted_before_it_and_no_longer_than_it_may(ingestion, client):
    telemetry = client(ingestion.url, interval_seconds=60)
    send(telemetry)
    await telemetry.flush(60)
    assert len(ingestion.items) == COUNT
    ingestion.answers = [hang]
    slow = client(ingestion.url, interval_seconds=60)
    send(slow)
    began = time.monotonic()
    await slow.flush(0.3)
    assert 0.2 < time.monotonic() - began < 20
    assert slow.state().backlog == COUNT


async def test_a_full_buffer_drops_what_comes_and_counts_it(ingestion, client):
    ingestion.answers = [with_headers(503, Retry_After="60")]
    telemetry = client(ingestion.url, max_items=10)
    send(telemetry, 4)
    await ingestion.asked(1)
    send(telemetry, 20)
    state = telemetry.state()
    assert (state.backlog, state.dropped) == (10, 14)


async def test_the_buffer_is_bounded_in_bytes(ingestion, client):
    ingestion.answers = [with_headers(503, Retry_After="60")]
    telemetry = client(ingestion.url, max_bytes=100_000)
    for _ in range(100):
        telemetry.event("large", {"text": "x" * 100_000}, always=True)
    state = telemetry.state()
    # each is cut to 8,192 characters
    assert (state.backlog, state.dropped) == (10, 90)


async def test_dependencies_are_cut_and_counted_like_events(ingestion, client):
    ingestion.answers = [with_headers(503, Retry_After="60")]
    telemetry = client(ingestion.url, max_bytes=100_000)
    for _ in range(100):
        properties = {"text": "x" * 100_000}
        telemetry.dependency(Dependency("d", "HTTP", "t" * 100_000, 1.0, success=True, properties=properties))
    assert telemetry.state().backlog <= 10
    held = list(telemetry._sender._buffer._items)
    assert all(len(item.content.target) <= 2048 and not item.content.properties for item, _ in held)


async def test_what_was_dropped_is_logged_once(ingestion, client, caplog):
    ingestion.answers = [402, 402, 402]
    telemetry = client(ingestion.url)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            send(telemetry, 1)
            await settled(telemetry)
    lines = [line for record in caplog.records if "dropped" in (line := record.getMessage())]
    assert lines == ["Telemetry was dropped: HTTP 402."]
    assert telemetry.state().dropped == 3


async def test_no_caller_waits_for_a_service_that_hangs(ingestion, client):
    ingestion.answers = [hang]
    telemetry = client(ingestion.url)
    send(telemetry)
    await ingestion.asked(1)
    for _ in range(1000):
        telemetry.event("e", {"a": "b"}, always=True)
    # the first batch still waits for its answer
    state = telemetry.state()
    assert (state.backlog, state.problem) == (COUNT + 1000, None)


async def test_an_item_that_cannot_be_encoded_loses_no_other_item(ingestion, client):
    telemetry = client(ingestion.url)
    telemetry.metric("m", float("nan"))
    telemetry.event("e", {"a": "\ud800"}, {"bad": float("inf"), "good": 1.0}, always=True)
    [event] = await ingestion.arrived(1)
    assert event["data"]["baseData"]["measurements"] == {"good": 1.0}
    assert event["data"]["baseData"]["properties"]["a"] == "?"
    assert telemetry.state().dropped == 1
