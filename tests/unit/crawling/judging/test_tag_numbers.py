"""Directories of TIFFs and of EXIF with very many numbers are not read, because Pillow makes an object of each."""

import struct
import zlib

import pytest
from PIL import Image

from shared.crawling.judging.decoding.tag_numbers import (
    MAX_EXIF_NUMBERS,
    MAX_TIFF_NUMBERS,
    has_too_many_numbers,
)
from shared.crawling.judging.header import read_header
from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.pictures import encoded

ANY = Filters(
    min_width=1, min_height=1, max_aspect_ratio=1000, formats=("jpeg", "png", "webp", "tiff", "avif")
)
TOO_MANY = Rejected(Reason.CORRUPT, "too many numbers in its tags")
OCTET, SHORT, LONG, RATIONAL = 1, 3, 4, 5
EXIF, GPS = 34665, 34853


def directory(*entries, after=0, order="<"):
    packed = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    return struct.pack(f"{order}H", len(entries)) + packed + struct.pack(f"{order}I", after)


def tiff(*entries, rest=b"", order="<"):
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(f"{order}I", 8) + directory(*entries, order=order) + rest


def numbers(tag, kind, count, order="<"):
    """Returns a TIFF's header and one directory, with one tag of many numbers behind it."""
    return tiff((tag, kind, count, 26), rest=bytes(8 * count), order=order)


def exif(kind=RATIONAL, count=MAX_EXIF_NUMBERS + 1, orientation=6):
    return tiff((274, SHORT, 1, orientation), (0x9000, kind, count, 38), rest=b"\1\0\0\0" * 2 * count)


def picture_of_tiles(count):
    """Returns an uncompressed picture in tiles of one pixel, which all show the same octet of the file."""
    shape = [(256, LONG, 1, count // 600), (257, LONG, 1, 600), (258, SHORT, 1, 8), (259, SHORT, 1, 1)]
    tiles = [(262, SHORT, 1, 1), (322, LONG, 1, 1), (323, LONG, 1, 1), (324, LONG, count, 110)]
    return tiff(*shape, *tiles, rest=b"\x09\0\0\0" * count)


def test_a_tiff_in_too_many_tiles_is_rejected_before_it_is_opened():
    """Five million tiles, in 20 MB, took a minute and 1.6 GB."""
    assert read_header(picture_of_tiles(300_000)) == TOO_MANY
    assert isinstance(inspect(picture_of_tiles(6000), ANY), Inspected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [SHORT, LONG, RATIONAL])
def test_numbers_of_all_types_and_both_orders_count(kind, order):
    assert has_too_many_numbers(numbers(282, kind, 1000, order), 1000)
    assert not has_too_many_numbers(numbers(282, kind, 999, order), 1000)


def test_the_numbers_of_later_pages_and_of_inner_directories_count():
    many = directory((282, LONG, 600, 60))
    for first in (
        directory((282, LONG, 600, 60), after=26),
        directory((EXIF, LONG, 1, 26), (1, LONG, 600, 60)),
    ):
        assert has_too_many_numbers(
            b"II*\0\x08\0\0\0" + first[:18].ljust(18, b"\0") + many + bytes(9000), 601
        )


def test_a_bigtiff_is_read_like_any_other():
    entry = struct.pack("<HHQQ", 282, LONG, 1000, 52)
    data = struct.pack("<4sHHQQ", b"II+\0", 8, 0, 16, 1) + entry + bytes(8 + 4000)
    assert has_too_many_numbers(data, 1000)
    assert not has_too_many_numbers(data, 1001)


def test_directories_that_lead_to_themselves_end():
    assert not has_too_many_numbers(b"II*\0\x08\0\0\0" + directory((282, LONG, 1, 1), after=8), 100)
    assert has_too_many_numbers(b"II*\0\x08\0\0\0" + directory((EXIF, LONG, 1, 8)), 100)


def test_octets_lengths_of_strips_and_values_that_are_not_there_do_not_count():
    assert not has_too_many_numbers(numbers(700, OCTET, 50_000), 100)
    assert not has_too_many_numbers(numbers(279, LONG, 50_000), 100)
    assert not has_too_many_numbers(tiff((282, LONG, 4_000_000_000, 26)), 100)


@pytest.mark.parametrize(
    "data", [b"", b"II*\0", b"II*\0\xff\0\0\0", b"II*\0\x08\0\0\0\xff\xff", b"II+\0" + b"\xff" * 60]
)
def test_a_directory_that_is_cut_short_has_no_more_numbers(data):
    assert not has_too_many_numbers(data, MAX_TIFF_NUMBERS)


def in_png(content):
    whole = encoded("PNG")
    chunk = struct.pack(">I", len(content)) + b"eXIf" + content
    return whole[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + whole[33:]


def in_jpeg(content):
    whole, segments = encoded("JPEG"), b""
    for at in range(0, len(content), 65_000):
        part = b"Exif\0\0" + content[at : at + 65_000]
        segments += b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part
    return whole[:20] + segments + whole[20:]


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("form", ["png", "webp", "jpeg"])
def test_exif_with_too_many_numbers_is_not_read(form, orientation, monkeypatch):
    content = exif(orientation=orientation)
    files = {"png": in_png, "webp": lambda each: encoded("WEBP", exif=each), "jpeg": in_jpeg}
    data = files[form](content)
    written: list[object] = []
    monkeypatch.setattr(Image.Exif, "tobytes", written.append)
    found = inspect(data, ANY)
    assert isinstance(found, Inspected), found
    assert written == []
    # Pillow does not read the EXIF of an upright JPEG
    if form != "jpeg" or orientation != 1:
        assert found.mended == ("segments" if form == "jpeg" else "notes")
        assert len(found.data) < len(data) - len(content)
