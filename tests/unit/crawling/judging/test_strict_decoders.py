"""Damage that Pillow ignores in formats without checksums: AVIF, and fax in TIFF."""

import io

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, TiffImagePlugin

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.pictures import picture, saved

ALL = Filters(min_width=1, min_height=1, formats=("tiff", "avif"))
SIZE = (320, 240)
FAX = ("tiff_ccitt", "group3", "group4")
FRAMES = [picture(SIZE).rotate(90 * number) for number in range(3)]
RGBA = picture(SIZE).convert("RGBA")
RGBA.putalpha(picture(SIZE).convert("L"))


def damaged(data: bytes, first: int, last: int, number: int) -> bytes:
    """Changes one byte, at the nth of twenty positions between the two."""
    at = first + (last - first) * number // 20
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def by_libheif(bits: int, *, lossless: bool) -> bytes:
    image = pyvips.Image.new_from_array(np.asarray(picture(SIZE)))
    return bytes(image.heifsave_buffer(compression="av1", bitdepth=bits, lossless=lossless, effort=0))


def fax(compression: str, **tags: int) -> bytes:
    numbers = {"white": 262, "order": 266, "rows": 278, "options": 292}
    told = {numbers[name]: value for name, value in tags.items()}
    return saved(picture(SIZE).convert("1"), "TIFF", compression=compression, tiffinfo=told)


def pillow_opens(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, RuntimeError):
        return False
    return True


@pytest.mark.parametrize("quality", [50, 75, 100])
def test_most_damaged_avifs_that_pillow_opens_are_refused(quality):
    data = saved(picture(SIZE), "AVIF", quality=quality)
    files = [damaged(data, data.index(b"mdat") + 200, len(data), number) for number in range(20)]
    opened = [file for file in files if pillow_opens(file)]
    found = [inspect(file, ALL) for file in opened]
    refused = [each for each in found if isinstance(each, Rejected)]
    assert len(opened) > 10
    assert len(refused) > len(opened) // 3
    assert {each.reason for each in refused} == {Reason.CORRUPT}


def test_an_avif_with_a_damaged_later_frame_is_refused():
    data = saved(FRAMES[0], "AVIF", save_all=True, append_images=FRAMES[1:])
    alone = len(saved(FRAMES[0], "AVIF"))
    found = [inspect(damaged(data, alone + 2000, len(data), number), ALL) for number in range(20)]
    refused = [each for each in found if isinstance(each, Rejected)]
    assert Rejected(Reason.CORRUPT, "damaged AV1 data in a further frame") in refused
    assert len(refused) > 6


@pytest.mark.parametrize("compression", FAX)
@pytest.mark.parametrize("page", [0, 1])
def test_most_tiffs_with_a_damaged_fax_page_are_refused(compression, page):
    pages = [picture(SIZE).convert("1"), picture((300, 200)).convert("1")]
    data = saved(pages[0], "TIFF", compression=compression, save_all=True, append_images=pages[1:])
    with Image.open(io.BytesIO(data)) as image:
        image.seek(page)
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        first = image.tag_v2[273][0]
        length = image.tag_v2[279][0]
    found = [
        inspect(damaged(data, first + length // 10, first + length * 9 // 10, number), ALL)
        for number in range(20)
    ]
    refused = [each for each in found if isinstance(each, Rejected)]
    assert set(refused) == {Rejected(Reason.CORRUPT, "fax codes that lead nowhere")}
    assert len(refused) > 5


@pytest.mark.parametrize(
    "data",
    [
        *(saved(picture(SIZE), "AVIF", subsampling=name) for name in ("4:2:0", "4:2:2", "4:4:4", "4:0:0")),
        saved(RGBA, "AVIF"),
        saved(RGBA, "AVIF", alpha_premultiplied=True),
        saved(picture(SIZE), "AVIF", range="limited", icc_profile=b"x" * 300, xmp=b"<x/>"),
        saved(picture((65, 33)), "AVIF"),
        saved(picture((800, 600)), "AVIF", tile_rows=2, tile_cols=2),
        saved(FRAMES[0], "AVIF", save_all=True, append_images=FRAMES[1:]),
        saved(RGBA, "AVIF", save_all=True, append_images=[RGBA.rotate(90)]),
        saved(picture(SIZE), "AVIF").replace(b"pixi", b"skip"),
        *(by_libheif(bits, lossless=lossless) for bits in (8, 10, 12) for lossless in (False, True)),
        *(fax(name, white=white, order=order) for name in FAX for white in (0, 1) for order in (1, 2)),
        *(fax(name, rows=rows) for name in FAX for rows in (1, 7)),
        *(fax("group3", options=options) for options in (0, 1, 4, 5)),
    ],
)
def test_sound_avifs_and_faxes_are_kept_unchanged(data):
    found = inspect(data, ALL)
    assert isinstance(found, Inspected), found
    assert found.data is data


def test_a_tiff_with_many_fax_pages_is_judged_quickly():
    page = picture((64, 64)).convert("1")
    data = saved(page, "TIFF", compression="group4", save_all=True, append_images=[page] * 300)
    found = inspect(data, ALL)
    assert isinstance(found, Inspected)
    assert found.frames == 301


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("rows", [7, 240])
def test_planes_of_16_bits_that_pillow_reads_wrongly_are_refused(order, rows):
    planes = np.asarray(picture(SIZE)).transpose(2, 0, 1).astype("u2") * 257
    out = io.BytesIO()
    tifffile.imwrite(
        out, planes, byteorder=order, photometric="rgb", planarconfig="separate", rowsperstrip=rows
    )
    assert inspect(out.getvalue(), ALL) == Rejected(
        Reason.UNSUPPORTED_FORMAT, "TIFF of 16 bits in planes that are not compressed"
    )
