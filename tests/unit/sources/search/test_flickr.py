import pytest

from shared.errors import Permanent, Unavailable
from shared.sources.search.json_api import ApiAccess, KeyRefused

KEY = "f11c4rf11c4r"


@pytest.fixture
def flickr(service, search):
    async def run(cursor=None, **config):
        access = ApiAccess(service.url, "FLICKR_API_KEY", KEY)
        return await search(access, {"type": "flickr", **config}, cursor)

    return run


async def test_a_photo_has_its_largest_size_its_page_and_its_licence(flickr, service, response):
    service.answer(response("flickr"))
    page = await flickr()
    first, second = page.candidates
    assert first.url == "https://live.staticflickr.com/65535/52551849781_0d1a994712_o.jpg"
    assert (first.caption, first.width, first.height) == ("Cat on a wall", 4000, 3000)
    told = first.provenance
    assert (told.license, told.license_version, told.creator) == ("by", "2.0", "Jane Doe")
    assert told.page_url == "https://www.flickr.com/photos/141852728@N05/52551849781"
    assert told.creator_url == "https://www.flickr.com/people/141852728@N05"
    assert (second.url, second.width, second.height) == (
        "https://live.staticflickr.com/2/2636_a123456_b.jpg",
        1024,
        768,
    )
    assert (second.provenance.license, second.provenance.title) == ("flickr", None)
    assert page.problems == ("flickr: a result without a picture",)


async def test_the_search_is_for_safe_photos_under_open_licences(flickr, service, response):
    service.answer(response("flickr"))
    assert (await flickr("3")).cursor == "4"
    [asked] = service.asked
    assert (asked.path, asked.query["method"]) == ("/services/rest/", "flickr.photos.search")
    assert (asked.query["text"], asked.query["page"], asked.query["per_page"]) == ("cat", "3", "500")
    assert (asked.query["api_key"], asked.query["media"], asked.query["safe_search"]) == (KEY, "photos", "1")
    assert asked.query["license"] == "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [(["by"], "4,11"), (["cc0", "pdm"], "8,9,10"), (["unknown"], "0"), (["flickr"], "7")],
)
async def test_licences_are_requested_by_their_numbers(flickr, service, response, wanted, numbers):
    service.answer(response("flickr"))
    await flickr(license=wanted)
    assert service.asked[0].query["license"] == numbers


@pytest.mark.parametrize(
    ("number", "code", "version"),
    [
        ("0", "unknown", None),
        ("1", "by-nc-sa", "2.0"),
        (2, "by-nc", "2.0"),
        ("3", "by-nc-nd", "2.0"),
        ("5", "by-sa", "2.0"),
        ("6", "by-nd", "2.0"),
        ("8", "pdm", None),
        ("9", "cc0", "1.0"),
        ("10", "pdm", "1.0"),
        ("11", "by", "4.0"),
        ("12", "by-sa", "4.0"),
        ("13", "by-nd", "4.0"),
        ("14", "by-nc", "4.0"),
        ("15", "by-nc-sa", "4.0"),
        ("16", "by-nc-nd", "4.0"),
        ("17", "unknown", None),
        (None, "unknown", None),
        (["4"], "unknown", None),
    ],
)
async def test_each_number_stands_for_a_licence(flickr, service, response, number, code, version):
    body = response("flickr")
    body["photos"]["photo"][0]["license"] = number
    service.answer(body)
    told = (await flickr()).candidates[0].provenance
    assert (told.license, told.license_version) == (code, version)


async def test_identifiers_that_are_invalid_in_paths_make_no_page_url(flickr, service, response):
    body = response("flickr")
    body["photos"]["photo"][0] |= {"owner": "../x", "id": "1?x"}
    body["photos"]["photo"][1]["id"] = 2636
    service.answer(body)
    first, second = (await flickr()).candidates
    assert (first.provenance.page_url, first.provenance.creator_url) == (None, None)
    assert second.provenance.page_url == "https://www.flickr.com/photos/47058503995@N01/2636"


@pytest.mark.parametrize(
    ("number", "changed"),
    [("8", {}), ("2", {"pages": 2}), ("2", {"pages": None}), ("2", {"photo": []}), ("12", {})],
)
async def test_paging_ends_with_the_last_page_or_the_4000th_result(
    flickr, service, response, number, changed
):
    body = response("flickr")
    body["photos"] |= changed
    service.answer(body)
    assert (await flickr(number)).cursor is None


@pytest.mark.parametrize(
    ("code", "error", "match"),
    [
        (100, KeyRefused, "FLICKR_API_KEY"),
        ("100", KeyRefused, "FLICKR_API_KEY"),
        (105, Unavailable, "Flickr"),
        (10, Unavailable, "Flickr"),
        (18, Permanent, "error 18"),
        (None, Permanent, "Flickr"),
    ],
)
async def test_failures_come_with_status_200(flickr, service, code, error, match):
    service.answer({"stat": "fail", "code": code, "message": f"Invalid API Key ({KEY} has invalid format)"})
    with pytest.raises(error, match=match) as raised:
        await flickr()
    assert KEY not in str(raised.value)
