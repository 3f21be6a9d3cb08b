from datetime import timedelta

import pytest
from aiohttp import web

from shared.errors import Permanent, Unavailable
from shared.sources.kinds import SourceSettings
from shared.sources.search.json_api import ApiAccess, KeyRefused, Refused
from shared.sources.source import Query
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.known_sources import open_source

KEY = "17716537-p1xabay"


@pytest.fixture
def pixabay(service, search):
    async def run(cursor=None, keyword="cat", **config):
        access = ApiAccess(service.url, "PIXABAY_API_KEY", KEY)
        return await search(access, {"type": "pixabay", **config}, cursor, keyword)

    return run


async def test_a_picture_has_the_largest_size_that_the_account_permits(pixabay, service, response):
    service.answer(response("pixabay"))
    first, second = (await pixabay()).candidates
    assert (first.url, first.width) == ("https://pixabay.com/get/ed6a99fd0a76647_1280.jpg", None)
    assert (first.label, first.caption) == ("pets", "cat, wall, pet")
    told = first.provenance
    assert (told.license, told.creator, told.creator_url) == (
        "pixabay",
        "Josch 13",
        "https://pixabay.com/users/48777/",
    )
    assert told.license_url == "https://pixabay.com/service/license-summary/"
    assert told.page_url == "https://pixabay.com/en/blossom-bloom-flower-195893/"
    assert (second.url, second.width) == ("https://pixabay.com/get/ed6a9364a9fd0a76647.jpg", 3000)


async def test_pictures_whose_authors_forbid_training_are_left_out_by_default(pixabay, service, response):
    service.answer(response("pixabay"))
    page = await pixabay()
    assert page.problems == ("pixabay: left out, as its author wants no AI to be trained with it",)
    assert len((await pixabay(opt_out=False)).candidates) == 3


async def test_the_search_is_for_safe_photos(pixabay, service, response):
    service.answer(response("pixabay"))
    await pixabay()
    await pixabay(image_type="all", mature=True)
    assert service.asked[0].path == "/api/"
    assert service.asked[0].query == {
        "key": KEY,
        "q": "cat",
        "page": "1",
        "per_page": "200",
        "image_type": "photo",
        "safesearch": "true",
    }
    assert service.asked[1].query["image_type"] == "all"
    assert service.asked[1].query["safesearch"] == "false"


@pytest.mark.parametrize(
    ("number", "changed", "following"),
    [
        ("1", {}, "2"),
        ("2", {}, "3"),
        ("3", {}, None),
        ("3", {"totalHits": 9000}, None),
        ("1", {"totalHits": "201"}, "2"),
        ("1", {"totalHits": 200}, None),
        ("1", {"hits": []}, None),
    ],
)
async def test_paging_ends_with_the_500th_hit(pixabay, service, response, number, changed, following):
    service.answer(response("pixabay") | changed)
    assert (await pixabay(number)).cursor == following


async def test_a_refused_page_ends_the_search_unless_it_is_the_first(pixabay, service):
    service.answer(lambda: web.Response(status=400, text='[ERROR 400] "page" is out of valid range.'))
    page = await pixabay("3")
    assert (page.candidates, page.cursor) == ((), None)
    with pytest.raises(Refused, match="status 400"):
        await pixabay()


@pytest.mark.parametrize("number", ["1", "2"])
async def test_a_wrong_key_comes_with_status_400(pixabay, service, number):
    text = "[ERROR 400] Invalid or missing API key (https://pixabay.com/api/docs/)."
    service.answer(lambda: web.Response(status=400, text=text))
    with pytest.raises(KeyRefused, match="PIXABAY_API_KEY"):
        await pixabay(number)


async def test_a_keyword_that_is_too_long_for_the_service_is_not_sent(pixabay, service):
    with pytest.raises(Permanent, match="100 characters"):
        await pixabay(keyword="c" * 101)
    assert service.asked == []


@pytest.fixture
def again(service, client):
    """Requests the first page as another job with the same storage does."""

    async def run(clock, blobs, **config):
        settings = SourceSettings(pixabay=ApiAccess(service.url, "PIXABAY_API_KEY", KEY))
        source = open_source({"type": "pixabay", **config}, client, clock, blobs=blobs, settings=settings)
        return await source.page(Query("pets/cat", "pets", "cat"), None)

    return run


class Later:
    def __init__(self, clock, **ahead):
        self.moment = clock.now() + timedelta(**ahead)

    def now(self):
        return self.moment


async def test_the_same_search_is_not_requested_twice_within_a_day(again, clock, service, response):
    blobs = MemoryBlobs()
    service.answer(response("pixabay"))
    first = await again(clock, blobs)
    assert await again(Later(clock, hours=23, minutes=59), blobs) == first
    assert len(service.asked) == 1
    await again(clock, blobs, mature=True)
    assert len(service.asked) == 2
    await again(Later(clock, hours=24), blobs)
    assert len(service.asked) == 3
    stored = b"".join([await blobs.get(info.name) async for info in blobs.list("answers/pixabay/")])
    assert KEY.encode() not in stored


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"at": "soon"}', b'{"at": "2026-11-24T12:00:00"}', b"\xff"])
async def test_unreadable_stored_answers_are_requested_again(again, clock, service, response, broken):
    blobs = MemoryBlobs()
    service.answer(response("pixabay"))
    await again(clock, blobs)
    [kept] = [info.name async for info in blobs.list("answers/")]
    await blobs.put(kept, broken)
    assert (await again(clock, blobs)).candidates
    assert len(service.asked) == 2


async def test_a_malformed_answer_is_not_stored(again, clock, service, response):
    blobs = MemoryBlobs()
    service.answer({"hits": None}, response("pixabay"))
    with pytest.raises(Unavailable):
        await again(clock, blobs)
    assert (await again(clock, blobs)).candidates
