"""Headers of JPEGs are read as Pillow reads them, in a time that no file can raise."""

import io
import random
import struct
import time

import pytest
from PIL import Image

from shared.crawling.judging.inspect import inspect
from shared.crawling.judging.jpeg.header import JpegHeader, read_jpeg_header
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.pictures import encoded, picture, profile, saved, turned, whole_files

BYTES = 20_000_000
SECONDS = 5  # it takes milliseconds


def with_segments(*segments: tuple[int, bytes], data: bytes | None = None) -> bytes:
    """Returns the picture with these segments before its own."""
    data = data or encoded("JPEG")
    made = (bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body for code, body in segments)
    return data[:2] + b"".join(made) + data[2:]


def exif(order: str, *fields: tuple[int, int, int, int], more: bytes = b"") -> bytes:
    """Returns an EXIF segment with values of two bytes."""
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, len(fields))
    return (
        b"Exif\0\0"
        + start
        + b"".join(struct.pack(f"{order}HHIHxx", *each) for each in fields)
        + bytes(4)
        + more
    )


def in_parts(content: bytes, parts: int, order: list[int]) -> bytes:
    size = -(-len(content) // parts)
    return with_segments(
        *(
            (0xE2, b"ICC_PROFILE\0" + bytes([n + 1, parts]) + content[n * size : (n + 1) * size])
            for n in order
        )
    )


XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation%s6%s/>"
THUMBNAIL = saved(picture((64, 48)), "JPEG")
PLAIN = {
    **{name: data for name, (data, form, *_) in whole_files().items() if form == "jpeg" and name != "mpo"},
    **{f"turned {n} {order}": with_segments((0xE1, exif(order, (0x0100, 3, 1, 9), (0x0112, 3, 1, n))))
       for n in range(10) for order in "<>"},
    **{f"turned {n}": turned(n) for n in range(1, 9)},
    "no orientation": with_segments((0xE1, exif("<", (0x0100, 3, 1, 9)))),
    "two orientations": with_segments((0xE1, exif("<", (0x0112, 3, 1, 6), (0x0112, 3, 1, 3)))),
    "exif in two segments": with_segments((0xE1, exif("<", (0x0112, 3, 1, 6))), (0xE1, b"Exif\0\0more")),
    "thumbnail": with_segments((0xE1, exif(">", (0x0112, 3, 1, 8), more=THUMBNAIL))),
    "xmp": with_segments((0xE1, XMP % (b'="', b'"'))),
    "xmp elements": with_segments((0xE1, XMP % (b">", b"<"))),
    "xmp and exif": with_segments((0xE1, XMP % (b'="', b'"')), (0xE1, exif("<", (0x0112, 3, 1, 3)))),
    "exif elsewhere": with_segments((0xE2, exif("<", (0x0112, 3, 1, 3)))),
    "profile": encoded("JPEG", icc_profile=profile()),
    "large profile": encoded("JPEG", icc_profile=bytes(range(256)) * 1000),
    "profile in parts": in_parts(profile(), 3, [0, 1, 2]),
    "profile out of order": in_parts(profile(), 3, [2, 0, 1]),
    "profile with a part missing": in_parts(profile(), 3, [2, 0]),
    "adobe": saved(picture().convert("CMYK"), "JPEG"),
    "cmyk without adobe": saved(picture().convert("CMYK"), "JPEG").replace(b"Adobe", b"adobe"),
    "progressive grey": encoded("JPEG", mode="L", progressive=True),
    "fill bytes": encoded("JPEG").replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1),
    "stray bytes": encoded("JPEG").replace(b"\xff\xdb", b"\0\1\xff\0\xff\xdb", 1),
}  # fmt: skip


type Said = tuple[int, int, int, bool, int, bytes | None]


def of_pillow(data: bytes) -> Said | None:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            components = {"L": 1, "RGB": 3, "CMYK": 4}[image.mode]
            profile = image.info.get("icc_profile") or None
            return *image.size, components, "adobe" in image.info, orientation_of_pillow(image), profile
    except Exception:  # noqa: BLE001 - it raises what it likes
        return None


def orientation_of_pillow(image: Image.Image) -> int:
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001 - likewise
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def said(header: JpegHeader) -> Said:
    return (
        header.width, header.height, header.components, header.adobe, header.orientation, header.profile,
    )  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_the_header_has_the_same_values_as_pillows(name):
    header = read_jpeg_header(PLAIN[name])
    assert isinstance(header, JpegHeader)
    assert said(header) == of_pillow(PLAIN[name])
    assert header.one_scan == ("progressive" not in name)


@pytest.mark.parametrize(
    "data", [encoded("JPEG")[:200], b"\xff\xd8\xff", b"\xff\xd8\xff\xd9" + encoded("JPEG")]
)
def test_without_a_scan_there_is_no_header(data):
    assert read_jpeg_header(data) is None


def test_a_file_with_several_pictures_is_read_as_the_first_one():
    header = read_jpeg_header(whole_files()["mpo"][0])
    assert isinstance(header, JpegHeader)
    assert said(header) == of_pillow(whole_files()["mpo"][0])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", PLAIN)
def test_a_damaged_header_is_read_as_pillow_reads_it(name):
    """Compares headers that both read. If a value of EXIF is missing, Pillow ignores the orientation and we do not."""
    data = PLAIN[name]
    chance = random.Random(name)
    for _ in range(60):
        damaged = bytearray(data[:3000])
        for _ in range(chance.choice((1, 1, 2, 6))):
            damaged[chance.randrange(3, min(len(damaged), chance.choice((100, 700, 3000))))] = chance.choice(
                (0, 1, 2, 6, 0xFF, 0xDA, chance.randrange(256))
            )
        header = read_jpeg_header(bytes(damaged))
        theirs = of_pillow(bytes(damaged))
        if isinstance(header, JpegHeader) and theirs is not None:
            ours = said(header)
            assert ours[:4] == theirs[:4]
            assert theirs[4] in {1, ours[4]}
            assert header.unsound or ours[5] == theirs[5]


@pytest.mark.parametrize("name", ["exif", "stray", "fill", "short", "mpo"])
def test_an_endless_header_is_refused_quickly(name):
    filling = {
        "exif": b"\xff\xe1\0\x6cExif\0\0" + bytes(100),
        "stray": b"\0",
        "fill": b"\xff",
        "short": b"\xff\xe0\0\2",
        "mpo": b"\xff\xe2\0\x10MPF\0" + bytes(10),
    }[name]
    whole = encoded("JPEG")
    began = time.process_time()
    found = inspect(whole[:20] + filling * (BYTES // len(filling)) + whole[20:], Filters())
    assert time.process_time() - began < SECONDS
    assert isinstance(found, Rejected)
    assert found.reason is Reason.CORRUPT
