"""API7:2023 Server Side Request Forgery: no address in a spec makes the app call its own network.

A server on loopback stands for that network. The guard of sockets alone protects it: the app's default settings apply.
"""

import pytest
from aiohttp import web

from shared.clock import Deadline
from shared.crawling.fetching.patience import Patience
from shared.crawling.options import Filters
from shared.errors import Permanent
from shared.jobs.job.messages import WEBHOOKS_QUEUE
from shared.records.consent import Answers
from shared.records.records import Rejected
from shared.web.addresses.lookup import HostLookup
from shared.web.http.client import WebRequest
from shared.web.wishes.respect import Respect
from tests.unit.functions.http.http_calls import memory_app
from tests.unit.loopback import asking, serving

METADATA = [
    "http://169.254.169.254/metadata/instance",
    "http://[::ffff:169.254.169.254]/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://168.63.129.16/machine",
    "http://[fd00:ec2::254]/",
]


@pytest.fixture
async def inside():
    """The address of a server that nobody may call, and the requests that it got."""
    asked = []

    async def answer(request):
        asked.append(request.path)
        return web.Response(text="secret")

    async with serving(answer) as base:
        yield base, asked


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "2130706433"]
)
async def test_api7_a_webhook_calls_no_private_address(people, inside, host):
    base, asked = inside
    url = base.replace("127.0.0.1", host)
    spec = {"keywords": ["cat"], "webhook_url": url}
    for path in ("jobs", "specs/validate"):
        refused = await people.bob.calls.post(path, spec)
        assert (refused.status, [field for field, _ in refused.errors]) == (400, ["webhook_url"])
    # a name may get such an address later: then the guard refuses the call
    people.app.host_lookup = HostLookup(allow_private=True)
    made = await people.bob.calls.post("jobs", spec)
    if made.status == 201:
        path = f"jobs/{made.body['id']}"
        await people.bob.calls.post(f"{path}/cancel")
        for _ in range(2):
            [message] = people.app.queues.take(WEBHOOKS_QUEUE)
            await people.app.webhooks.run(message)
        told = (await people.bob.calls.get(path)).body["webhook"]
        assert told["state"] == "failed"
        assert "secret" not in str(told)
    assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "http://",
        "//127.0.0.1",
        "http://user:x@a.example/",
    ],
)
async def test_api7_only_web_addresses_are_accepted(people, url):
    answered = await people.bob.calls.post("jobs", {"keywords": ["cat"], "webhook_url": url})
    assert answered.status == 400
    website = {"type": "website", "start_urls": [url], "label": "cat"}
    assert (await people.bob.calls.post("jobs", {"sources": [website]})).status == 400


async def test_api7_an_image_at_a_private_address_is_not_fetched(people, inside):
    base, asked = inside
    patience = Patience(1, Deadline(people.app.clock, 60), lambda: False)
    fetch = people.app.worker._fetcher.fetch(f"{base}/1.jpg", Filters(), Respect(), patience, Answers())
    async with fetch as found:
        assert isinstance(found, Rejected)
    assert asked == []


async def test_api7_a_website_at_a_private_address_is_not_visited(people, inside):
    base, asked = inside
    config = people.app.sources.parse({"type": "website", "start_urls": [f"{base}/"], "label": "cat"})
    source = people.app.sources.open(config, Respect(), ("jpeg",))
    [query] = source.queries({})
    pages = [page async for page in source.pages(query, None)]
    assert [candidate for page in pages for candidate in page.candidates] == []
    assert asked == []


@pytest.mark.parametrize("target", METADATA)
async def test_api7_no_redirect_leads_to_a_clouds_metadata_even_where_private_networks_are_allowed(target):
    async def answer(_):
        return web.Response(status=302, headers={"Location": target})

    async with serving(answer) as base, asking() as client:
        with pytest.raises(Permanent, match=r"never called|Only http"):
            await client.send(WebRequest(base))


async def test_api7_a_webhook_follows_no_redirect():
    asked = []

    async def answer(request):
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serving(answer) as base, asking() as client:
        answered = await client.send(WebRequest(f"{base}/hook", "POST", body=b"{}"))
    assert (answered.status, asked) == (307, ["/hook"])


async def test_api7_the_app_allows_private_networks_only_by_a_setting():
    assert memory_app().settings.crawl_allow_private_networks is False
