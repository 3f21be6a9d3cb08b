import pytest
from aiohttp import web

from shared.sources.search.json_api import ApiAccess, KeyRefused, Refused

KEY = "BSAbr4v3"


@pytest.fixture
def brave(service, search):
    async def run(cursor=None, **config):
        access = ApiAccess(service.url, "BRAVE_API_KEY", KEY)
        return await search(access, {"type": "brave", **config}, cursor)

    return run


async def test_a_result_becomes_a_candidate_with_its_page_and_an_unknown_licence(brave, service, response):
    service.answer(response("brave"))
    page = await brave()
    first, second = page.candidates
    assert (first.url, first.width, first.height) == ("https://example.com/images/cat.jpg", 1920, 1440)
    assert (first.label, first.caption) == ("pets", "A cat on a wall")
    told = first.provenance
    assert (told.source, told.page_url, told.license) == ("brave", "https://example.com/cats/wall", "unknown")
    assert (second.url, second.width) == ("https://example.org/cats.webp", None)
    assert page.cursor is None


async def test_one_page_of_200_is_requested_with_the_key_in_a_header(brave, service, response):
    service.answer(response("brave"))
    await brave()
    await brave(mature=True)
    assert service.asked[0].path == "/res/v1/images/search"
    assert service.asked[0].query == {"q": "cat", "count": "200", "safesearch": "strict"}
    assert service.asked[0].headers["x-subscription-token"] == KEY
    assert service.asked[1].query["safesearch"] == "off"


@pytest.mark.parametrize(
    ("code", "error"), [("SUBSCRIPTION_TOKEN_INVALID", KeyRefused), ("VALIDATION", Refused)]
)
async def test_a_wrong_key_comes_with_status_422(brave, service, code, error):
    body = {
        "type": "ErrorResponse",
        "error": {"status": 422, "code": code, "detail": "…", "meta": {}},
        "time": 1,
    }
    service.answer(lambda: web.json_response(body, status=422))
    with pytest.raises(error) as raised:
        await brave()
    assert ("BRAVE_API_KEY" in str(raised.value)) is (error is KeyRefused)
