"""A contact sheet is made in bounded time, whatever labels and images a dataset has."""

import io

import pytest
from PIL import Image as Pillow

from shared.archiving.layout.contents import Piece
from shared.archiving.planning.preview import MOST_LABELS, Sample
from shared.crawling.judging.picture.transform import transform
from shared.errors import Unavailable
from shared.images import preview, small
from shared.images.preview import ContactSheets
from shared.images.sheet import Group, draw_sheet
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.images.stored_images import FILES
from tests.unit.manual_clock import ManualClock

LABELS = ["cat", "ünï 日本語 😀 العربية", "a\u202eb\n<script>", "x" * 300, " ", "\ud83d", "0"]


def opened(data):
    with Pillow.open(io.BytesIO(data), formats=["JPEG"]) as found:
        found.load()
        return found


async def stored(*files):
    """Stores the files in one blob; returns the blobs and the places of the files."""
    blobs, places, data = MemoryBlobs(ManualClock()), [], b""
    for file in files:
        places.append(Piece("shard", len(data), len(file)))
        data += file
    await blobs.put("shard", data)
    return blobs, places


@pytest.mark.parametrize("label", LABELS)
def test_any_label_is_drawn_on_one_line(label):
    assert opened(draw_sheet([Group(label, 9, [None] * 7)])).size == (824, 308)


def test_the_sheet_is_bounded_and_says_how_many_labels_it_leaves_out():
    groups = [Group("label", 10**6, [None] * 6)] * MOST_LABELS
    plain, noted = opened(draw_sheet(groups)), opened(draw_sheet(groups, "Further labels: 9"))
    assert (plain.size, noted.size) == ((824, 2632), (824, 2660))


def test_the_same_groups_give_the_same_bytes():
    groups = [Group("猫 cat", 3, [FILES["jpeg"], None])]
    assert draw_sheet(groups) == draw_sheet(groups)


async def test_an_image_with_which_a_library_fails_has_a_grey_cell_and_harms_no_other(monkeypatch):
    blobs, places = await stored(FILES["jpeg"], FILES["png"])
    failing = [MemoryError("no memory")]

    def fail_once(*args):
        if failing:
            raise failing.pop()
        return transform(*args)

    monkeypatch.setattr(small, "transform", fail_once)
    data = (await ContactSheets(blobs, ManualClock()).make([Sample("cat", 2, places)], 1)).preview
    assert opened(data).size == (824, 172)


async def test_an_image_fills_its_cell_in_every_format():
    blobs, places = await stored(*FILES.values())
    data = (await ContactSheets(blobs, ManualClock()).make([Sample("cat", 4, places)], 1)).preview
    sheet = opened(data)
    assert sheet.size == (824, 172)
    for column in range(len(FILES)):
        cell = sheet.crop((8 + column * 136, 36, 136 + column * 136, 164))
        # no row or column of the cell is plain paper
        assert all(low < 250 for low, _ in cell.resize((1, 128)).getextrema())


async def test_images_that_are_gone_broken_or_too_large_have_grey_cells(monkeypatch):
    monkeypatch.setattr(preview, "MOST_BYTES", len(FILES["jpeg"]) + 1)
    blobs, [good, broken] = await stored(FILES["jpeg"], b"no image")
    places = [good, broken, Piece("gone", 0, 9), Piece("shard", 0, 10**9), Piece("shard", 10**6, 9)]
    made = await ContactSheets(blobs, ManualClock()).make([Sample("cat", 5, places)], 1)
    sheet = opened(made.preview)
    greys = [sheet.getpixel((72 + column * 136, 100)) for column in range(1, 5)]
    assert all(max(pixel) - min(pixel) < 4 and 215 < pixel[0] < 235 for pixel in greys)


async def test_a_dataset_none_of_whose_images_can_be_shown_has_no_preview():
    blobs, places = await stored(b"no image", b"nor this")
    made = await ContactSheets(blobs, ManualClock()).make([Sample("cat", 2, places)], 1)
    assert made.preview is None


async def test_images_that_are_near_to_each_other_are_read_once_and_shown_in_both_sizes():
    class Counting(MemoryBlobs):
        reads = 0

        async def get(self, name, *, offset=0, length=None):
            self.reads += 1
            return await super().get(name, offset=offset, length=length)

    blobs = Counting(ManualClock())
    gap = bytes(3 << 20)
    await blobs.put("shard", FILES["jpeg"] + FILES["png"] + gap + FILES["jpeg"])
    sizes = len(FILES["jpeg"]), len(FILES["png"])
    places = [
        Piece("shard", 0, sizes[0]),
        Piece("shard", sizes[0], sizes[1]),
        Piece("shard", sum(sizes) + len(gap), sizes[0]),
    ]
    sheets = ContactSheets(blobs, ManualClock())
    made = await sheets.make([Sample("cat", 2, places[:2])], 1, places, 16)
    assert blobs.reads == 2
    assert opened(made.preview).size == (824, 172)
    assert {max(opened(made.small[place]).size) for place in places} == {16}
    assert made == await sheets.make([Sample("cat", 2, places[:2])], 1, places, 16)


async def test_images_for_which_no_time_is_left_have_grey_cells(monkeypatch):
    blobs, places = await stored(*[FILES["jpeg"]] * 24)
    clock, made = ManualClock(), []

    def slow(data, width):
        made.append(width)
        clock.advance(preview.MAKE_SECONDS / 4)
        return data

    monkeypatch.setattr(preview, "make_small", slow)
    data = (await ContactSheets(blobs, clock).make([Sample("cat", 24, places)], 1)).preview
    assert opened(data).size == (824, 580)
    assert 4 <= len(made) < 12


async def test_storage_that_does_not_answer_is_reported_and_nothing_is_made():
    class Silent(MemoryBlobs):
        async def get(self, *_, **__):
            raise Unavailable("no answer")

    sheets = ContactSheets(Silent(ManualClock()), ManualClock())
    with pytest.raises(Unavailable):
        await sheets.make([Sample("cat", 1, [Piece("shard", 0, 9)])], 1)
