"""A file in an unsupported variant of a supported format is not called damaged. Its rejection names the variant."""

import struct
import subprocess
import sys

import pytest
from PIL import Image

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.jpeg_writer import Shape, jpeg, lossless, with_frame
from tests.expect import rejected
from tests.unit.crawling.judging.pictures import encoded, picture, saved

ALL = Filters(formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))
TIFF, BMP, AVIF, WEBP = (encoded(form) for form in ("TIFF", "BMP", "AVIF", "WEBP"))
GREY_TIFF = encoded("TIFF", mode="L")


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """Returns a little-endian TIFF in which one tag has another value."""
    changed = bytearray(data)
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    places = [
        place
        for place in range(at + 2, at + 2 + 12 * count, 12)
        if data[place : place + 2] == tag.to_bytes(2, "little")
    ]
    struct.pack_into("<HII", changed, places[0] + 2, 3, 1, value)
    return bytes(changed)


def tiff_of_jpeg(stream: bytes, side: int = 300, compression: int = 7, order: str = "<") -> bytes:
    """Returns a TIFF with one strip, which is a JPEG."""
    tags = {
        256: side,
        257: side,
        258: 8,
        259: compression,
        262: 6,
        273: 8,
        277: 3,
        278: side,
        279: len(stream),
    }
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(
        f"{order}I", 8 + len(stream) + len(stream) % 2
    )
    fields = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags.items())
    return head + stream + bytes(len(stream) % 2) + struct.pack(f"{order}H", len(tags)) + fields + bytes(4)


def with_bmp(
    compression: int | None = None,
    bits: int | None = None,
    header: int | None = None,
    height: int | None = None,
) -> bytes:
    changed = bytearray(BMP)
    numbers = ((14, "<I", header), (22, "<i", height), (28, "<H", bits), (30, "<I", compression))
    for place, kind, value in numbers:
        if value is not None:
            struct.pack_into(kind, changed, place, value)
    return bytes(changed)


def with_byte(data: bytes, mark: bytes, place: int, value: int) -> bytes:
    at = data.index(mark) + len(mark) + place
    return data[:at] + bytes([value]) + data[at + 1 :]


SOUND_JPEG = jpeg(Shape(300, 300, ((1, 1),) * 3))
VARIANTS = {
    **{f"TIFF with {name}": with_tag(TIFF, 259, number) for number, name in (
        (9, "JBIG"), (10, "JBIG"), (32766, "NeXT RLE"), (32908, "Pixar film"), (33003, "JPEG 2000"),
        (34661, "JBIG"), (34712, "JPEG 2000"), (34887, "LERC"), (34892, "lossy JPEG of DNG"), (50001, "WebP"),
        (50002, "JPEG XL"), (0, "compression 0"), (1234, "compression 1234"))},
    **{f"TIFF in {words}": with_tag(TIFF, 262, number) for number, words in (
        (5, "inks, 3 samples of 8, 8, 8 bits"), (9, "ICCLab, 3 samples of 8, 8, 8 bits"),
        (32803, "a camera's raw colours, 3 samples of 8, 8, 8 bits"))},
    **{f"TIFF in grey, 1 samples of {bits} bits": with_tag(GREY_TIFF, 258, bits) for bits in (5, 10, 14, 24, 64)},
    "TIFF with lossless JPEG": tiff_of_jpeg(lossless(300, 300, 3)),
    "TIFF with arithmetic-coded JPEG": tiff_of_jpeg(with_frame(SOUND_JPEG, 0xC9)),
    "TIFF with JPEG of 12 bits": tiff_of_jpeg(jpeg(Shape(300, 300, ((1, 1),) * 3, 0xC1, bits=12))),
    "tiff in F": saved(picture().convert("F"), "TIFF"),
    "tiff in I": saved(picture().convert("I"), "TIFF"),
    "tiff in LAB": saved(picture().convert("LAB"), "TIFF"),
    "BMP with JPEG": with_bmp(4, 0),
    "BMP with PNG": with_bmp(5, 0),
    "BMP with alpha bit fields": with_bmp(6, 32),
    "BMP with CMYK": with_bmp(11, 32),
    "BMP with RLE of CMYK": with_bmp(12, 8),
    "BMP with compression 7": with_bmp(7),
    "BMP with unusual bit fields": with_bmp(3, 16),
    "BMP with Huffman codes": with_bmp(3, 1, header=64),
    "BMP with RLE of 24 bits": with_bmp(4, 24, header=64),
    "BMP with RLE of more than 10,000,000 pixels": with_bmp(1, 8, height=1_000_000),
    "BMP of 2 bits": with_bmp(bits=2),
    "BMP of 64 bits": with_bmp(bits=64),
    "BMP with another header": with_bmp(header=200),
    "AVIF with 'hvc1' pictures": AVIF.replace(b"av01", b"hvc1"),
    "AVIF with 'unci' pictures": AVIF.replace(b"av01", b"unci"),
    "AVIF of AV1 profile 3": with_byte(AVIF, b"av1C", 1, 0x60),
    "AVIF of AV1 configuration version 2": with_byte(AVIF, b"av1C", 0, 0x82),
    "AVIF of 12 bits in a profile without them": with_byte(AVIF, b"av1C", 2, 0x20),
    "WebP with 'ALPH'": WEBP[:12] + b"ALPH" + WEBP[16:],
    "WebP of VP8 profile 7": with_byte(WEBP, b"VP8 ", 4, WEBP[20] | 0x0E),
    "WebP without a key frame": with_byte(WEBP, b"VP8 ", 4, WEBP[20] | 1),
    "WebP of lossless version 7": with_byte(encoded("WEBP", lossless=True), b"VP8L", 8, 0xE0),
    "GIF of another version": b"GIF88a" + encoded("GIF")[6:],
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_the_rejection_of_an_unsupported_variant_names_it(name):
    assert inspect(VARIANTS[name], ALL) == Rejected(Reason.UNSUPPORTED_FORMAT, name)


def rle(compression: int, bits: int) -> bytes:
    """Returns a BMP of 80 by 80 pixels of one colour."""
    rows = bytes([80, 0x11, 0, 0]) * 80 + b"\0\1"
    palette = bytes(range(256)) * 4 if bits == 8 else bytes(range(64))
    head = struct.pack("<IiiHHIIiiII", 40, 80, 80, 1, bits, compression, len(rows), 0, 0, 0, 0)
    start = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + head + palette + rows


@pytest.mark.parametrize(
    "data",
    [
        *(encoded("TIFF", compression=name) for name in ("tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits")),
        *(encoded("TIFF", compression=name) for name in ("zstd", "lzma")),
        *(saved(picture().convert("1"), "TIFF", compression=name) for name in ("group3", "group4", "tiff_ccitt")),
        saved(picture(), "TIFF", big_tiff=True),
        tiff_of_jpeg(SOUND_JPEG),
        tiff_of_jpeg(SOUND_JPEG, order=">"),
        *(encoded("BMP", mode=mode) for mode in ("1", "L", "P", "RGB", "RGBA")),
        rle(1, 8),
        rle(2, 4),
        saved(Image.new("RGBA", (80, 80), "red"), "AVIF"),
        encoded("AVIF", subsampling="4:4:4"),
        encoded("AVIF", mode="L"),
        encoded("WEBP", lossless=True),
        saved(picture().convert("RGBA"), "WEBP"),
    ],
)  # fmt: skip
def test_a_supported_variant_is_kept(data):
    assert isinstance(inspect(data, ALL), Inspected), inspect(data, ALL)


@pytest.mark.parametrize("data", [TIFF, BMP, AVIF, WEBP])
def test_a_file_that_is_cut_is_not_called_an_unsupported_variant(data):
    for cut in range(12, 400, 7):
        assert rejected(inspect(data[:cut], ALL)).reason is not Reason.UNSUPPORTED_FORMAT, cut


FORGED = """
import random, sys
from shared.crawling.judging.inspect import inspect
from tests.unit.crawling.judging.test_variants import ALL, SOUND_JPEG, VARIANTS, lossless, tiff_of_jpeg, with_frame
files = [tiff_of_jpeg(lossless(side, side, 3), 300, compression) for side in (8, 300, 3000) for compression in (6, 7)]
files += [tiff_of_jpeg(b"\\xff\\xd8\\xff\\xfe\\0\\0" + lossless(300, 300, 3)[2:])]
files += [tiff_of_jpeg(with_frame(SOUND_JPEG, frame)) for frame in range(0xC0, 0xD0)]
files += [*VARIANTS.values()]
chance = random.Random(1)
for data in files:
    for _ in range(12):
        forged = bytearray(data)
        for _ in range(chance.randrange(4)):
            place = chance.choice((chance.randrange(4, 64), chance.randrange(len(forged) - 130, len(forged))))
            forged[place] = chance.randrange(256)
        inspect(bytes(forged), ALL.model_copy(update={"max_pixels": 4_000_000}))
"""


def test_a_forged_variant_crashes_no_process():
    run = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-W", "ignore", "-c", FORGED], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
