"""Answers with odd heads from real servers, for images and for sources."""

import asyncio
import gzip
import zlib

import pytest

from shared.crawling.fetching.download import Fetched
from shared.errors import Unavailable
from shared.records.records import Reason, Rejected
from shared.web.http.client import WebRequest
from tests.unit.crawling.fetching.asking import ask
from tests.unit.crawling.fetching.hostile import OK, body_of, raw_server
from tests.unit.loopback import asking

BODY = b"here"


def chunked(*headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return OK + b"Transfer-Encoding: chunked\r\n" + lines + b"\r\n4\r\nhere\r\n0\r\n\r\n"


def zipped(*encodings: bytes, data: bytes = b"") -> bytes:
    return body_of(data or gzip.compress(BODY), *(b"Content-Encoding:" + encoding for encoding in encodings))


GOOD = {
    "x-gzip": zipped(b" x-gzip"),
    "X-GZIP": zipped(b"X-GZIP"),
    "gzip and identity": zipped(b" gzip, identity"),
    "identity and gzip in two fields": zipped(b" identity", b" gzip"),
    "gzip with a parameter": zipped(b" gzip; q=1"),
    "gzip with empty elements": zipped(b" ,gzip,"),
    "Deflate": zipped(b" Deflate", data=zlib.compress(BODY)),
    "raw deflate": zipped(b" deflate", data=zlib.compress(BODY, wbits=-15)),
    "identity": zipped(b" Identity", data=BODY),
    "no coding": zipped(b"", data=BODY),
    "a charset for a coding": zipped(b" utf-8", data=BODY),
    "the same length twice": body_of(BODY, b"Content-Length: 4"),
    "the same length thrice": body_of(BODY, b"content-length:4", b"CONTENT-LENGTH: 04"),
    "the same length in a list": body_of(BODY, length=b"4, 4"),
    "a length and chunks": chunked(b"Content-Length: 77"),
    "a long field": body_of(BODY, b"Content-Security-Policy: " + b"x" * 30_000),
    "many long fields": body_of(BODY, *[b"Set-Cookie: " + b"x" * 4000] * 30),
    "many fields": body_of(BODY, *[b"Link: x"] * 120),
    "hints before it": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    b"HTTP/1.1 100 Continue\r\n\r\n" + body_of(BODY, b"Content-Length: 4"),
    "bare line feeds": body_of(BODY, b"Content-Length: 4").replace(b"\r\n", b"\n"),
    "a blank line before it": b"\r\n" + body_of(BODY, b"Content-Length: 4"),
}
BAD = {
    "two lengths": (body_of(BODY, b"Content-Length: 5"), Reason.HTTP_ERROR, "the answer is no valid HTTP"),
    "two lengths in a list": (body_of(BODY, length=b"4, 5"), Reason.HTTP_ERROR, "the answer is no valid HTTP"),
    "too long a field": (
        body_of(BODY, b"X: " + b"y" * 40_000),
        Reason.TOO_MANY_BYTES,
        "one of its header fields has more than 32,768 bytes",
    ),
    "too many fields": (
        body_of(BODY, *[b"X: y"] * 200),
        Reason.TOO_MANY_BYTES,
        "it has more than 128 header fields",
    ),
    "too large a head": (
        body_of(BODY, *[b"X: " + b"y" * 3000] * 100),
        Reason.TOO_MANY_BYTES,
        "its headers have more than 131,072 bytes",
    ),
    "a head without an end": (
        OK + b"X: y\r\n" + b"y" * 34_000,
        Reason.TOO_MANY_BYTES,
        "one of its header fields has more than 32,768 bytes",
    ),
    "gzip twice": (
        zipped(b" gzip, gzip", data=gzip.compress(gzip.compress(BODY))),
        Reason.UNSUPPORTED_FORMAT,
        "its content-encoding (gzip, gzip) is not read",
    ),
    "compress": (zipped(b" compress"), Reason.UNSUPPORTED_FORMAT, "its content-encoding (compress) is not read"),
    "brotli in a list": (
        zipped(b" identity, BR"),
        Reason.UNSUPPORTED_FORMAT,
        "its content-encoding (br or zstd) was not asked for",
    ),
    "half a head": (OK + b"Content-Length", Reason.CONNECTION_FAILED, "ServerDisconnectedError"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
async def test_an_image_with_an_odd_head_is_fetched(name, make_fetcher):
    async with raw_server(GOOD[name]) as base:
        assert await ask(make_fetcher(), f"{base}/x.jpg") == Fetched(BODY, f"{base}/x.jpg")


@pytest.mark.parametrize("name", GOOD)
async def test_sources_read_an_answer_with_an_odd_head(name):
    async with raw_server(GOOD[name]) as base, asking() as client:
        assert (await client.send(WebRequest(f"{base}/x"))).body == BODY


@pytest.mark.parametrize("name", BAD)
async def test_the_rejection_of_a_head_names_what_is_wrong_with_it(name, make_fetcher):
    answer, reason, detail = BAD[name]
    async with raw_server(answer) as base:
        assert await ask(make_fetcher(), f"{base}/x.jpg") == Rejected(reason, detail)


@pytest.mark.parametrize("name", ["too long a field", "too many fields", "too large a head", "gzip twice"])
async def test_the_error_for_sources_names_the_limit_that_an_answer_exceeds(name):
    answer, _, detail = BAD[name]
    async with raw_server(answer) as base, asking() as client:
        with pytest.raises(Unavailable, match=detail if "header" in detail else "gzip, gzip"):
            await client.send(WebRequest(f"{base}/x"))


@pytest.mark.parametrize("name", ["x-gzip", "the same length twice", "hints before it", "bare line feeds"])
async def test_a_head_that_arrives_in_pieces_is_read(name, make_fetcher):
    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in GOOD[name]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async with raw_server(drip) as base:
        assert await ask(make_fetcher(), f"{base}/x.jpg") == Fetched(BODY, f"{base}/x.jpg")


async def test_a_connection_is_reused_after_odd_heads():
    connections = 0

    async def meet(reader, writer):
        nonlocal connections
        connections += 1
        for number in range(6):
            await reader.readuntil(b"\r\n\r\n")
            writer.write((GOOD["x-gzip"], GOOD["the same length twice"], body_of(BODY))[number % 3])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with server, asking() as client:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert [(await client.send(WebRequest(f"{base}/x"))).body for _ in range(6)] == [BODY] * 6
    assert connections == 1
