"""The report of a dataset is one small page that needs nothing else, whatever the dataset is."""

import base64
import io
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from shared.archiving.options import Dedup, Output, Splits
from shared.archiving.planning.pictures import PICTURE_SIDE
from shared.archiving.report.page import MOST_ROWS, Report, report_page
from shared.archiving.report.scales import SCALES
from shared.archiving.report.survey import MOST_SHOWN, survey
from shared.archiving.selection.outliers import MEASURES
from shared.archiving.selection.select import select
from shared.archiving.texts.card import Figures
from shared.clock import SystemClock
from shared.images.preview import PICTURE_READS, ContactSheets
from shared.records.reasons import EXPLANATIONS
from shared.records.records import KEPT, Reason
from shared.records.scores import SCORES, SCORES_OF_ALL
from shared.storage.joined_reads import join_reads
from tests.unit.archiving.conftest import make_studio
from tests.unit.archiving.selection.rows import columns_of
from tests.unit.in_memory import far_deadline

HOSTILE = '"><script>alert(1)</script>\u202e&amp;'
VOID = {"meta", "img", "rect", "line"}


class Page(HTMLParser):
    """Counts the tags of a page whose tags are all closed, and collects its texts and the values of attributes."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.values: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(data.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.values += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        assert not attrs or tag in VOID
        self.tags[tag] += 1

    def handle_data(self, data):
        self.texts.append(data)


def pictures_in(data: bytes) -> list[bytes]:
    return [base64.b64decode(found) for found in re.findall(rb'src="data:image/jpeg;base64,([^"]+)"', data)]


@pytest.fixture
def studio():
    return make_studio(lambda blobs: ContactSheets(blobs, SystemClock()))


@pytest.mark.parametrize("form", ["zip", "webdataset"])
async def test_each_dataset_has_a_report_and_a_copy_of_it_that_stays_readable(studio, form):
    order = await studio.crawl(40, splits=Splits({"train": 0.8, "test": 0.2}), output=Output(format=form))
    if form == "zip":
        with await studio.zip(order) as archive:
            data = archive.read("report.html")
    else:
        archived = await studio.archive(order)
        assert f"{order.prefix}report.html" in archived.blobs
        data = await studio.blobs.get(f"{order.prefix}report.html")
    assert await studio.blobs.get("derived/job_j1/r1/report.html") == data
    page = Page(data)
    assert page.tags["svg"] == len(SCORES_OF_ALL)
    galleries = sum(
        bool(scale.lowest) + bool(scale.highest) for scale in map(SCALES.__getitem__, SCORES_OF_ALL)
    )
    pictures = pictures_in(data)
    assert len(pictures) == page.tags["img"] == galleries * MOST_SHOWN
    for picture in pictures:
        with Image.open(io.BytesIO(picture), formats=["JPEG"]) as opened:
            assert max(opened.size) <= PICTURE_SIDE
    assert EXPLANATIONS[Reason.TIMED_OUT].title in page.texts


async def test_the_same_order_gives_the_same_report(studio):
    found = set()
    for _ in range(2):
        order = await studio.crawl(30)
        with await studio.zip(order) as archive:
            found.add(archive.read("report.html"))
        async for info in studio.blobs.list("work/job_j1/archive/"):
            await studio.blobs.delete(info.name)
    assert len(found) == 1


async def test_texts_from_the_web_add_no_markup(studio):
    def candidate_of(record):
        provenance = replace(record.candidate.provenance, source=HOSTILE, license=HOSTILE)
        return replace(record.candidate, label=HOSTILE, provenance=provenance)

    order = await studio.describe(
        await studio.crawl(30, name=HOSTILE, dedup=Dedup(near_distance=None)), candidate_of
    )
    with await studio.zip(order) as archive:
        data = archive.read("report.html")
    page = Page(data)
    assert page.tags["script"] == page.tags["a"] == page.tags["link"] == 0
    assert not [name for name, _ in page.values if name.startswith("on") or name == "href"]
    assert all(value.startswith("data:image/jpeg;base64,") for name, value in page.values if name == "src")
    assert b"url(" not in data
    assert b"http://" not in data
    assert b"https://" not in data
    assert "\u202e" not in data.decode()
    assert any("<script>alert(1)</script><U+202E>" in text for text in page.texts)


async def test_an_image_that_cannot_be_made_small_is_a_grey_cell(studio):
    order = await studio.crawl(10)
    shard = "work/job_j1/shards/0"
    await studio.blobs.put(shard, b"x" * len(await studio.blobs.get(shard)))
    plan = await studio.archiver.begin(order, far_deadline())
    [report] = [text for text in plan.header.contents.texts if text.name == "report.html"]
    data = await studio.blobs.get(report.blob, offset=report.offset, length=report.size)
    assert pictures_in(data) == []
    assert Page(data).tags["div"] > MOST_SHOWN


def none_far(columns):
    return np.zeros((len(columns), len(MEASURES)), np.float32)


def many(count):
    rng = np.random.default_rng(0)
    rows = np.zeros((count, 5), np.int64)
    rows[:, 3] = np.arange(count) % 256
    rows[:, 4] = np.arange(count)
    columns = columns_of(rows % 256)
    columns.scores[:] = rng.random((count, len(SCORES)))
    return columns


async def test_a_report_has_at_most_a_megabyte(studio):
    columns = replace(many(1000), labels=(HOSTILE * 100, "b", "c"))
    selection = select(columns, Dedup(exact=False, near_distance=None))
    found = survey(columns, selection, none_far(columns), lambda row: f"{row}{HOSTILE * 100}")
    long = {
        f"{'<' * 200}{number}": {str(reason): 1 for reason in Reason} | {KEPT: 5} for number in range(2000)
    }
    numbers = dict.fromkeys(long, 3)
    figures = Figures(long, {"train": 2000}, numbers, numbers)
    order = replace(await studio.crawl(1), name="<" * 200)
    noise = b"\xff\xd8" + bytes(20_000)
    data = report_page(Report(order, figures, found, dict.fromkeys(found.pieces, noise)))
    page = Page(data)
    assert 600_000 < len(data) < 1_000_000
    assert page.tags["img"] == 600_000 // len(noise)
    assert page.tags["tr"] <= 3 * (MOST_ROWS + 1) + len(Reason) + 1
    assert "1,950 further labels with 9,750 images" in page.texts


def test_the_worst_images_come_first_and_of_equal_ones_those_that_were_found_first():
    columns = many(100)
    columns.scores[:, SCORES.index("sharpness")] = np.arange(100) // 4
    columns.scores[:, SCORES.index("brightness")] = 0.5
    found = survey(columns, select(columns, Dedup(exact=False, near_distance=None)), none_far(columns), str)
    shown = {
        gallery.title: [exhibit.path for exhibit in gallery.exhibits]
        for score in found.scores
        for gallery in score.galleries
    }
    assert (
        shown["The least sharp"] == shown["The darkest"] == shown["The brightest"] == [*map(str, range(10))]
    )
    assert all(sum(score.counts) == 100 for score in found.scores)


@pytest.mark.parametrize(("count", "most_reads"), [(300, 5), (1000, 20), (3000, 48), (12_000, 80)])
def test_ten_images_of_each_score_are_shown_with_few_reads(count, most_reads):
    columns = many(count)
    columns.size[:] = 60_000
    columns.offset[:] = np.arange(count) * 60_000
    found = survey(columns, select(columns, Dedup(exact=False, near_distance=None)), none_far(columns), str)
    galleries = [gallery for score in found.scores for gallery in score.galleries]
    assert {len(gallery.exhibits) for gallery in galleries} == {MOST_SHOWN}
    reads = join_reads(found.pieces, lambda piece: piece, PICTURE_READS)
    assert len(reads) <= most_reads
    assert max(read.size for read in reads) <= PICTURE_READS.most_bytes


def test_the_most_copied_images_are_shown_with_their_copies():
    # ten images of three contents: the first row of each has most pixels
    columns = columns_of([(0, 4 - row // 3, 1, min(row % 3, 1), row % 3) for row in range(9)])
    selection = select(columns, Dedup(near_distance=None))
    found = survey(columns, selection, none_far(columns), str).most_copied
    assert [(exhibit.path, exhibit.value) for exhibit in found.exhibits] == [
        ("1", "5 copies"),
        ("0", "2 copies"),
    ]


def test_copies_that_earlier_revisions_left_out_count_for_the_image_that_is_kept():
    # rows 0 and 2 are kept, and row 1 is a new copy of row 0
    columns = columns_of([(0, 4, 1, 0, 0), (0, 3, 1, 0, 0), (0, 2, 1, 1, 1)])
    # 10 is a copy of 11, which is one of 12, and so on to 2; 20 names row 1; 30 and 31 name each other, and 40 nothing
    chain = [(number, number + 1) for number in range(10, 15)] + [(15, 2)]
    known = np.array([*chain, (20, 1), (30, 31), (31, 30), (40, 99)], np.int64)
    selection = select(columns, Dedup(near_distance=None))
    found = survey(replace(columns, known_copies=known), selection, none_far(columns), str).most_copied
    assert [(exhibit.path, exhibit.value) for exhibit in found.exhibits] == [
        ("2", "6 copies"),
        ("0", "2 copies"),
    ]
