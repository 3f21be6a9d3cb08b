"""Random answers that no service should give."""

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock
from shared.errors import AppError
from shared.records.candidates import NumberedCandidate, encode_candidates
from shared.web.http.client import WebRequest, WebResponse
from tests.unit.sources.search.services import LISTS, QUERY, every_service, opened, title

RESPONSES = Path(__file__).parent / "responses"


class Remembered:
    """A web client in memory that gives one answer to every request."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def send(self, request: WebRequest) -> WebResponse:
        return WebResponse(200, request.url, {}, self._body)


@cache
def real(name: str) -> str:
    return (RESPONSES / f"{name}.json").read_text()


def places(value: object, way: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, inner in inside for place in places(inner, (*way, key)))]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["1024", "blob:work/secret", "javascript:alert(1)", "HTTPS://a/1.jpg", "<a>\x00&", "//x"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@every_service
@given(data=st.data())
def test_an_answer_of_any_shape_becomes_a_page_or_an_error_of_the_app(name, data):
    body = json.loads(real(name))
    for _ in range(data.draw(st.integers(1, 3))):
        if not isinstance(body, dict):
            break
        *way, last = data.draw(st.sampled_from(places(body)[1:] or [("x",)]))
        inner: Any = body
        for step in way:
            inner = inner[step]
        if data.draw(st.booleans()):
            inner.pop(last, None) if isinstance(inner, dict) else inner.pop()
        else:
            inner[last] = data.draw(ANYTHING)
    source = opened(name, "http://x", Remembered(json.dumps(body).encode()), SystemClock())
    try:
        page = asyncio.run(source.page(QUERY, None))
    except AppError as error:
        assert title(name) in str(error)  # noqa: PT017 - most answers raise nothing
        return
    for candidate in page.candidates:
        told = candidate.provenance
        for url in (candidate.url, told.page_url, told.creator_url, told.license_url):
            assert url is None or url.lower().startswith(("http://", "https://"))
    encode_candidates(NumberedCandidate(0, candidate) for candidate in page.candidates)


@every_service
@given(stranger=ANYTHING)
def test_a_malformed_result_does_not_affect_others(name, stranger):
    body = json.loads(real(name))
    inner = body
    for step in LISTS[name]:
        inner = inner[step]
    ask = Remembered(json.dumps(body).encode())
    before = asyncio.run(opened(name, "http://x", ask, SystemClock()).page(QUERY, None))
    if isinstance(inner, dict):
        inner["0"] = stranger
    else:
        inner.insert(1, stranger)
    ask = Remembered(json.dumps(body).encode())
    after = asyncio.run(opened(name, "http://x", ask, SystemClock()).page(QUERY, None))
    assert after.candidates == before.candidates
    assert len(after.problems) == len(before.problems) + 1
