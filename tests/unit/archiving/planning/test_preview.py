"""The preview of a dataset shows images of all its parts, and is the same in the dataset and beside it."""

import asyncio
import io
import tarfile
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.archiving.layout.contents import Contents, Images, Piece
from shared.archiving.options import Output, Splits
from shared.archiving.planning.pictures import PICTURE_SIDE
from shared.archiving.planning.preview import MOST_LABELS, Pictures, choose_samples, count_labels
from shared.clock import SystemClock
from shared.images.preview import ContactSheets
from tests.unit.archiving.conftest import LABELS, make_studio
from tests.unit.in_memory import far_deadline

PREVIEW = "derived/job_j1/r1/preview.jpg"
CARD_LINE = "![Some images of each label](preview.jpg)"


class Given:
    """Makes these previews, one after the other."""

    def __init__(self, *previews):
        self.previews = list(previews)

    async def make(self, samples, label_count, others=(), width=0):
        assert (label_count, width) == (len(samples), PICTURE_SIDE)
        return Pictures(self.previews.pop(0), dict.fromkeys(others))


def images_of(labels):
    """The images of a dataset with these labels, by number. Each of them has its position as its offset."""
    columns: dict[str, Any] = dict.fromkeys(Images.__slots__, np.zeros(len(labels), np.int64))
    return Images(**columns | {"label": np.array(labels, np.int32), "offset": np.arange(len(labels))})


def contents_of(label_count):
    folders = tuple(f"label {number}" for number in range(label_count))
    return Contents(datetime.now(UTC), ("train",), folders, folders, ("shard",), "")


def offsets(sample):
    return [image.offset for image in sample.images]


@pytest.fixture
def studio():
    return make_studio(lambda blobs: ContactSheets(blobs, SystemClock()))


def test_a_label_is_shown_from_its_first_images_to_its_last():
    contents = contents_of(2)
    images = images_of([0, 1] * 6000)
    first, second = choose_samples(images, contents, contents.folders)
    assert (first.label, first.image_count, len(first.images)) == ("label 0", 6000, 18)
    for sample, odd in ((first, 0), (second, 1)):
        found = offsets(sample)
        assert all(offset % 2 == odd for offset in found)
        # one image of each eighteenth of the label
        assert [offset * 18 // 12_000 for offset in found] == list(range(18))


def test_a_sample_is_the_nearest_to_the_middle_of_its_part_that_is_stored_close_to_an_image_that_is_read_anyway():
    contents = contents_of(1)
    images = images_of([0] * 240)
    images.offset *= 256 << 10
    near = [Piece("shard", 12 << 18, 9), Piece("shard", 22 << 18, 9)]
    [plain] = choose_samples(images, contents, contents.folders)
    [close] = choose_samples(images, contents, contents.folders, near)
    assert [offset >> 18 for offset in offsets(plain)] == list(range(5, 240, 10))
    assert [offset >> 18 for offset in offsets(close)] == [5, 14, 24, *range(35, 240, 10)]


@pytest.mark.parametrize(
    ("label_count", "each"), [(1, 24), (2, 18), (3, 12), (4, 12), (5, 6), (16, 6), (40, 6)]
)
def test_labels_with_the_most_images_come_first_and_each_has_its_images(label_count, each):
    contents = contents_of(label_count)
    labels = [label for label in range(label_count) for _ in range(100 + label)]
    samples = choose_samples(images_of(labels), contents, contents.folders)
    expected = [f"label {label}" for label in reversed(range(label_count))][:MOST_LABELS]
    assert [sample.label for sample in samples] == expected
    assert {len(set(offsets(sample))) for sample in samples} == {each}


def test_a_label_with_few_images_shows_all_of_them_and_one_without_images_none():
    contents = contents_of(4)
    images = images_of([2, 0, 2, 2, 0])
    samples = choose_samples(images, contents, contents.folders)
    assert [(sample.label, offsets(sample)) for sample in samples] == [
        ("label 2", [0, 2, 3]),
        ("label 0", [1, 4]),
    ]
    assert count_labels(images) == 2


def test_samples_of_a_million_images_take_little_memory():
    contents = contents_of(1000)
    images = images_of(np.arange(1_000_000) % 1000)
    tracemalloc.start()
    samples = choose_samples(images, contents, contents.folders)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(len(sample.images) for sample in samples) == 96
    assert peak < 20_000_000


async def test_a_zip_has_the_preview_and_its_card_shows_it(studio):
    order = await studio.crawl(60, splits=Splits({"train": 0.5, "test": 0.5}))
    with await studio.zip(order) as archive:
        data = archive.read("preview.jpg")
        card = archive.read("README.md").decode()
        assert archive.testzip() is None
    assert await studio.blobs.get(PREVIEW) == data
    assert card.count(CARD_LINE) == 1
    assert "- `preview.jpg`: some of the images of each label, made small." in card
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
        opened.load()
        # two rows of images for each of the three labels
        assert opened.size == (824, 8 + len(LABELS) * (28 + 2 * 136))


async def test_a_webdataset_has_the_preview_beside_its_shards(studio):
    order = await studio.crawl(60, output=Output(format="webdataset"))
    archived = await studio.archive(order)
    data = await studio.blobs.get(f"{order.prefix}preview.jpg")
    assert await studio.blobs.get(PREVIEW) == data
    assert f"{order.prefix}preview.jpg" in archived.blobs
    assert " preview.jpg\n" in (await studio.blobs.get(f"{order.prefix}SHA256SUMS")).decode()
    for name in archived.blobs:
        if name.endswith(".tar"):
            with tarfile.open(fileobj=io.BytesIO(await studio.blobs.get(name))) as shard:
                assert "preview.jpg" not in shard.getnames()


async def test_runs_at_the_same_time_deliver_the_preview_of_the_plan_that_was_stored_first():
    previews = Given(b"first", b"second")
    studio = make_studio(lambda _: previews)
    order = await studio.crawl(30)
    # both runs make a plan before one of them is stored
    first, second = await asyncio.gather(*(studio.archiver.begin(order, far_deadline()) for _ in range(2)))
    assert (previews.previews, first.encode() == second.encode()) == ([], True)
    for _ in range(2):
        with await studio.zip(order) as archive:
            delivered = archive.read("preview.jpg")
        assert delivered in {b"first", b"second"}
        assert await studio.blobs.get(PREVIEW) == delivered


async def test_a_dataset_whose_images_cannot_be_shown_has_no_preview():
    studio = make_studio(lambda _: Given(None))
    order = await studio.crawl(30)
    with await studio.zip(order) as archive:
        assert "preview.jpg" not in archive.namelist()
        assert CARD_LINE not in archive.read("README.md").decode()
    assert [info.name async for info in studio.blobs.list("derived/")] == ["derived/job_j1/r1/report.html"]
