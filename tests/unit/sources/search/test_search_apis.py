"""What holds for every search service alike: its troubles, its key, and answers of any shape."""

import asyncio
import json
import traceback
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import SystemClock
from shared.datasets.catalog import Catalog
from shared.errors import AppError, InvalidRequest, Permanent, RateLimited, Unavailable
from shared.jobs.job.keys import JobKeys
from shared.jobs.ledger.job_data import JobData
from shared.jobs.spec.spec import SpecReader
from shared.jobs.submission.submit import Submission, Submit
from shared.records.candidates import NumberedCandidate, decode_candidates, encode_candidates
from shared.settings import Settings
from shared.sources.kinds import SourceSettings, known_kinds
from shared.sources.registry import SourceRegistry
from shared.sources.source import Query
from shared.web.http.client import WebRequest, WebResponse
from shared.wiring import App
from tests.unit.in_memory import memory_storage, runtime_of
from tests.unit.known_sources import context, open_source, parse_source, parse_spec

RESPONSES = Path(__file__).parent / "responses"
LISTS = {
    "openverse": ("results",),
    "wikimedia": ("query", "pages"),
    "flickr": ("photos", "photo"),
    "pexels": ("photos",),
    "pixabay": ("hits",),
    "brave": ("results",),
}
NAMES = {"wikimedia": "Wikimedia Commons", "brave": "Brave Search"}
KEYED = ("flickr", "pexels", "pixabay", "brave")
KEY = "s3cret-k3y"
QUERY = Query("pets/cat", "pets", "cat")

every_service = pytest.mark.parametrize("name", LISTS)
every_keyed_service = pytest.mark.parametrize("name", KEYED)


def title(name: str) -> str:
    return NAMES.get(name, name.capitalize())


def opened(name: str, url: str, client, clock):
    known = SourceSettings()
    access = replace(getattr(known, name), base_url=url, **({"key": KEY} if name in KEYED else {}))
    services = replace(known, **{name: access})
    assert KEY not in repr(services)
    return open_source({"type": name}, client, clock, settings=services)


@pytest.fixture
def ask(service, client, clock):
    async def run(name: str, *answers: object):
        service.answer(*answers)
        return await anext(opened(name, service.url, client, clock).pages(QUERY, None))

    return run


def response_with(status: int, text: str = "", headers: dict[str, str] | None = None):
    return lambda: web.Response(status=status, text=text, headers=headers)


@every_service
async def test_a_real_answer_becomes_candidates_that_can_be_written_down(ask, response, name):
    page = await ask(name, response(name))
    assert len(page.candidates) >= 2
    for candidate in page.candidates:
        assert candidate.url.startswith("https://")
        assert candidate.label == "pets"
        assert candidate.provenance.source == name
        assert candidate.provenance.page_url.startswith("https://")
        assert candidate.provenance.license in parse_source({"type": name}).gives
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
async def test_paging_goes_on_from_a_cursor_as_it_would_have_without_a_break(
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
async def test_a_service_that_asks_to_wait_is_waited_for(ask, name, headers, body, seconds):
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
async def test_a_service_whose_quota_is_used_up_for_long_is_given_up(ask, name, headers):
    with pytest.raises(Permanent, match=f"{title(name)} asks to wait for 24 hours: its quota is used up"):
        await ask(name, response_with(429, headers=headers))


@every_service
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_an_outage_may_pass(ask, name, status):
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
async def test_results_of_another_shape_are_an_outage_and_not_an_end(ask, response, name, odd):
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
async def test_a_refusal_is_for_good_and_repeats_nothing_of_the_answer(ask, name, status):
    with pytest.raises(Permanent, match=title(name)) as raised:
        await ask(name, response_with(status, f"you sent {KEY}"))
    assert KEY not in everything_told(raised.value)
    if name in KEYED and status in {401, 403}:
        assert f"{name.upper()}_API_KEY" in str(raised.value)


def everything_told(error: BaseException) -> str:
    return repr(error) + "".join(traceback.format_exception(error))


@every_keyed_service
async def test_the_key_does_not_follow_a_redirect_to_another_origin(ask, service, elsewhere, response, name):
    elsewhere.answer(response(name))

    def away():
        query = "&".join(f"{key}={value}" for key, value in service.asked[-1].query.items())
        raise web.HTTPFound(f"{elsewhere.url}/moved?{query}")

    assert (await ask(name, away)).candidates
    [asked] = elsewhere.asked
    assert KEY in f"{service.asked[0].query} {service.asked[0].headers}"
    assert KEY not in f"{asked.query} {asked.headers}"


@pytest.fixture
async def gibberish():
    """The address of a server that does not speak HTTP."""

    async def speak(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nno header at all\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@every_keyed_service
async def test_the_key_is_in_no_error_of_a_connection_gone_wrong(gibberish, client, clock, name):
    for url in (gibberish, "http://127.0.0.1:9"):
        with pytest.raises(Unavailable, match=title(name)) as raised:
            await opened(name, url, client, clock).page(QUERY, None)
        assert KEY not in everything_told(raised.value)


async def test_a_clients_errors_show_no_secrets(gibberish, client):
    with pytest.raises(Unavailable) as raised:
        await client.send(WebRequest(gibberish, secret_params={"key": KEY}))
    assert KEY not in everything_told(raised.value)


@every_service
@pytest.mark.parametrize("location", ["http://[::1", "ftp://x/", "/round"])
async def test_a_redirect_that_leads_nowhere_is_an_error_of_ours(ask, name, location):
    with pytest.raises(AppError, match=title(name)):
        await ask(name, response_with(302, headers={"Location": location}))


def with_addresses(value: object, odd: str, kept: frozenset[str] = frozenset()) -> object:
    """The answer with each address in it replaced, but for some."""
    if isinstance(value, dict):
        return {key: with_addresses(inner, odd, kept) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_addresses(inner, odd, kept) for inner in value]
    return odd if isinstance(value, str) and value.startswith("https://") and value not in kept else value


@every_service
@pytest.mark.parametrize(
    "odd", ["blob:work/secret", "javascript:alert(1)", "//x/1.jpg", "file:///etc/passwd", "x"]
)
async def test_only_addresses_of_the_web_get_through(ask, response, name, odd):
    page = await ask(name, with_addresses(response(name), odd))
    assert page.candidates == ()
    assert page.problems
    pictures = frozenset(candidate.url for candidate in (await ask(name, response(name))).candidates)
    page = await ask(name, with_addresses(response(name), odd, pictures))
    assert {candidate.url for candidate in page.candidates} == pictures
    for told in (candidate.provenance for candidate in page.candidates):
        assert odd not in {told.page_url, told.creator_url, told.license_url}


async def test_a_clients_last_address_and_its_requests_show_no_secrets(client, service):
    service.answer({})
    request = WebRequest(service.url, params={"q": "cat"}, secret_params={"key": KEY}, headers={"x-key": KEY})
    assert KEY not in repr(request)
    told = await client.send(request)
    assert service.asked[0].query == {"q": "cat", "key": KEY}
    assert told.url == f"{service.url}/?q=cat"


@every_keyed_service
@pytest.mark.parametrize("key", [None, ""])
async def test_a_job_that_needs_a_key_that_is_not_there_is_refused_when_it_is_submitted(name, key):
    known = SourceSettings()
    services = replace(known, **{name: replace(getattr(known, name), key=key)})
    storage = memory_storage()
    catalog = Catalog(storage.entities, storage.blobs, link_seconds=60)
    spec = parse_spec({"keywords": ["cat"], "sources": [{"type": "openverse"}, {"type": name}]})

    def submit(settings: SourceSettings) -> Submit:
        specs = SpecReader(SourceRegistry(known_kinds(settings), context()))
        data = JobData.over(storage, specs)
        return Submit(data, JobKeys(storage.entities, data.jobs), specs, catalog, runtime_of())

    with pytest.raises(InvalidRequest) as refused:
        await submit(services).run(Submission("admin", spec))
    [told] = refused.value.fields
    assert told.field == "sources.1"
    assert f" {name.upper()}_API_KEY," in told.message
    assert storage.queues.sent == {}
    services = replace(known, **{name: replace(getattr(known, name), key=KEY)})
    assert (await submit(services).run(Submission("admin", spec))).state == "queued"


@every_service
def test_a_source_without_labels_and_an_option_that_is_none_are_refused(name):
    with pytest.raises(InvalidRequest):
        parse_spec({"sources": [{"type": name}]})
    with pytest.raises(InvalidRequest) as raised:
        parse_spec({"keywords": ["cat"], "sources": [{"type": name, "api_key": KEY}]})
    assert KEY not in repr(raised.value.fields)


def test_the_settings_defaults_are_the_sources_own(monkeypatch):
    assert App(Settings()).source_settings == SourceSettings()
    for name in KEYED:
        monkeypatch.setenv(f"{name.upper()}_API_KEY", f" {KEY}\n")
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", "http://127.0.0.1:1")
    read = Settings()
    assert KEY not in repr(read)
    for name in KEYED:
        access = getattr(App(read).source_settings, name)
        assert (access.base_url, access.key, access.missing) == ("http://127.0.0.1:1", KEY, None)


class Remembered:
    """The web, in memory: one answer to everything."""

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
@settings(deadline=None)
@given(data=st.data())
def test_an_answer_of_any_shape_gives_a_page_or_an_error_of_ours(name, data):
    body = json.loads(real(name))
    for _ in range(data.draw(st.integers(1, 3))):
        if not isinstance(body, dict):
            break
        *way, last = data.draw(st.sampled_from(places(body)[1:] or [("x",)]))
        inner = body
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
@settings(deadline=None)
@given(stranger=ANYTHING)
def test_a_stranger_among_the_results_harms_no_neighbour(name, stranger):
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
