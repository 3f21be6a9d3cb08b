"""Keys of search services: which requests need them, and that they never appear elsewhere."""

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web

from shared.datasets.catalog import Catalog
from shared.errors import InvalidRequest, Unavailable
from shared.jobs.job.keys import JobKeys
from shared.jobs.ledger.job_data import JobData
from shared.jobs.spec.spec import SpecReader
from shared.jobs.submission.spec_checks import SpecChecks
from shared.jobs.submission.submit import Submission, Submit
from shared.settings import Settings
from shared.sources.kinds import SourceSettings, known_kinds
from shared.sources.registry import SourceRegistry
from shared.storage.memory.queues import MemoryQueues
from shared.web.addresses.lookup import HostLookup
from shared.web.http.client import WebRequest
from shared.wiring import App
from tests.unit.in_memory import lists_of, memory_storage, quotas_of, runtime_of
from tests.unit.known_sources import context, parse_spec
from tests.unit.sources.search.services import (
    KEY,
    KEYED,
    QUERY,
    every_keyed_service,
    everything_told,
    opened,
    title,
)


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
async def test_errors_of_broken_connections_do_not_contain_the_key(gibberish, client, clock, name):
    for url in (gibberish, "http://127.0.0.1:9"):
        with pytest.raises(Unavailable, match=title(name)) as raised:
            await opened(name, url, client, clock).page(QUERY, None)
        assert KEY not in everything_told(raised.value)


async def test_errors_of_the_client_show_no_secrets(gibberish, client):
    with pytest.raises(Unavailable) as raised:
        await client.send(WebRequest(gibberish, secret_params={"key": KEY}))
    assert KEY not in everything_told(raised.value)


async def test_requests_and_final_addresses_of_the_client_show_no_secrets(client, service):
    service.answer({})
    request = WebRequest(service.url, params={"q": "cat"}, secret_params={"key": KEY}, headers={"x-key": KEY})
    assert KEY not in repr(request)
    told = await client.send(request)
    assert service.asked[0].query == {"q": "cat", "key": KEY}
    assert told.url == f"{service.url}/?q=cat"


@every_keyed_service
@pytest.mark.parametrize("key", [None, ""])
async def test_a_job_whose_source_lacks_its_key_is_refused_when_it_is_submitted(name, key):
    known = SourceSettings()
    services = replace(known, **{name: replace(getattr(known, name), key=key)})
    storage = memory_storage()
    catalog = Catalog(storage.entities, storage.blobs)
    spec = parse_spec({"keywords": ["cat"], "sources": [{"type": "openverse"}, {"type": name}]})

    def submit(settings: SourceSettings) -> Submit:
        specs = SpecReader(SourceRegistry(known_kinds(settings), context()))
        data = JobData.over(storage, specs)
        keys = JobKeys(storage.entities, data.jobs)
        checks = SpecChecks(catalog, lists_of(storage), HostLookup(allow_private=False))
        return Submit(data, keys, specs, checks, quotas_of(storage, data), runtime_of())

    with pytest.raises(InvalidRequest) as refused:
        await submit(services).run(Submission("admin", spec))
    [told] = refused.value.fields
    assert told.field == "sources.1"
    assert f" {name.upper()}_API_KEY," in told.message
    assert isinstance(storage.queues, MemoryQueues)
    assert storage.queues.sent == {}
    services = replace(known, **{name: replace(getattr(known, name), key=KEY)})
    assert (await submit(services).run(Submission("admin", spec))).state == "queued"


def test_the_defaults_of_the_settings_are_those_of_the_sources(monkeypatch):
    assert App(Settings()).source_settings == SourceSettings()
    for name in KEYED:
        monkeypatch.setenv(f"{name.upper()}_API_KEY", f" {KEY}\n")
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", "http://127.0.0.1:1")
    read = Settings()
    assert KEY not in repr(read)
    for name in KEYED:
        access = getattr(App(read).source_settings, name)
        assert (access.base_url, access.key, access.missing) == ("http://127.0.0.1:1", KEY, None)
