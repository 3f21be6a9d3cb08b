"""Answers that no ingestion service should give lose nothing, repeat nothing and delay no flush for long."""

import asyncio

import pytest
from aiohttp import web

from tests.unit.telemetry.ingestion import (
    COUNT,
    ingestion_server,
    partly,
    send,
    settled,
    until,
    with_headers,
)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        '{"errors": null}',
        '{"errors": [{"index": 1e999, "statusCode": 500}]}',
        '{"errors": [{"index": NaN, "statusCode": 500}]}',
        '{"errors": ' + "[" * 100_000,
    ],
)
async def test_a_part_whose_refusals_cannot_be_read_is_not_sent_twice(ingestion, client, body):
    async def answer(_request, items):
        ingestion.take(items)
        return web.Response(status=206, text=body)

    ingestion.answers = [answer]
    telemetry = client(ingestion.url)
    send(telemetry)
    assert (await settled(telemetry)).dropped == COUNT
    assert len(ingestion.items) == COUNT


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 100\r\n\r\nshort",
        b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_an_accepted_batch_is_not_sent_again_because_its_answer_is_cut_short(ingestion, client, rest):
    async def answer(request, items):
        ingestion.take(items)
        request.transport.write(b"HTTP/1.1 200 OK\r\n" + rest)
        request.transport.close()
        return web.Response()

    ingestion.answers = [answer]
    telemetry = client(ingestion.url)
    send(telemetry)
    assert (await settled(telemetry)).dropped == 0
    assert len(ingestion.items) == COUNT


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "http://127.0.0.1:99999/", "http://a..b/"])
async def test_a_redirect_to_a_host_that_takes_nothing_is_given_up(ingestion, client, location):
    ingestion.answers = [with_headers(307, Location=location)]
    telemetry = client(ingestion.url)
    send(telemetry)
    await ingestion.arrived(COUNT)
    assert len(ingestion.requests) == 2


async def test_when_the_host_of_a_redirect_is_gone_the_first_one_is_asked_again(ingestion, client):
    telemetry = client(ingestion.url)
    async with ingestion_server() as other:
        ingestion.answers = [with_headers(308, Location=other.url)]
        send(telemetry)
        await other.arrived(COUNT)
    send(telemetry)
    await ingestion.arrived(COUNT)
    assert (await settled(telemetry)).dropped == 0


async def test_no_flush_waits_for_an_answer_whose_headers_drip(client):
    enough = asyncio.Event()

    async def drip(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not enough.is_set():
            writer.write(b"a: b\r\n")
            await asyncio.sleep(0.1)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    telemetry = client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_seconds=0.5)
    send(telemetry)
    await until(telemetry._sender._is_late)
    # on a busy machine, the next piece of the headers may come too late, too
    assert telemetry.state().problem in {"the service is slow to answer", "no answer: ReadTimeout"}
    async with asyncio.timeout(20):
        for _ in range(10):
            await telemetry.flush(60)
    enough.set()
    server.close()


async def test_a_service_that_refuses_every_item_of_batches_is_asked_until_it_takes_them(ingestion, client):
    ingestion.answers = [partly(dict.fromkeys(range(COUNT), 429), ingestion) for _ in range(8)]
    telemetry = client(ingestion.url, back_off_seconds=0.002)
    send(telemetry)
    await until(lambda: telemetry.state().problem is not None)
    assert telemetry.state().last_success is None
    assert (await settled(telemetry)).dropped == 0
    assert len(ingestion.items) == COUNT
