"""An AVIF that declares very many items is rejected before a decoder, which takes quadratic time, opens it."""

import io
import struct

import pytest
from PIL import Image

from shared.crawling.judging.header import Header, read_header
from shared.records.records import Reason, Rejected

_TOO_MANY = Rejected(Reason.CORRUPT, "too many items")


def box(kind, content):
    return struct.pack(">I", 8 + len(content)) + kind + content


def avif(*content, brand=b"avif"):
    return box(b"ftyp", brand + bytes(4) + b"avifmif1") + b"".join(content)


def meta(*content):
    return box(b"meta", bytes(4) + b"".join(content))


def places(count):
    entries = b"".join(struct.pack(">IHHH", number, 0, 0, 0) for number in range(1, count + 1))
    return box(b"iloc", b"\2" + bytes(5) + struct.pack(">I", count) + entries)


def names(count):
    return box(b"iinf", b"\1" + bytes(3) + struct.pack(">I", count))


def properties(count):
    return box(b"iprp", box(b"ipma", bytes(4) + struct.pack(">I", count) + b"\0\1\0" * count))


def references(count):
    return box(b"iref", bytes(4) + box(b"dimg", struct.pack(">HH", 1, count) + bytes(2 * count)))


@pytest.mark.parametrize("declare", [places, names, properties, references])
@pytest.mark.parametrize("brand", [b"avif", b"avis", b"mif1"])
def test_too_many_items_are_rejected(declare, brand):
    assert read_header(avif(meta(declare(40_000)), brand=brand)) == _TOO_MANY


def test_items_of_tracks_and_of_boxes_with_long_sizes_count():
    of_track = box(b"moov", box(b"trak", meta(places(15_000))))
    assert read_header(avif(of_track)) == _TOO_MANY
    content = bytes(4) + places(15_000)
    assert read_header(avif(struct.pack(">I4sQ", 1, b"meta", 16 + len(content)) + content)) == _TOO_MANY
    assert read_header(avif(struct.pack(">I4s", 0, b"meta") + content)) == _TOO_MANY


def test_entries_of_several_boxes_are_counted_together():
    assert read_header(avif(meta(places(5000), names(5000), properties(5000)))) == _TOO_MANY


def test_too_many_boxes_are_rejected():
    assert read_header(avif(box(b"free", b"") * 100_001)) == Rejected(Reason.CORRUPT, "too many boxes")
    nested = b"".join(struct.pack(">I4s", 8 * left, b"moov") for left in range(100_001, 0, -1))
    assert read_header(avif(nested)) == Rejected(Reason.CORRUPT, "too many boxes")


def test_ordinary_pictures_and_animations_are_read():
    pictures = [Image.new("RGB", (64, 64), (shade, 99, 9)) for shade in range(3)]
    still, moving = io.BytesIO(), io.BytesIO()
    pictures[0].save(still, "AVIF")
    pictures[0].save(moving, "AVIF", save_all=True, append_images=pictures[1:])
    for file in (still, moving):
        header = read_header(file.getvalue())
        assert isinstance(header, Header)
        assert (header.format, header.width) == ("avif", 64)


def table(kind, entries, *, form=">I", entry=(1,), head=b""):
    content = bytes(4) + head + struct.pack(">I", entries) + struct.pack(form, *entry) * entries
    return box(kind, content)


def sequence(*tables):
    stbl = box(b"stbl", b"".join(tables))
    return avif(box(b"moov", box(b"trak", box(b"mdia", box(b"minf", stbl)))), brand=b"avis")


MANY_FRAMES = {
    "times": table(b"stts", 20_000, form=">II", entry=(1, 1)),
    "offsets of times": table(b"ctts", 20_000, form=">II", entry=(1, 1)),
    "groups of chunks": table(b"stsc", 20_000, form=">III", entry=(1, 1, 1)),
    "chunks": table(b"stco", 20_000),
    "chunks in a large file": table(b"co64", 20_000, form=">Q"),
    "key frames": table(b"stss", 20_000),
    "sizes": table(b"stsz", 20_000, head=bytes(4)),
    "sizes that are all the same": box(b"stsz", struct.pack(">4xII", 1, 20_000)),
    "chunks of many frames": table(b"stco", 200) + table(b"stsc", 1, form=">III", entry=(1, 200, 1)),
}


@pytest.mark.parametrize("name", MANY_FRAMES)
def test_too_many_frames_are_rejected(name):
    """In a file of 3 MB, libavif searched the chunks and their groups for more than 90 seconds."""
    refusal = Rejected(Reason.TOO_MANY_PIXELS, "too many frames")
    assert read_header(sequence(MANY_FRAMES[name])) == refusal


def test_times_of_no_frames_are_rejected():
    """A decoder searched 5000 of them for each frame."""
    times = table(b"stts", 5000, form=">II", entry=(0, 1))
    assert read_header(sequence(times)) == Rejected(Reason.CORRUPT, "times of no frames")
