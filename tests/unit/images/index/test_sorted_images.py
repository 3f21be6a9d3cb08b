"""Sorted pages: the index is made in parts, by calls that may be killed or run at the same time, and then stays."""

import asyncio

import pytest

from shared.errors import Conflict, Damaged, NotFound
from shared.images.image import ImageFilter
from shared.images.index import indexes
from shared.images.index.rows import Index
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.images.stored_images import Image, add_dataset
from tests.unit.manual_clock import ManualClock

ALL = ImageFilter()
SHARPNESS = [3, 1, 2, 2, 9, 0, 5, 2]
IMAGES = [
    Image(
        f"label {number % 2}", changed=(("sharpness", value), ("width", 10 + value), ("brightness", -value))
    )
    for number, value in enumerate(SHARPNESS)
]


@pytest.fixture
def app():
    app = memory_app()
    vars(app).update(clock=ManualClock())
    return app


class Slow:
    """Makes the reading of each member of the records take 100 seconds. A call has less time."""

    def __init__(self, monkeypatch, clock) -> None:
        self._clock = clock
        self.members = 0
        self._of = Index.of
        monkeypatch.setattr(Index, "of", self)

    def __call__(self, piece):
        self.members += 1
        self._clock.advance(100)
        return self._of(piece)


async def _page(app, sort="sharpest", wanted=ALL, place=None, size=100):
    return await app.sorted_images.page("admin", "j", wanted, place, size, sort)


async def _sorted(app, sort, wanted=ALL, size=3):
    found, place = [], None
    for _ in range(50):
        page = await _page(app, sort, wanted, place, size)
        found += [image.facts.index // 2 for image in page.images]
        place = page.following
        if place is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("sharpest", [4, 6, 0, 2, 3, 7, 1, 5]),
        ("blurriest", [5, 1, 2, 3, 7, 0, 6, 4]),
        ("largest", [4, 6, 0, 2, 3, 7, 1, 5]),
        ("smallest", [5, 1, 2, 3, 7, 0, 6, 4]),
        ("brightest", [5, 1, 2, 3, 7, 0, 6, 4]),
        ("darkest", [4, 6, 0, 2, 3, 7, 1, 5]),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 8, 100])
async def test_pages_are_sorted_and_images_with_the_same_value_stay_in_order(app, sort, order, size):
    await add_dataset(app, IMAGES)
    assert await _sorted(app, sort, size=size) == order


async def test_pages_have_only_the_images_that_are_wanted(app):
    await add_dataset(app, IMAGES)
    assert await _sorted(app, "sharpest", ImageFilter(label="label 0")) == [4, 6, 0, 2]
    assert await _sorted(app, "sharpest", ImageFilter(label="label 0", split="val")) == []
    assert await _sorted(app, "sharpest", ImageFilter(label="\ud83d")) == []


async def test_images_are_the_same_as_those_of_unsorted_pages(app):
    await add_dataset(app, IMAGES)
    unsorted = (await app.dataset_images.page("admin", "j", ALL, None, 100)).images
    page = await _page(app)
    assert sorted(page.images, key=lambda image: image.facts.index) == [*unsorted]


async def test_calls_make_the_index_part_by_part_and_wait_until_it_is_complete(app, monkeypatch):
    slow = Slow(monkeypatch, app.clock)
    await add_dataset(app, IMAGES)
    place, calls = None, 0
    while (page := await _page(app, place=place)).waits:
        assert page.images == ()
        assert page.following is not None
        place, calls = page.following, calls + 1
    assert (calls, slow.members, len(page.images)) == (3, 4, 8)
    other = memory_app()
    vars(other).update(blobs=app.blobs, entities=app.entities)
    assert [image.id for image in (await _page(other)).images] == [image.id for image in page.images]
    assert slow.members == 4


async def test_instances_that_make_the_index_at_the_same_time_end_with_the_same_one(app, monkeypatch):
    await add_dataset(app, IMAGES)
    others = [memory_app() for _ in range(3)]
    for other in others:
        vars(other).update(blobs=app.blobs, entities=app.entities)
    await asyncio.gather(*(_page(other) for other in others))
    # a longer part and a shorter one begin at the same place
    Slow(monkeypatch, app.clock)
    app.indexes._last = None
    for other in (*others, app):
        assert await _sorted(other, "sharpest") == [4, 6, 0, 2, 3, 7, 1, 5]


async def test_a_call_that_is_killed_before_it_stores_leaves_the_work_to_the_next_one(app, monkeypatch):
    await add_dataset(app, IMAGES)
    put = app.blobs.put

    async def die(*_args, **_options):
        raise asyncio.CancelledError

    monkeypatch.setattr(app.blobs, "put", die)
    with pytest.raises(asyncio.CancelledError):
        await _page(app)
    monkeypatch.setattr(app.blobs, "put", put)
    assert len((await _page(app)).images) == 8


async def test_a_damaged_index_and_too_large_or_deleted_datasets_are_refused(app, monkeypatch):
    dataset = await add_dataset(app, IMAGES)
    await _page(app)
    [part] = [info.name async for info in app.blobs.list("derived/job_j/r1/index/")]
    await app.blobs.put(part, b"garbled")
    app.indexes._last = None
    with pytest.raises(Damaged):
        await _page(app)
    monkeypatch.setattr(indexes, "MOST_IMAGES", 7)
    with pytest.raises(Conflict):
        await _page(app)
    await app.catalog.begin_deletion("admin", dataset.id, app.clock.now())
    with pytest.raises(NotFound):
        await _page(app)


async def test_an_index_that_is_made_while_its_dataset_is_deleted_is_not_left_behind(app, monkeypatch):
    await add_dataset(app, IMAGES)
    put = app.blobs.put

    async def put_late(*args, **options):
        await app.catalog.begin_deletion("admin", "j", app.clock.now())
        await put(*args, **options)

    monkeypatch.setattr(app.blobs, "put", put_late)
    with pytest.raises(NotFound):
        await _page(app)
    assert [info async for info in app.blobs.list("derived/")] == []


@pytest.fixture
def caller(app, monkeypatch):
    from functions.http import endpoint

    monkeypatch.setattr(endpoint, "app", lambda: app)
    return Caller(app)


async def test_a_sorted_list_over_http_says_when_to_come_again_and_keeps_its_order(app, caller, monkeypatch):
    Slow(monkeypatch, app.clock)
    await add_dataset(app, IMAGES)
    query, waits, found = "sort=sharpest&limit=3", 0, []
    while True:
        page = await caller.get("datasets/j/images", query)
        assert page.status == 200, page.body
        waits += page.headers.get("Retry-After") == "1"
        found += [item["index"] // 2 for item in page.body["items"]]
        if page.body["next"] is None:
            break
        query = page.body["next"].partition("?")[2]
    assert (waits, found) == (3, [4, 6, 0, 2, 3, 7, 1, 5])
    assert (await caller.get("datasets/j/images", "sort=size")).status == 400
