"""Checking that a file is complete takes linear time, whatever the file declares."""

import struct
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest

from shared.crawling.judging.inspect import inspect
from shared.crawling.judging.picture.color import profile_name
from shared.crawling.judging.wholeness import check_whole
from shared.crawling.options import Filters, Format
from shared.records.records import Reason, Rejected
from tests.corpus.gif_parts import NOTE, control, frame, gif
from tests.unit.crawling.judging.pictures import encoded, profile, scan_bomb

BYTES = 20_000_000
SECONDS = 60  # what is linear takes one or two; what is not, hours


def tiff_of_one_array(fields: int = 65_000) -> bytes:
    """Returns a TIFF in which the offsets of strips in all fields are one array."""
    body = BYTES - 14 - 12 * fields
    field = struct.pack("<HHII", 273, 4, body // 4, 14 + 12 * fields)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", fields) + field * fields + bytes(4 + body)


def tiff_of_overlapping_pages(pages: int = 2000) -> bytes:
    """Returns a TIFF with directories of 60,000 fields that begin 12 bytes after each other."""
    fields = bytearray(BYTES)
    fields[:8] = b"II*\0\x08\0\0\0"
    for page in range(pages):
        at = 8 + 14 * page
        struct.pack_into("<H", fields, at, 60_000)
        struct.pack_into("<I", fields, at + 2 + 12 * 60_000, at + 14)
    return bytes(fields)


def padded_jpeg(filling: bytes, between: bytes = b"") -> bytes:
    whole = encoded("JPEG")
    return whole[:-2] + (between + b"\xff\xda\0\x02") * 70 + filling * (BYTES // len(filling)) + b"\0\xff\xd9"


HEAVY: dict[str, tuple[Format, Callable[[], bytes]]] = {
    "tiff whose fields share an array": ("tiff", tiff_of_one_array),
    "tiff of pages that overlap": ("tiff", tiff_of_overlapping_pages),
    "jpeg of fill bytes": ("jpeg", partial(padded_jpeg, b"\xff")),
    "jpeg of scans": ("jpeg", partial(padded_jpeg, b"\xff\xda\0\x02")),
    "jpeg of empty segments": ("jpeg", partial(padded_jpeg, b"\xff\xe0\0\x02")),
    "jpeg of restarts": ("jpeg", partial(padded_jpeg, b"\xff\xd0")),
    "gif of short blocks": ("gif", lambda: b"GIF89a" + bytes(7) + b"!\xfe" + b"\1a" * (BYTES // 2)),
    "gif of padding": ("gif", lambda: b"GIF89a" + bytes(BYTES)),
    "gif of extensions": ("gif", lambda: b"GIF89a" + bytes(7) + b"!\xfe\0" * (BYTES // 3)),
    "png of empty chunks": ("png", lambda: b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0teSt\0\0\0\0" * (BYTES // 12)),
    "avif of empty boxes": ("avif", lambda: b"\0\0\0\x08free" * (BYTES // 8)),
}


@pytest.mark.parametrize("name", HEAVY)
def test_checking_a_large_file_takes_linear_time(name):
    form, make = HEAVY[name]
    data = make()
    assert len(data) > BYTES * 0.9
    began = time.process_time()
    check_whole(data, form)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("most", "blocks"),
    [
        (200_000, lambda count: b"!\xfe\0" * count),
        (200_000, lambda count: b"!\xfe\1a\0" * (count // 2) + b"!\xfe\0" * (count - count // 2)),
        (999_999, lambda count: b"!\xfe" + b"\1a" * count + b"\0"),
        (999_999, lambda count: (b"!\xfe" + b"\1a" * (count // 3) + b"\0") * 3),
    ],
)
def test_a_gif_has_at_most_so_many_blocks_and_sub_blocks(most, blocks):
    assert check_whole(gif(blocks(most)), "gif") is None
    assert check_whole(gif(blocks(most + 3)), "gif") == Rejected(Reason.CORRUPT, "too many blocks")


def test_a_gif_of_too_many_blocks_is_rejected_with_its_reason():
    assert inspect(gif(control() + frame() + NOTE * 200_000), Filters(min_width=1, min_height=1)) == Rejected(
        Reason.CORRUPT, "too many blocks"
    )


def test_an_avif_has_at_most_so_many_boxes():
    box = b"\0\0\0\x08free"
    assert check_whole(box * 99_999, "avif") is None
    assert check_whole(box * 100_001, "avif") == Rejected(Reason.CORRUPT, "too many boxes")


@pytest.mark.parametrize("make", [tiff_of_one_array, tiff_of_overlapping_pages])
def test_a_tiff_whose_directories_overlap_is_corrupt(make):
    assert check_whole(make(), "tiff") == Rejected(Reason.CORRUPT, "directories that overlap")


@pytest.mark.parametrize("start", [b"II\0*", b"MM*\0", b"II*\0"])
def test_the_format_filter_rejects_a_tiff_before_it_is_read(start):
    data = start + tiff_of_one_array()[4:]
    assert inspect(data, Filters()) == Rejected(Reason.FORMAT_FILTERED, "tiff")


def test_scans_after_a_reserved_marker_between_restarts_are_counted():
    """When the decoder expects a restart marker, it skips such a marker and ignores the length that seems to follow."""
    whole = encoded("JPEG", progressive=True)
    first = whole.index(b"\xff\xda")
    scan = whole[first : whole.index(b"\xff", first + 2)]
    restarts = b"\xff\xdd\0\4\0\1"
    hidden = whole[:first] + restarts + scan + b"\xff\x02\xff\xff" + scan * 100 + bytes(65_535) + b"\xff\xd9"
    assert check_whole(hidden, "jpeg") == Rejected(Reason.CORRUPT, "more than 64 scans")


def test_scans_after_a_marker_without_a_length_are_counted():
    """TEM has no length, so the decoder reads the scans that follow it."""
    whole = encoded("JPEG", progressive=True)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    hidden = whole[:-2] + b"\xff\x01" + scan * 100 + b"\xff\xd9"
    assert check_whole(hidden, "jpeg") == Rejected(Reason.CORRUPT, "more than 64 scans")
    assert check_whole(scan_bomb(), "jpeg") == Rejected(Reason.CORRUPT, "more than 64 scans")


def test_large_profiles_are_not_kept_in_memory():
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for first in range(40):
            assert profile_name(bytes([first]) + bytes(3_000_000)) == "unknown"
            assert profile_name(bytes([first]) + bytes(5_000_000)) == "unknown"
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000
    assert profile_name(profile()) == "sRGB built-in"
