"""Refusals in places where few programs store XMP, and in XMP that is longer than what is read."""

import io
import zlib

import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from shared.crawling.judging.judge import judge
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.embedded.conditions import OPTIONS
from tests.unit.crawling.judging.embedded.files import (
    data_mining,
    plain,
    with_png_chunk,
    with_segment,
    xmp,
)

OPTED_OUT = Rejected(Reason.OPTED_OUT, "iptc: DMI-PROHIBITED")
REFUSAL = data_mining("DMI-PROHIBITED")
SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
ITXT = b"XML:com.adobe.xmp\0\1\0\0\0"
LONG = xmp(f"<a>{'x' * (3 << 20)}</a><plus:DataMining>DMI-PROHIBITED</plus:DataMining>")


def picture():
    return Image.linear_gradient("L").convert("RGB").resize((96, 80))


def tiff_with_tag(tag, kind, value):
    directory = ImageFileDirectory_v2()
    directory.tagtype[tag] = kind
    directory[tag] = value
    out = io.BytesIO()
    picture().save(out, "TIFF", tiffinfo=directory)
    return out.getvalue()


def tiff_with_second_page():
    second = picture()
    second.encoderinfo = {"tiffinfo": {700: REFUSAL}}
    out = io.BytesIO()
    picture().save(out, "TIFF", save_all=True, append_images=[second])
    return out.getvalue()


def with_exif(image_format):
    exif = Image.Exif()
    exif[700] = REFUSAL
    out = io.BytesIO()
    picture().save(out, image_format, exif=exif)
    return out.getvalue()


def raw_profile(name, content):
    digits = content.hex().encode()
    lines = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = b"\n%s\n%8d\n" % (name, len(content)) + lines
    return with_png_chunk(b"zTXt", b"Raw profile type %s\0\0" % name + zlib.compress(text))


def many_packets():
    data = plain("jpeg")
    for packet in (REFUSAL.decode().encode("utf-16"), *[xmp("<dc:creator>a</dc:creator>")] * 9):
        data = with_segment(0xE1, SEGMENT + packet, data)
    return data


@pytest.mark.parametrize(
    "data",
    [
        with_png_chunk(b"iTXt", ITXT + zlib.compress(LONG)),
        raw_profile(b"xmp", REFUSAL),
        raw_profile(b"xmp", LONG),
        raw_profile(b"APP1", SEGMENT + REFUSAL),
        plain("png") + REFUSAL,
        *map(with_exif, ("PNG", "JPEG", "WEBP")),
        tiff_with_tag(700, 7, REFUSAL),
        tiff_with_tag(700, 2, REFUSAL.decode("latin-1")),
        tiff_with_second_page(),
        plain("gif") + REFUSAL,
        plain("webp") + REFUSAL,
        with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/ " + REFUSAL),
        many_packets(),
    ],
    ids=[
        "long compressed text", "raw profile", "long raw profile", "raw segment", "after the end of a PNG",
        "EXIF of a PNG", "EXIF of a JPEG", "EXIF of a WebP", "undefined tag", "ASCII tag", "second page",
        "after the end of a GIF", "after the end of a WebP", "odd name", "tenth packet",
    ],
)  # fmt: skip
def test_odd_places_and_length_hide_no_refusal(data):
    assert judge(data, OPTIONS) == OPTED_OUT


@pytest.mark.parametrize("digits", ["0", "zz", "3"])
def test_a_damaged_raw_profile_hides_no_refusal(digits):
    text = b"\nxmp\n1\n" + REFUSAL.hex().encode() + digits.encode()
    data = with_png_chunk(b"tEXt", b"Raw profile type xmp\0" + text)
    assert judge(data, OPTIONS) == OPTED_OUT
