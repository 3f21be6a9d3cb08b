import itertools
import json

import pytest
from aiohttp import web

from shared.errors import Permanent, RateLimited, Unavailable
from shared.sources.search.json_api import ApiAccess


@pytest.fixture
def commons(service, search):
    async def run(cursor=None, **config):
        return await search(ApiAccess(service.url), {"type": "wikimedia", **config}, cursor)

    return run


async def test_files_are_sorted_by_rank_and_have_their_terms_as_plain_text(commons, service, response):
    service.answer(response("wikimedia"))
    page = await commons()
    first, second = page.candidates
    assert first.url == "https://upload.wikimedia.org/wikipedia/commons/a/aa/Felis_catus.png"
    assert (first.caption, first.provenance.title) == ("Felis catus.png", "Felis catus.png")
    assert (first.provenance.license, first.provenance.license_version) == ("pdm", None)
    assert (second.label, second.caption, second.width, second.height) == (
        "pets",
        "Eine Katze. A cat & a wall",
        4000,
        3000,
    )
    told = second.provenance
    assert (told.license, told.license_version, told.creator) == ("by-sa", "4.0", "Jane & Joe")
    assert told.license_url == "https://creativecommons.org/licenses/by-sa/4.0"
    assert told.page_url == "https://commons.wikimedia.org/wiki/File:Katze_auf_Mauer.jpg"


async def test_drawings_are_left_out_and_a_file_without_imageinfo_is_a_problem(commons, service, response):
    service.answer(response("wikimedia"))
    page = await commons()
    assert len(page.candidates) == 2
    assert page.problems == ("wikimedia: a result without a picture",)


async def test_the_search_is_for_bitmaps_and_continues_with_the_continue_object(commons, service, response):
    service.answer(response("wikimedia"))
    page = await commons()
    [asked] = service.asked
    assert asked.path == "/w/api.php"
    assert asked.query["gsrsearch"] == "filetype:bitmap cat"
    assert "gsroffset" not in asked.query
    assert "iiurlwidth" not in asked.query
    assert "mailto:" in asked.headers["user-agent"]
    assert json.loads(page.cursor) == {"gsroffset": "50", "continue": "gsroffset||", "asked": 1}
    last = response("wikimedia")
    del last["continue"]
    service.answer(last)
    page = await commons(page.cursor)
    assert page.cursor is None
    assert (service.asked[1].query["gsroffset"], service.asked[1].query["continue"]) == ("50", "gsroffset||")
    assert "asked" not in service.asked[1].query


async def test_a_batch_in_parts_has_no_problems_until_it_is_complete(commons, service, response):
    part = response("wikimedia")
    del part["batchcomplete"]
    part["continue"] = {"iistart": "2020-01-01T00:00:00Z", "continue": "||"}
    service.answer(part)
    page = await commons()
    assert page.problems == ()
    assert json.loads(page.cursor)["iistart"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "odd", [{"continue": "x" * 5000}, {"gsroffset": [1]}, {"action": "login"}, "gsroffset", [], None]
)
async def test_an_invalid_continue_object_ends_the_search(commons, service, response, odd):
    service.answer(response("wikimedia") | {"continue": odd})
    assert (await commons()).cursor is None


async def test_a_search_whose_cursor_does_not_change_ends(commons, service, response):
    service.answer(response("wikimedia"))
    cursor = (await commons()).cursor
    assert (await commons(cursor)).cursor is None


async def test_a_search_whose_cursors_repeat_ends(commons, service, response):
    body = response("wikimedia")
    turns = itertools.cycle(({"gsroffset": 0}, {"gsroffset": 50}))
    service.answer(lambda: web.json_response(body | {"continue": next(turns)}))
    cursor = (await commons()).cursor
    while cursor is not None:
        cursor = (await commons(cursor)).cursor
    assert len(service.asked) == 200


async def test_scaled_copies_are_selected_if_a_width_is_wanted(commons, service, response):
    body = response("wikimedia")
    body["query"]["pages"]["9"]["imageinfo"][0] |= {
        "thumburl": "https://upload.wikimedia.org/thumb/960px-Felis_catus.png",
        "thumbwidth": 960,
        "thumbheight": 720,
        "thumbmime": "image/png",
    }
    service.answer(body)
    scaled, original = (await commons(width=960)).candidates
    assert service.asked[0].query["iiurlwidth"] == "960"
    assert (scaled.url, scaled.width) == ("https://upload.wikimedia.org/thumb/960px-Felis_catus.png", 960)
    assert original.url.endswith("/Katze_auf_Mauer.jpg")


@pytest.mark.parametrize("nothing", [{"batchcomplete": ""}, {"query": []}, {"query": {"pages": []}}])
async def test_a_search_without_results_is_an_empty_page(commons, service, nothing):
    service.answer(nothing)
    page = await commons()
    assert (page.candidates, page.problems, page.cursor) == ((), (), None)


@pytest.mark.parametrize("turned", [False, True])
async def test_files_in_a_list_give_the_same_candidates_in_the_same_order(commons, service, response, turned):
    body = response("wikimedia")
    service.answer(body)
    by_id = await commons()
    files = list(body["query"]["pages"].values())
    body["query"]["pages"] = files[::-1] if turned else files
    service.answer(body)
    in_list = await commons()
    assert in_list == by_id
    titles = [candidate.provenance.title for candidate in in_list.candidates]
    assert titles == ["Felis catus.png", "Katze auf Mauer.jpg"]


@pytest.mark.parametrize("pages", ["none", 7, None])
async def test_pages_of_another_shape_are_an_outage(commons, service, pages):
    service.answer({"query": {"pages": pages}})
    with pytest.raises(Unavailable, match="Wikimedia Commons"):
        await commons()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ratelimited", RateLimited),
        ("maxlag", Unavailable),
        ("internal_api_error_DBQueryError", Unavailable),
        ("badvalue", Permanent),
        (None, Permanent),
    ],
)
async def test_errors_come_with_status_200(commons, service, code, error):
    service.answer({"error": {"code": code, "info": "…", "*": "See …"}, "servedby": "mw1"})
    with pytest.raises(error, match="Wikimedia Commons"):
        await commons()


@pytest.mark.parametrize(
    ("metadata", "license_code"),
    [
        ({"License": {"value": "cc0"}}, "cc0"),
        ({"License": {"value": "gfdl"}, "LicenseShortName": {"value": "CC BY 3.0"}}, "by"),
        ({"LicenseUrl": {"value": "https://creativecommons.org/licenses/by-sa/3.0/de/deed.en"}}, "by-sa"),
        ({"License": {"value": "fal"}, "LicenseShortName": {"value": "FAL"}}, "unknown"),
        ({"License": ["cc0"], "LicenseShortName": "CC0", "LicenseUrl": {"value": 1}}, "unknown"),
        ([], "unknown"),
    ],
)
async def test_a_licence_is_never_guessed(commons, service, response, metadata, license_code):
    body = response("wikimedia")
    body["query"]["pages"]["9"]["imageinfo"][0]["extmetadata"] = metadata
    service.answer(body)
    found = (await commons()).candidates[0]
    assert found.provenance.license == license_code
    assert found.extra == ({"license": "FAL"} if "FAL" in str(metadata) else {})
