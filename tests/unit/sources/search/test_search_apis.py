"""All search services: outages, refusals, keys, and answers of any shape."""

import pytest
from aiohttp import web

from shared.errors import AppError, InvalidRequest, Permanent, RateLimited, Unavailable
from shared.records.candidates import NumberedCandidate, decode_candidates, encode_candidates
from tests.expect import present
from tests.unit.known_sources import parse_source, parse_spec
from tests.unit.sources.search.services import (
    KEY,
    KEYED,
    LISTS,
    QUERY,
    every_service,
    everything_told,
    opened,
    title,
)


def response_with(status: int, text: str = "", headers: dict[str, str] | None = None):
    return lambda: web.Response(status=status, text=text, headers=headers)


@every_service
async def test_a_real_answer_becomes_candidates_that_can_be_stored(ask, response, name):
    page = await ask(name, response(name))
    assert len(page.candidates) >= 2
    for candidate in page.candidates:
        assert candidate.url.startswith("https://")
        assert candidate.label == "pets"
        assert candidate.provenance.source == name
        assert candidate.provenance.page_url.startswith("https://")
        assert candidate.provenance.license in present(parse_source({"type": name}).gives)
    numbered = [NumberedCandidate(at, candidate) for at, candidate in enumerate(page.candidates)]
    assert list(decode_candidates(encode_candidates(numbered))) == numbered


@every_service
async def test_each_keyword_of_each_label_is_a_query(service, client, clock, name):
    found = opened(name, service.url, client, clock).queries({"pets": ["cat", "dog"], "sea": ["ship"]})
    assert [(query.label, query.text) for query in found] == [
        ("pets", "cat"),
        ("pets", "dog"),
        ("sea", "ship"),
    ]
    assert len({query.key for query in found}) == 3


@every_service
async def test_paging_from_a_cursor_finds_the_same_as_uninterrupted_paging(
    service, client, clock, response, name
):
    service.answer(response(name))
    source = opened(name, service.url, client, clock)
    pages = source.pages(QUERY, None)
    first, second = await anext(pages), await anext(pages, None)
    if first.cursor is None:
        assert second is None
        return
    resumed = await anext(opened(name, service.url, client, clock).pages(QUERY, first.cursor))
    assert resumed == second
    assert service.asked[1].query == service.asked[2].query != service.asked[0].query


@every_service
@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "42"}, "", 42),
        ({"Retry-After": "Tue, 24 Nov 2026 12:00:42 GMT"}, "", 42),
        ({"Retry-After": "Tue, 24 Nov 2026 11:00:00 GMT"}, "", 1),
        ({"Retry-After": "0"}, "", 1),
        ({"Retry-After": "soon"}, "", 60),
        ({"Retry-After": "-1"}, "", 60),
        ({"X-RateLimit-Reset": "42"}, "", 42),
        ({"X-RateLimit-Reset": "1795608000"}, "", 60),
        ({"X-RateLimit-Reset": "1, 1419704"}, "", 60),
        ({"X-RateLimit-Reset": "7, 1419704", "X-RateLimit-Remaining": "0, 100"}, "", 7),
        ({"X-RateLimit-Reset": "7, soon", "X-RateLimit-Remaining": "0, 0"}, "", 60),
        ({"X-RateLimit-Reset": "1795521642", "X-RateLimit-Remaining": "0"}, "", 42),
        ({"X-RateLimit-Reset": "1795608000", "X-RateLimit-Remaining": "9"}, "", 60),
        ({}, '{"detail": "Request was throttled. Expected available in 42 seconds."}', 42),
        ({}, "", 60),
    ],
)
async def test_a_service_that_asks_to_wait_raises_rate_limited(ask, name, headers, body, seconds):
    with pytest.raises(RateLimited, match=title(name)) as raised:
        await ask(name, response_with(429, body, headers))
    assert raised.value.retry_after_seconds == seconds


@every_service
@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "86400"},
        {"Retry-After": "Wed, 25 Nov 2026 12:00:00 GMT"},
        {"X-RateLimit-Reset": "1, 86400", "X-RateLimit-Remaining": "1, 0"},
        {"X-RateLimit-Reset": "1795608000", "X-RateLimit-Remaining": "0"},
    ],
)
async def test_a_quota_that_is_used_up_for_long_is_a_permanent_error(ask, name, headers):
    with pytest.raises(Permanent, match=f"{title(name)} asks to wait for 24 hours: its quota is used up"):
        await ask(name, response_with(429, headers=headers))


@every_service
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_server_error_is_an_outage(ask, name, status):
    with pytest.raises(Unavailable, match=f"{title(name)} .*{status}"):
        await ask(name, response_with(status, "<html>"))


@every_service
@pytest.mark.parametrize(
    "body", ["<html>", "", "[]", "null", '"x"', "7", "[" * 100_000, "9" * 10_000, "\x00"]
)
async def test_an_answer_that_is_no_json_object_is_an_outage(ask, name, body):
    with pytest.raises(Unavailable, match=title(name)):
        await ask(name, response_with(200, body))


@every_service
@pytest.mark.parametrize("odd", [None, 7, "x", True])
async def test_results_of_another_shape_are_an_outage_and_do_not_end_the_search(ask, response, name, odd):
    body = response(name)
    *way, last = LISTS[name]
    inner = body
    for step in way:
        inner = inner[step]
    inner[last] = odd
    with pytest.raises(Unavailable, match=title(name)):
        await ask(name, body)


@every_service
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_is_permanent_and_its_error_quotes_nothing_of_the_answer(ask, name, status):
    with pytest.raises(Permanent, match=title(name)) as raised:
        await ask(name, response_with(status, f"you sent {KEY}"))
    assert KEY not in everything_told(raised.value)
    if name in KEYED and status in {401, 403}:
        assert f"{name.upper()}_API_KEY" in str(raised.value)


@every_service
@pytest.mark.parametrize("location", ["http://[::1", "ftp://x/", "/round"])
async def test_a_redirect_that_cannot_be_followed_is_an_error_of_the_app(ask, name, location):
    with pytest.raises(AppError, match=title(name)):
        await ask(name, response_with(302, headers={"Location": location}))


def with_addresses(value: object, odd: str, kept: frozenset[str] = frozenset()) -> object:
    """Replaces each address in the answer but the given ones."""
    if isinstance(value, dict):
        return {key: with_addresses(inner, odd, kept) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_addresses(inner, odd, kept) for inner in value]
    return odd if isinstance(value, str) and value.startswith("https://") and value not in kept else value


@every_service
@pytest.mark.parametrize(
    "odd", ["blob:work/secret", "javascript:alert(1)", "//x/1.jpg", "file:///etc/passwd", "x"]
)
async def test_only_http_addresses_become_candidates(ask, response, name, odd):
    page = await ask(name, with_addresses(response(name), odd))
    assert page.candidates == ()
    assert page.problems
    pictures = frozenset(candidate.url for candidate in (await ask(name, response(name))).candidates)
    page = await ask(name, with_addresses(response(name), odd, pictures))
    assert {candidate.url for candidate in page.candidates} == pictures
    for told in (candidate.provenance for candidate in page.candidates):
        assert odd not in {told.page_url, told.creator_url, told.license_url}


@every_service
def test_a_search_without_labels_and_an_unknown_option_are_refused(name):
    with pytest.raises(InvalidRequest):
        parse_spec({"sources": [{"type": name}]})
    with pytest.raises(InvalidRequest) as raised:
        parse_spec({"keywords": ["cat"], "sources": [{"type": name, "api_key": KEY}]})
    assert KEY not in repr(raised.value.fields)
