"""Stored files have no notes that loaders refuse."""

import io
import random
import resource
import struct
import subprocess
import sys
import time
import warnings
import zlib
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.png_parts import END, chunk, header, png, rows, stored
from tests.unit.crawling.judging.pictures import encoded, profile, turned

PNG = encoded("PNG")
MEGABYTE = 1 << 20


def noted(kind: bytes, body: bytes, times: int = 1, *, behind: bool = False, data: bytes = PNG) -> bytes:
    at = len(data) - 12 if behind else 33
    return data[:at] + chunk(kind, body) * times + data[at:]


@cache
def packed(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


HEAVY = {
    "a packed text of 60 MB": noted(b"zTXt", b"a\0\0" + packed(60_000_000)),
    "a packed text of 60 MB behind the pixels": noted(b"zTXt", b"a\0\0" + packed(60_000_000), behind=True),
    "an international text of 60 MB": noted(b"iTXt", b"a\0\1\0\0\0" + packed(60_000_000)),
    "a profile of 80 MB": noted(b"iCCP", b"a\0\0" + packed(80_000_000)),
    "a profile of 80 MB behind the pixels": noted(b"iCCP", b"a\0\0" + packed(80_000_000), behind=True),
    "texts of 90 MB in all": noted(b"zTXt", b"a\0\0" + packed(900_000), 100),
    "texts of 90 MB in all, behind the pixels": noted(b"zTXt", b"a\0\0" + packed(900_000), 100, behind=True),
    "a text of 18 MB": noted(b"tEXt", b"a\0" + bytes(18_000_000)),
    "an unknown note of 9 MB": noted(b"prVt", noise(9_000_000)),
    "a profile and a text at once": noted(
        b"iCCP", b"a\0\0" + packed(2 * MEGABYTE), data=noted(b"zTXt", b"a\0\0" + packed(2 * MEGABYTE))
    ),
}


def load_as_datasets_do(data: bytes) -> Image.Image:
    """Opens the file with Pillow's own limits, and turns every warning into an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = Image.open(io.BytesIO(data))
        image.load()
        return ImageOps.exif_transpose(image) if 0x0112 in image.getexif() else image


@pytest.mark.parametrize("name", HEAVY)
def test_a_png_is_stored_without_notes_that_loaders_refuse(name):
    found = inspect(HEAVY[name], Filters(max_bytes=100_000_000))
    assert isinstance(found, Inspected), found
    assert found.mended
    assert len(found.data) < len(HEAVY[name])
    assert np.array_equal(np.asarray(load_as_datasets_do(found.data)), np.asarray(load_as_datasets_do(PNG)))


def test_notes_that_loaders_read_are_stored_unchanged():
    data = noted(b"tEXt", b"Comment\0of a few words", 5000, data=encoded("PNG", icc_profile=profile()))
    found = inspect(data, Filters())
    assert isinstance(found, Inspected)
    assert (found.data, found.mended) == (data, "")
    assert found.profile == profile()
    assert load_as_datasets_do(found.data).size == (320, 240)


def test_a_png_loses_only_the_notes_that_loaders_refuse():
    whole = noted(b"tEXt", b"Comment\0a note", data=turned(6, "PNG"))
    found = inspect(noted(b"zTXt", b"a\0\0" + packed(2 * MEGABYTE), data=whole), Filters())
    assert isinstance(found, Inspected)
    assert found.data == whole
    assert (found.orientation, found.mended) == (6, "notes")


BROKEN_EXIF = {
    "none": b"garbage!",
    "its beginning": b"II*\0",
    "another order": b"XX*\0\x08\0\0\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("name", BROKEN_EXIF)
@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG"])
def test_a_picture_with_broken_exif_is_stored_so_that_loaders_can_rotate_it(form, name):
    data = encoded(form, exif=b"Exif\0\0" + BROKEN_EXIF[name])
    found = inspect(data, Filters())
    assert isinstance(found, Inspected), found
    assert found.orientation == 1
    assert load_as_datasets_do(found.data).size == (320, 240)


def test_a_webp_loses_only_its_broken_exif():
    data = encoded("WEBP", exif=b"garbage!", icc_profile=profile(), xmp=b"<x/>")
    found = inspect(data, Filters())
    assert isinstance(found, Inspected)
    assert (found.mended, found.profile) == ("notes", profile())
    image = load_as_datasets_do(found.data)
    assert (image.info["icc_profile"], image.info["xmp"]) == (profile(), b"<x/>")
    assert "exif" not in image.info


TWENTY_MB = 20_000_000
MANY = {
    "profiles": (b"iCCP", b"a\0\0" + packed(900_000)),
    "profiles that are too large": (b"iCCP", b"a\0\0" + packed(2 * MEGABYTE)),
    "texts": (b"zTXt", b"a\0\0" + packed(900_000)),
    "texts that are too large": (b"zTXt", b"a\0\0" + packed(2 * MEGABYTE)),
    "EXIF": (b"eXIf", Image.Exif().tobytes()[6:] or b"II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "EXIF in texts": (b"tEXt", b"Raw profile type exif\0\nexif\n 14\n49492a00080000000000000000000"),
    "transparency": (b"tRNS", bytes(6)),
}


@pytest.mark.parametrize(("color", "right"), [(0, 2), (2, 6), (4, 2), (6, 6)])
def test_a_background_of_a_wrong_length_is_removed(color, right):
    for length in range(9):
        data = png([header(color), (b"bKGD", bytes(length)), (b"IDAT", stored(rows(color))), END])
        found = inspect(data, Filters(min_width=1, min_height=1))
        assert isinstance(found, Inspected)
        assert (found.mended == "") == (found.data == data) == (length == right)
        assert cv2.imdecode(np.frombuffer(found.data, np.uint8), cv2.IMREAD_UNCHANGED) is not None


@pytest.mark.parametrize("name", MANY)
def test_very_many_notes_take_little_time(name):
    kind, body = MANY[name]
    data = noted(kind, body, min(TWENTY_MB // (len(body) + 12), 190_000))
    began = time.process_time()
    assert isinstance(inspect(data, Filters(max_bytes=30_000_000)), Inspected)
    # it takes about two seconds; it would take hours if the time grew faster than the file
    assert time.process_time() - began < 40


def black(side: int) -> bytes:
    """Returns a PNG of black rows, compressed as much as deflate permits."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    stream = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png([header(side=side), (b"IDAT", stream), END])


SCRIPT = """
import resource, sys
from shared.crawling.judging.inspect import inspect
from shared.crawling.options import Filters
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = inspect(data, Filters())
print(found.reason, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_no_pixels_of_a_png_are_read_before_their_number_is_checked():
    data = black(10_000)
    assert len(data) < 400_000
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "ignore", "-c", SCRIPT], input=data, capture_output=True, check=True
    )
    reason, kilobytes = done.stdout.split()
    assert reason == b"too_many_pixels"
    assert int(kilobytes) < 30_000


def test_rows_are_checked_in_little_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stream = zlib.compress(bytes(3001 * 7000 * 3), 9)
    data = png([(b"IHDR", struct.pack(">IIBBBBB", 7000, 7000, 8, 2, 0, 0, 0)), (b"IDAT", stream), END])
    found = inspect(data, Filters())
    assert found == Rejected(Reason.CORRUPT, "rows are missing")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize("surplus", [1, 1000, 500_000])
def test_some_bytes_after_the_last_row_are_ignored(surplus):
    stream = zlib.compress(bytes(241 * 240 + surplus))
    data = png([(b"IHDR", struct.pack(">IIBBBBB", 240, 240, 8, 0, 0, 0, 0)), (b"IDAT", stream), END])
    assert isinstance(inspect(data, Filters()), Inspected)


def test_very_many_bytes_after_the_last_row_are_refused():
    stream = zlib.compress(bytes(300_000_000), 9)
    data = png([(b"IHDR", struct.pack(">IIBBBBB", 240, 240, 8, 0, 0, 0, 0)), (b"IDAT", stream), END])
    assert inspect(data, Filters()) == Rejected(Reason.CORRUPT, "far more rows than the picture has")
