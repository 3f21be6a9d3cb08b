import pytest

from shared.sources.search.json_api import ApiAccess

KEY = "p3x3lsp3x3ls"


@pytest.fixture
def pexels(service, search):
    async def run(cursor=None, **config):
        access = ApiAccess(service.url, "PEXELS_API_KEY", KEY)
        return await search(access, {"type": "pexels", **config}, cursor)

    return run


async def test_a_photo_is_the_original_and_names_its_photographer(pexels, service, response):
    service.answer(response("pexels"))
    first, second = (await pexels()).candidates
    assert first.url == "https://images.pexels.com/photos/3573351/pexels-photo-3573351.png"
    assert (first.caption, first.width, first.height) == ("A cat on a wall", 3066, 3968)
    told = first.provenance
    assert (told.license, told.license_url) == ("pexels", "https://www.pexels.com/license/")
    assert told.creator == "Lukas Rodriguez"
    assert told.page_url == "https://www.pexels.com/photo/cat-on-a-wall-3573351/"
    assert told.creator_url == "https://www.pexels.com/@lukas-rodriguez-1845331"
    assert second.caption is None


async def test_the_key_is_sent_in_a_header_and_only_to_the_base_url(pexels, service, response):
    service.answer(response("pexels") | {"next_page": "https://evil.example/v1/search/?page=9"})
    page = await pexels("2")
    assert page.cursor == "3"
    [asked] = service.asked
    assert asked.path == "/v1/search"
    assert asked.query == {"query": "cat", "per_page": "80", "page": "2"}
    assert asked.headers["authorization"] == KEY


async def test_the_smaller_copy_is_selected_if_it_is_wanted_and_exists(pexels, service, response):
    body = response("pexels")
    del body["photos"][1]["src"]["large2x"]
    service.answer(body)
    smaller, original = (await pexels(size="large2x")).candidates
    assert smaller.url.endswith("?auto=compress&cs=tinysrgb&dpr=2&h=650&w=940")
    assert (smaller.width, smaller.height) == (None, None)
    assert original.url.endswith("kitty-cat-kitten-pet-45201.jpeg")
    assert original.width == 2392


@pytest.mark.parametrize("changed", [{"next_page": None}, {"next_page": 2}, {"photos": []}])
async def test_paging_ends_without_a_next_page(pexels, service, response, changed):
    service.answer(response("pexels") | changed)
    assert (await pexels("2")).cursor is None


async def test_paging_ends_at_a_limit_even_if_the_service_offers_more(pexels, service, response):
    service.answer(response("pexels"))
    assert (await pexels("124")).cursor == "125"
    assert (await pexels("125")).cursor is None
