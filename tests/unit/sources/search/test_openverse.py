"""Openverse: its results, and its OAuth2 client."""

from urllib.parse import parse_qs

import pytest
from aiohttp import web

from shared.archiving.texts.credit import credit_line
from shared.errors import Permanent, Unavailable
from shared.records.records import Reason, Record, Rejected
from shared.sources.search.json_api import KeyRefused, Refused
from shared.sources.search.openverse import Openverse, OpenverseAccess, OpenverseConfig
from shared.sources.source import Query

QUERY = Query("pets/cat", "pets", "cat")
TOKEN = {"access_token": "t0ken", "expires_in": 36000, "token_type": "Bearer", "scope": "read write"}
NEWER = TOKEN | {"access_token": "n3wer"}


def refusal(status: int, body: object):
    return lambda: web.json_response(body, status=status)


@pytest.fixture
def openverse(service, client, clock):
    def make(**access):
        config = OpenverseConfig(license=("by", "cc0"))
        return Openverse(config, OpenverseAccess(service.url, **access), client, clock)

    return make


@pytest.fixture
def known(openverse):
    return openverse(client_id="id", client_secret="s&cret")


async def test_a_result_becomes_a_candidate_with_all_its_information(openverse, service, response):
    body = response("openverse")
    service.answer(body)
    found = openverse()
    [query] = found.queries({"pets": ["cat"]})
    page = await anext(found.pages(query, None))
    first, second = page.candidates
    assert first.url == "https://live.staticflickr.com/1/2_b.jpg#x"
    assert (first.label, first.caption, first.width, first.height) == ("pets", "Cat on a wall", None, 683)
    assert first.provenance.license == "by-sa"
    line = credit_line(Record(0, first, Rejected(Reason.TIMED_OUT)))
    assert line == (
        '"Cat on a wall" (https://www.flickr.com/photos/1/2) by Somebody (https://www.flickr.com/photos/1), '
        "CC BY-SA 2.0 (https://creativecommons.org/licenses/by-sa/2.0/)"
    )
    assert (second.provenance.license, second.provenance.creator, second.width) == ("cc0", None, 3072)
    assert page.cursor == "2"
    [asked] = service.asked
    assert asked.path == "/v1/images/"
    assert asked.query == {"q": "cat", "page": "1", "page_size": "20", "license": "by,cc0"}
    assert "authorization" not in asked.headers


async def test_paging_ends_with_the_last_page_or_at_the_permitted_depth(openverse, service, response):
    body = response("openverse")
    gone = refusal(404, {"detail": "Invalid page."})
    service.answer(body, body | {"page_count": 99}, gone, body | {"results": []}, gone)
    for cursor in ("3", "12", "7", "8"):
        assert (await openverse().page(QUERY, cursor)).cursor is None
    with pytest.raises(Refused, match="404"):
        await openverse().page(QUERY, None)


async def test_a_client_gets_one_token_and_larger_pages(known, service, response):
    service.answer(TOKEN, response("openverse"))
    pages = known.pages(QUERY, None)
    await anext(pages)
    await anext(pages)
    assert [asked.path for asked in service.asked] == ["/v1/auth_tokens/token/", "/v1/images/", "/v1/images/"]
    assert parse_qs(service.asked[0].body) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id"],
        "client_secret": ["s&cret"],
    }
    assert service.asked[2].headers["authorization"] == "Bearer t0ken"
    assert service.asked[2].query["page_size"] == "500"


async def test_a_token_is_renewed_before_it_expires(known, service, response, clock):
    service.answer(TOKEN, response("openverse"), NEWER, response("openverse"))
    await known.page(QUERY, None)
    clock.seconds = 36000 - 59
    await known.page(QUERY, "2")
    assert service.asked[3].headers["authorization"] == "Bearer n3wer"


async def test_a_refused_token_is_renewed_once(known, service, response):
    expired = refusal(401, {"detail": "Authentication credentials were not provided."})
    service.answer(TOKEN, response("openverse"), expired, NEWER, response("openverse"))
    await known.page(QUERY, None)
    assert (await known.page(QUERY, "2")).cursor == "3"
    assert service.asked[-1].headers["authorization"] == "Bearer n3wer"
    service.answer(expired, TOKEN, expired)
    with pytest.raises(KeyRefused, match="OPENVERSE_CLIENT_ID"):
        await known.page(QUERY, "3")
    assert len(service.asked) == 8


@pytest.mark.parametrize("status", [400, 401])
async def test_the_error_for_a_refused_client_names_its_setting(known, service, status):
    service.answer(refusal(status, {"error": "invalid_client"}))
    with pytest.raises(Permanent, match="OPENVERSE_CLIENT_ID") as raised:
        await known.page(QUERY, None)
    assert "s&cret" not in str(raised.value)
    assert len(service.asked) == 1


@pytest.mark.parametrize("answer", [{}, TOKEN | {"access_token": None}, TOKEN | {"access_token": ["t0ken"]}])
async def test_an_answer_without_a_token_is_an_outage(known, service, answer):
    service.answer(answer)
    with pytest.raises(Unavailable, match="Openverse"):
        await known.page(QUERY, None)


@pytest.mark.parametrize("lifetime", [None, "36000", -1, 1e300])
async def test_a_token_with_a_malformed_lifetime_is_accepted(known, service, response, lifetime):
    service.answer(TOKEN | {"expires_in": lifetime}, response("openverse"))
    assert (await known.page(QUERY, None)).candidates


def test_a_client_with_one_of_two_settings_lacks_the_other():
    assert OpenverseAccess().missing is None
    assert OpenverseAccess(client_id="id", client_secret="secret").missing is None
    assert OpenverseAccess(client_id="id").missing == "OPENVERSE_CLIENT_SECRET"
    assert OpenverseAccess(client_secret="secret").missing == "OPENVERSE_CLIENT_ID"
