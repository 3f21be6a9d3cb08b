"""Files with oddities that harm no pixel are kept. Damage is noticed in files with such oddities, too."""

import random
import struct
import zlib

import numpy as np
import pytest

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.expect import accepted
from tests.unit.crawling.judging.pictures import encoded, profile, turned

BASELINE, PROGRESSIVE = encoded("JPEG"), encoded("JPEG", progressive=True)
CMYK = encoded("JPEG", mode="CMYK")


def stray_before_end(data: bytes, stray: bytes = b"\0\0\0\0") -> bytes:
    return data[:-2] + stray + b"\xff\xd9"


def stray_between(data: bytes, stray: bytes = b"\0\7") -> bytes:
    return data.replace(b"\xff\xdb", stray + b"\xff\xdb", 1)


def jfif_2(data: bytes) -> bytes:
    return data.replace(b"JFIF\0\1\1", b"JFIF\0\2\1")


def adobe_9(data: bytes) -> bytes:
    at = data.index(b"Adobe")
    return data[: at + 11] + b"\x09" + data[at + 12 :]


def odd_scan(data: bytes) -> bytes:
    """Declares a scan without coefficients, as some phones do. A sequential scan always has all of them."""
    return data.replace(b"\0\x3f\0", b"\0\0\0", 1)


HARMLESS = {
    "stray bytes before the end": (BASELINE, stray_before_end),
    "many zeros before the end": (BASELINE, lambda data: stray_before_end(data, bytes(5000))),
    "stray bytes before the end of a progressive one": (PROGRESSIVE, stray_before_end),
    "stray bytes between segments": (BASELINE, stray_between),
    "many zeros between segments": (BASELINE, lambda data: stray_between(data, bytes(5000))),
    "another JFIF": (BASELINE, jfif_2),
    "another Adobe": (CMYK, adobe_9),
    "an odd scan": (BASELINE, odd_scan),
    "two at once": (PROGRESSIVE, lambda data: stray_before_end(jfif_2(data))),
    "all at once": (BASELINE, lambda data: odd_scan(stray_before_end(jfif_2(stray_between(data))))),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_complete_jpeg_with_a_harmless_oddity_is_kept(name):
    whole, spoil = HARMLESS[name]
    odd = spoil(whole)
    assert odd != whole
    found = inspect(odd, Filters(), None)
    assert isinstance(found, Inspected), found
    if whole is not CMYK:
        assert np.array_equal(found.pixels, accepted(inspect(whole, Filters(), None)).pixels)


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_cut_is_noticed_in_a_jpeg_with_a_harmless_oddity(name, share):
    whole, spoil = HARMLESS[name]
    cut = whole[: int(len(whole) * share)] + b"\xff\xd9"
    found = inspect(spoil(cut), Filters())
    assert isinstance(found, Rejected), found
    assert found.reason in {Reason.TRUNCATED, Reason.CORRUPT}


@pytest.mark.parametrize("name", HARMLESS)
def test_damage_that_a_strict_decoder_notices_is_noticed_in_a_jpeg_with_a_harmless_oddity(name):
    """Only damage that a strict decoder notices counts, because wrong codes may still be valid codes."""
    whole, spoil = HARMLESS[name]
    chance = random.Random(name)
    noticed = 0
    for _ in range(40):
        damaged = bytearray(whole)
        start = whole.index(b"\xff\xda") + 20
        for _ in range(chance.choice((1, 3, 40))):
            damaged[chance.randrange(start, len(whole) - 2)] = chance.randrange(256)
        if isinstance(inspect(bytes(damaged), Filters()), Rejected):
            noticed += 1
            found = inspect(spoil(bytes(damaged)), Filters())
            assert isinstance(found, Rejected), found
    assert noticed > 5


@pytest.mark.parametrize("stray", [b"\0\0\1\0", bytes(range(1, 200)), b"\x55" * 9])
def test_stray_bytes_that_may_be_from_a_damaged_scan_are_refused(stray):
    assert isinstance(inspect(stray_before_end(BASELINE, stray), Filters()), Rejected)


def test_stray_bytes_that_may_be_a_lost_segment_are_refused():
    lost = CMYK.replace(b"\xff\xee", b"\1\xee", 1)
    assert isinstance(inspect(lost, Filters()), Rejected)


def with_chunk(kind: bytes, body: bytes, *, data: bytes | None = None, bad: bool = False) -> bytes:
    data = data or encoded("PNG")
    checksum = zlib.crc32(kind + body) ^ bad
    return data[:33] + struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum) + data[33:]


@pytest.mark.parametrize(
    "data",
    [
        with_chunk(b"tEXt", b"a\0b", bad=True),
        with_chunk(b"gAMA", b"\0\0\0\1", bad=True),
        with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000))),
        with_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000))),
    ],
)
def test_a_png_with_bad_ancillary_chunks_is_kept(data):
    found = inspect(data, Filters(), None)
    assert isinstance(found, Inspected), found
    assert np.array_equal(found.pixels, accepted(inspect(encoded("PNG"), Filters(), None)).pixels)


def test_a_mended_png_keeps_its_orientation_and_its_profile():
    found = inspect(with_chunk(b"tEXt", b"a\0b", data=turned(6, "PNG"), bad=True), Filters())
    assert accepted(found).orientation == 6
    found = inspect(
        with_chunk(b"tEXt", b"a\0b", data=encoded("PNG", icc_profile=profile()), bad=True), Filters()
    )
    assert accepted(found).profile == profile()


def test_a_png_with_bad_notes_and_damaged_pixels_is_corrupt():
    data = bytearray(with_chunk(b"tEXt", b"a\0b", bad=True))
    data[len(data) // 2] ^= 1
    assert inspect(bytes(data), Filters()) == Rejected(Reason.CORRUPT, "a checksum is wrong")
