"""Openverse's responses in their true shape, and in every wrong one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock
from shared.errors import Permanent, RateLimited, Unavailable
from shared.sources.openverse import Openverse, OpenverseAccess, OpenverseConfig, _candidates
from shared.web.client import WebResponse

RESULT = {
    "id": "0aff3595-8168-440b-83ff-7a80b65dea42",
    "title": "Cat on a wall",
    "indexed_on": "2020-01-01T00:00:00Z",
    "foreign_landing_url": "https://www.flickr.com/photos/1/2",
    "url": "https://live.staticflickr.com/1/2_b.jpg#x",
    "creator": "Somebody",
    "creator_url": "https://www.flickr.com/photos/1",
    "license": "by-sa",
    "license_version": "2.0",
    "license_url": "https://creativecommons.org/licenses/by-sa/2.0/",
    "provider": "flickr",
    "source": "flickr",
    "category": None,
    "filesize": None,
    "filetype": None,
    "tags": [{"accuracy": None, "name": "cat"}],
    "attribution": '"Cat on a wall" by Somebody is licensed under CC BY-SA 2.0.',
    "mature": False,
    "height": 683,
    "width": None,
}


def body(results, page=1, pages=3):
    return {"result_count": 60, "page_count": pages, "page_size": 20, "page": page, "results": results}


class Web:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    async def send(self, request):
        self.sent.append(request)
        status, content, headers = self.answers.pop(0)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return WebResponse(status, request.url, headers, data)


def source(web, **access):
    return Openverse(OpenverseConfig(license=("by", "cc0")), OpenverseAccess(**access), web, SystemClock())


async def test_a_result_becomes_a_candidate_with_all_that_it_tells():
    web = Web((200, body([RESULT]), {}))
    found = source(web)
    [query] = found.queries({"pets": ["cat"]})
    page = await anext(found.pages(query, None))
    [candidate] = page.candidates
    assert candidate.url == RESULT["url"]
    assert (candidate.label, candidate.caption, candidate.width, candidate.height) == (
        "pets",
        "Cat on a wall",
        None,
        683,
    )
    assert candidate.provenance.license == "by-sa"
    assert candidate.provenance.attribution == RESULT["attribution"]
    assert page.cursor == "2"
    assert web.sent[0].url == "https://api.openverse.org/v1/images/"
    assert web.sent[0].params == {"q": "cat", "page": "1", "page_size": "20", "license": "by,cc0"}


async def test_paging_ends_with_the_last_page_or_the_depth_that_is_allowed():
    web = Web(
        (200, body([RESULT], 3), {}), (200, body([RESULT], 12, 99), {}), (404, b"", {}), (200, body([]), {})
    )
    found = source(web)
    [query] = found.queries({"pets": ["cat"]})
    for cursor in ("3", "12", "7", "8"):
        assert (await anext(found.pages(query, cursor))).cursor is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((429, {"detail": "Request was throttled. Expected available in 42 seconds."}, {}), RateLimited),
        ((429, b"", {"retry-after": "42"}), RateLimited),
        ((503, b"", {}), Unavailable),
        ((200, b"<html>", {}), Unavailable),
        ((400, {"detail": {"q": "bad"}}, {}), Permanent),
    ],
)
async def test_refusals_are_told_apart(answer, error):
    found = source(Web(answer))
    [query] = found.queries({"pets": ["cat"]})
    with pytest.raises(error) as raised:
        await anext(found.pages(query, None))
    if error is RateLimited:
        assert raised.value.retry_after_seconds == 42


async def test_a_client_gets_a_token_once_and_larger_pages():
    token = {"access_token": "t0ken", "expires_in": 36000, "token_type": "Bearer", "scope": "read write"}
    web = Web((200, token, {}), (200, body([RESULT]), {}), (200, body([RESULT]), {}))
    found = source(web, client_id="id", client_secret="secret")
    [query] = found.queries({"pets": ["cat"]})
    pages = found.pages(query, None)
    await anext(pages)
    await anext(pages)
    assert [request.method for request in web.sent] == ["POST", "GET", "GET"]
    assert web.sent[2].headers["authorization"] == "Bearer t0ken"
    assert web.sent[2].params["page_size"] == "500"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(sorted(RESULT)), ANYTHING),
    st.sets(st.sampled_from(sorted(RESULT))),
    ANYTHING,
)
def test_a_result_of_any_shape_harms_no_neighbour(changed, gone, stranger):
    broken = {key: value for key, value in {**RESULT, **changed}.items() if key not in gone}
    candidates, problems = _candidates([RESULT, broken, stranger, RESULT], "pets")
    assert len(candidates) + len(problems) == 4
    assert candidates[0] == candidates[-1]
