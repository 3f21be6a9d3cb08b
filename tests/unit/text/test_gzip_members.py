"""The reader of gzip from outside, and its limits."""

import gzip
import random
import zlib

import pytest

from shared.text.gzip_members import PIECE_BYTES, BadGzip, GzipLimits, unzip, unzip_stream

SMALL = GzipLimits(max_bytes=5_000_000, max_ratio=100, free_bytes=1_000_000)
NOISE = random.Random(1).randbytes(300_000)


def _all(data, limits=SMALL):
    """Returns the pieces, and the error at their end."""
    pieces: list[bytes] = []
    try:
        pieces.extend(unzip(data, limits))
    except BadGzip as error:
        return pieces, str(error)
    return pieces, None


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(NOISE),
        gzip.compress(NOISE[:1]) + gzip.compress(b"") + gzip.compress(NOISE[1:]),
        gzip.compress(NOISE) + bytes(70_000),
        gzip.compress(NOISE[:7]) + bytes(20_000) + gzip.compress(NOISE[7:]),
        b"".join(gzip.compress(NOISE[at : at + 100]) for at in range(0, len(NOISE), 100)),
    ],
    ids=["one member", "members", "padding", "padding between", "very many members"],
)
def test_members_are_one_stream_in_small_pieces(packed):
    pieces, problem = _all(packed)
    assert (b"".join(pieces) == NOISE, problem) == (True, None)
    assert max(map(len, pieces)) <= PIECE_BYTES


async def test_a_stream_is_read_the_same_however_it_is_cut():
    packed = gzip.compress(NOISE[:50]) + gzip.compress(NOISE[50:20_000])

    async def parts(size):
        for at in range(0, len(packed), size):
            yield packed[at : at + size]

    for size in (1, 7, 19_000, len(packed)):
        assert b"".join([piece async for piece in unzip_stream(parts(size), SMALL)]) == NOISE[:20_000]


@pytest.mark.parametrize(
    ("packed", "told", "least", "most"),
    [
        (gzip.compress(bytes(20_000_000)), "more than 100 times its size", 900_000, 2_100_000),
        (gzip.compress(b"\n" * 1_000_001), "more than 100 times its size", 900_000, 1_000_000),
        (gzip.compress(b"\n" * 999_999), None, 999_999, 999_999),
        (gzip.compress(NOISE * 20, 1), "more than 5,000,000 bytes", 4_900_000, 5_000_000),
        (gzip.compress(gzip.compress(bytes(9_000_000))), None, 8_000, 10_000),
        (gzip.compress(b"\n" * 20_000) * 999, "more than 100 times its size", 900_000, 5_000_000),
    ],
    ids=["zeros", "line feeds", "just within", "much", "within itself", "many small ones"],
)
def test_a_bomb_ends_at_a_limit_that_is_named(packed, told, least, most):
    pieces, problem = _all(packed)
    assert least <= sum(map(len, pieces)) <= most
    assert (told is None) == (problem is None)
    assert told is None or problem.endswith(told)


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        (b"no gzip", "is not gzip, or is broken"),
        (zlib.compress(NOISE), "is not gzip, or is broken"),
        (gzip.compress(NOISE)[:-1], "ends too early"),
        (gzip.compress(NOISE)[:5], "ends too early"),
        (gzip.compress(NOISE) + b"<html>", "is broken"),
        (gzip.compress(NOISE)[:-5] + b"\0" * 5, "is broken"),
    ],
)
def test_a_damaged_stream_raises_an_error(packed, told):
    assert _all(packed)[1] == told


def test_nothing_is_nothing():
    assert _all(b"") == ([], None)
    assert _all(bytes(100_000)) == ([], None)
