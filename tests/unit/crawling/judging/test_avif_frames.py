"""A picture of an AVIF has few AV1 frames. Decoders would decode all that follow, although they show one."""

import struct

import pytest

from shared.crawling.judging.header import read_header
from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.pictures import SIZE, animated, clear, encoded, saved
from tests.unit.crawling.judging.test_avif_items import avif, box, meta, sequence, table
from tests.unit.crawling.judging.test_tag_numbers import RATIONAL, exif

ALL = Filters(min_width=1, min_height=1, formats=("avif",))
TOO_MANY = Rejected(Reason.CORRUPT, "too many frames in a picture")


def with_frames(number):
    """Returns a still picture that has its frame several times."""
    data = encoded("AVIF", SIZE)
    start = data.index(b"mdat") + 4
    units = data[start:]
    # the delimiter and the header of the sequence come before the frame
    frame = units[4 + units[3] :]
    content = units + frame * (number - 1)
    place = data.index(struct.pack(">II", start, len(units)))
    head = data[: place + 4] + struct.pack(">I", len(content)) + data[place + 8 : start - 8]
    return head + struct.pack(">I", 8 + len(content)) + b"mdat" + content


@pytest.mark.parametrize("number", [9, 500])
def test_a_picture_of_too_many_frames_is_rejected(number):
    assert inspect(with_frames(number), ALL) == TOO_MANY


def test_a_picture_of_eight_frames_is_not_rejected_for_them():
    assert inspect(with_frames(8), ALL) != TOO_MANY


def with_hidden_frames(number, size=SIZE):
    """Returns a sequence of three pictures, the last of which has its frame several times more."""
    data = animated("AVIF", size)
    sizes, start = data.index(b"stsz") + 16, data.index(b"mdat") + 4
    (last,) = struct.unpack_from(">I", data, sizes + 8)
    # the delimiter has two bytes
    more = data[-last + 2 :] * number
    changed = bytearray(data + more)
    struct.pack_into(">I", changed, sizes + 8, last + len(more))
    struct.pack_into(">I", changed, start - 8, len(data) - start + 8 + len(more))
    return bytes(changed)


def test_too_many_hidden_frames_of_a_sequence_are_rejected():
    assert isinstance(inspect(with_hidden_frames(0), ALL), Inspected)
    assert inspect(with_hidden_frames(4), ALL) != TOO_MANY
    assert inspect(with_hidden_frames(20), ALL) == TOO_MANY


def test_samples_without_data_and_tables_in_tables_take_little_time():
    empty = table(b"stsz", 12_000 // 3, entry=(0,), head=bytes(4))
    chunks = table(b"stco", 12_000 // 3) + table(b"stsc", 1, form=">III", entry=(1, 1, 1))
    assert read_header(sequence(empty, chunks)) != TOO_MANY
    nested = b"".join(struct.pack(">I4s", 8 * left, b"stbl") for left in range(90_000, 0, -1))
    assert read_header(avif(nested)) != TOO_MANY


@pytest.mark.parametrize(("items", "parts"), [(100, 60_000), (1, 3)])
def test_too_many_or_overlapping_parts_of_items_are_rejected(items, parts):
    """The parts declare no place and no length, so each is the whole file."""
    item = struct.pack(">HHH", 1, 0, parts)
    places = box(b"iloc", bytes(6) + struct.pack(">H", items) + item * items)
    assert read_header(avif(meta(places))) == TOO_MANY


@pytest.mark.parametrize(
    "data",
    [
        encoded("AVIF", SIZE),
        saved(clear(), "AVIF"),
        animated("AVIF", frames=30),
        encoded("AVIF", SIZE, exif=exif(RATIONAL, 10), xmp=b"<x/>" * 50),
    ],
    ids=["still", "with alpha", "animated", "with notes"],
)
def test_other_pictures_are_kept(data):
    assert isinstance(inspect(data, ALL), Inspected)
