"""The numbers of a dataset are those of its images, are made once, and agree with what filters find."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from shared.errors import Conflict, Damaged, NotFound
from shared.images.image import ImageFilter, Limits
from shared.images.index import indexes
from shared.images.index.rows import Index
from shared.images.index.statistics import histogram
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.images.stored_images import Image, add_dataset
from tests.unit.manual_clock import ManualClock

SIDES = [(100, 10), (800, 500), (1000, 1000), (799, 500), (1, 1), (6000, 4000), (1250, 800), (100, 80)]
SHARPNESS = [0, 0.5, 1, 1.25, 160, 159.99, 99999.5, 440.69]
BRIGHTNESS = [0, 0.05, 0.1, 0.15, 0.35, 0.95, 1, 0.4495]
IMAGES = [
    Image(
        ("cat", "dog", "a&b")[at % 3],
        split=("train", "val")[at % 2],
        license=("by", "cc0")[at > 2],
        source=("openverse", "urls")[at > 5],
        changed=(("width", w), ("height", h), ("sharpness", sharp), ("brightness", bright)),
    )
    for at, ((w, h), sharp, bright) in enumerate(zip(SIDES, SHARPNESS, BRIGHTNESS, strict=True))
]
STEPS = {"pixels": 1, "sharpness": 0.01, "brightness": 0.0001}


@pytest.fixture
def app(monkeypatch):
    from functions.http import endpoint

    app = memory_app()
    vars(app).update(clock=ManualClock())
    monkeypatch.setattr(endpoint, "app", lambda: app)
    return app


@pytest.fixture
def caller(app):
    return Caller(app)


async def test_every_image_is_counted_in_each_histogram_and_under_its_texts(app, caller):
    await add_dataset(app, IMAGES)
    answer = await caller.get("datasets/j/statistics")
    assert answer.status == 200, answer.body
    body = answer.body
    assert (body["progress"], body["images"]) == (1, 8)
    assert body["licenses"] == {"cc0": 5, "by": 3}
    assert body["sources"] == {"openverse": 6, "urls": 2}
    assert body["labels"] == {
        "cat": {"train": 2, "val": 1},
        "dog": {"val": 2, "train": 1},
        "a&b": {"train": 1, "val": 1},
    }
    for name in STEPS:
        found = body["histograms"][name]
        assert len(found["edges"]) == len(found["counts"]) + 1
        assert (sum(found["counts"]), found["counts"][0] > 0, found["counts"][-1] > 0) == (8, True, True)


@pytest.mark.parametrize("sort", ["found", "sharpest"])
@pytest.mark.parametrize("name", list(STEPS))
async def test_a_bar_has_as_many_images_as_a_list_with_its_limits(app, caller, name, sort):
    await add_dataset(app, IMAGES)
    found = (await caller.get("datasets/j/statistics")).body["histograms"][name]
    for (least, end), count in zip(pairwise(found["edges"]), found["counts"], strict=True):
        is_last = end == found["edges"][-1]
        most = end if is_last else round(end - STEPS[name], 4)
        query = f"min_{name}={least:.9g}&max_{name}={most:.9g}&limit=100&sort={sort}"
        page = await caller.get("datasets/j/images", query)
        assert page.status == 200, page.body
        assert len(page.body["items"]) == count, query


@pytest.mark.parametrize("sort", ["found", "largest"])
@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("min_width=1000", {2, 5, 6}),
        ("max_height=80", {0, 4, 7}),
        ("min_width=100&max_width=800&source=openverse", {0, 1, 3}),
        ("min_sharpness=1.25&max_sharpness=1.6e2", {3, 4, 5}),
        ("min_brightness=0.35&max_brightness=0.95&license=cc0", {4, 5, 7}),
        ("min_pixels=400000&max_pixels=400000", {1}),
        ("min_width=9&max_width=8", set()),
    ],
)
async def test_lists_have_only_images_within_the_limits_which_they_include(app, caller, query, places, sort):
    await add_dataset(app, IMAGES)
    items, following = [], f"{query}&sort={sort}&limit=2"
    while following:
        page = await caller.get("datasets/j/images", following)
        assert page.status == 200, page.body
        items += page.body["items"]
        following = (page.body["next"] or "").partition("?")[2]
    assert {item["index"] // 2 for item in items} == places


@pytest.mark.parametrize(
    "query",
    [
        *("min_width=-1", "min_width=1.5", "max_pixels=1e3", "min_sharpness=nan", "min_sharpness=inf"),
        *(
            "max_brightness=1.1",
            "max_brightness=",
            "min_sharpness=1_0",
            "min_sharpness=\u0661",
            "min_contrast=1",
        ),
    ],
)
async def test_a_limit_that_is_no_number_in_its_range_is_refused(app, caller, query):
    await add_dataset(app, IMAGES)
    answer = await caller.get("datasets/j/images", query)
    assert (answer.status, [name for name, _ in answer.errors]) == (400, [query.partition("=")[0]])


async def test_calls_make_the_numbers_together_say_how_far_they_are_and_store_them_once(
    app, caller, monkeypatch
):
    await add_dataset(app, IMAGES)
    read = Index.of

    def slowly(piece):
        app.clock.advance(100)
        return read(piece)

    monkeypatch.setattr(Index, "of", slowly)
    shares = []
    while (answer := await caller.get("datasets/j/statistics")).body["progress"] < 1:
        assert (answer.headers["Retry-After"], answer.body["images"]) == ("1", 0)
        shares.append(answer.body["progress"])
    assert (len(shares), shares) == (3, sorted(shares))
    assert "Retry-After" not in answer.headers
    again = await caller.get("datasets/j/statistics", If_None_Match=answer.headers["ETag"])
    assert again.status == 304
    other = memory_app()
    vars(other).update(blobs=app.blobs, entities=app.entities)
    reads, get = [], app.blobs.get

    async def counted(name, **options):
        reads.append(name)
        return await get(name, **options)

    monkeypatch.setattr(app.blobs, "get", counted)
    assert (await other.dataset_statistics.read("admin", "j")).images == 8
    assert reads == ["derived/job_j/r1/statistics.json"]


async def test_numbers_of_strangers_of_large_and_of_damaged_datasets_are_refused(app, caller, monkeypatch):
    await add_dataset(app, IMAGES)
    with pytest.raises(NotFound):
        await app.dataset_statistics.read("ann", "j")
    assert (await caller.get("datasets/x/statistics")).status == 404
    await app.dataset_statistics.read("admin", "j")
    await app.blobs.put("derived/job_j/r1/statistics.json", b"{")
    with pytest.raises(Damaged):
        await app.dataset_statistics.read("admin", "j")
    monkeypatch.setattr(indexes, "MOST_IMAGES", 7)
    with pytest.raises(Conflict):
        await app.dataset_statistics.read("admin", "j")


async def test_numbers_that_are_made_while_their_dataset_is_deleted_are_not_left_behind(app, monkeypatch):
    await add_dataset(app, IMAGES)
    await app.indexes.get(await app.catalog.require("admin", "j"))
    put = app.blobs.put

    async def put_late(*args, **options):
        await app.catalog.begin_deletion("admin", "j", app.clock.now())
        await put(*args, **options)

    monkeypatch.setattr(app.blobs, "put", put_late)
    with pytest.raises(NotFound):
        await app.dataset_statistics.read("admin", "j")
    assert not [info.name async for info in app.blobs.list("derived/") if "statistics" in info.name]


async def test_an_index_of_hostile_texts_is_the_same_after_it_was_stored(app):
    images = [Image("\U0001f431\u2028", license="<b>", source='"\n'), Image("\x00\u202e"), Image("a" * 5000)]
    dataset = await add_dataset(app, images)
    index = (await app.indexes.get(dataset)).index
    assert index is not None
    again = Index.unpack(index.pack())
    assert (again.counts, again.members) == (index.counts, index.members)
    assert np.array_equal(again.images, index.images)
    found = await asyncio.gather(*(app.dataset_statistics.read("admin", "j") for _ in range(3)))
    assert found[0] == found[1] == found[2]


def test_values_that_are_no_numbers_or_outside_all_edges_are_counted_at_the_ends():
    values = np.array([np.nan, -5, 0.5, 7, np.inf], np.float32)
    found = histogram(values, (0, 1, 2, 3))
    assert (found.edges, found.counts) == ([0, 1, 2, 3], [2, 0, 3])
    assert histogram(values[:0], (0, 1, 2)).counts == ()


def test_a_record_without_numbers_has_zeros():
    limits = (Limits("pixels", most=0), Limits("sharpness", most=0), Limits("brightness", least=0))
    assert ImageFilter(ranges=limits).matches({"outcome": "kept", "width": "9", "sharpness": None})
    assert not ImageFilter(ranges=(Limits("width", least=1),)).matches({"outcome": "kept"})
