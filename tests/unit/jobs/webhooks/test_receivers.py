"""Webhooks called over HTTP: receivers on loopback that fail, hang, drip, redirect and answer with too much."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from shared.announcements import Announcement
from shared.clock import SystemClock
from shared.jobs.job.messages import WEBHOOKS_QUEUE
from shared.jobs.webhooks import call
from shared.jobs.webhooks.call import WebhookCaller
from shared.telemetry.correlation import operation
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from tests.unit.jobs.simulation import Flow
from tests.unit.loopback import serving

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET_PART = "token=very-secret"


@asynccontextmanager
async def calling(flow, *, allow_private=True):
    """Has the webhooks of the flow called over HTTP."""
    sessions = Sessions(SessionConfig("test", allow_private_networks=allow_private))
    flow.clock.moment = SystemClock().now()
    flow.webhooks._caller = WebhookCaller(AiohttpWebClient(sessions), flow.secrets, flow.clock)
    try:
        yield
    finally:
        await sessions.close()


async def _attempted(flow, url):
    """Announces an event, makes its first attempt, and returns the delivery and the delay of the next attempt."""
    now = flow.clock.now()
    announcement = Announcement("admin", "job-1", "dataset.rehydrated", url, now, url, {"job_id": "job-1"})
    with operation("test", traceparent=TRACE, correlation_id="mine"):
        webhook_id = await flow.deliveries.announce(announcement)
        [message] = flow.queues.take(WEBHOOKS_QUEUE)
        await flow.webhooks.run(message)
    delivery = await flow.deliveries.store.require("admin", "job-1", webhook_id)
    wait = (delivery.due_at - now).total_seconds() if delivery.due_at else None
    return delivery, wait


@pytest.fixture
def flow():
    return Flow()


async def test_a_receiver_gets_a_signed_call_with_the_trace_of_the_event(flow):
    got = []

    async def receive(request):
        got.append((await request.read(), dict(request.headers), request.path_qs))
        return web.Response(status=204)

    async with calling(flow), serving(receive) as base:
        delivery, _ = await _attempted(flow, f"{base}/hook?{SECRET_PART}")
    [(body, headers, path)] = got
    assert (delivery.state, delivery.attempts[0].status, path) == ("delivered", 204, f"/hook?{SECRET_PART}")
    assert Webhook((await flow.secrets.ensure("admin")).current.text).verify(body, headers) == {
        "type": "dataset.rehydrated",
        "timestamp": flow.clock.now().isoformat(),
        "data": {"job_id": "job-1"},
    }
    named = {name.lower(): value for name, value in headers.items()}
    assert (named["x-correlation-id"], named["traceparent"]) == ("mine", TRACE)
    assert (named["content-type"], named["webhook-id"]) == ("application/json", delivery.id)


@pytest.mark.parametrize(
    ("status", "sent", "waits"),
    [
        (500, {}, 5),
        (404, {}, 5),
        (429, {"Retry-After": "120"}, 120),
        (503, {"Retry-After": "99999999"}, 36_000),
        (503, {"Retry-After": "-1"}, 5),
        (301, {"Location": "/elsewhere"}, 5),
        (410, {}, None),
    ],
)
async def test_an_answer_decides_when_the_next_attempt_is(flow, status, sent, waits):
    asked = []

    async def receive(request):
        asked.append(request.path)
        return web.Response(status=status, headers=sent)

    async with calling(flow), serving(receive) as base:
        delivery, wait = await _attempted(flow, f"{base}/hook")
    assert (wait, asked) == (waits, ["/hook"])
    assert delivery.attempts[0].status == status
    assert str(status) in delivery.error


async def test_no_redirect_is_followed_to_a_private_address(flow):
    asked = []

    async def inside(request):
        asked.append(request.path)
        return web.Response()

    async with calling(flow), serving(inside) as private:

        async def receive(_request):
            return web.Response(status=307, headers={"Location": f"{private}/secrets"})

        async with serving(receive) as base:
            delivery, _ = await _attempted(flow, f"{base}/hook")
    assert asked == []
    assert delivery.error == "It answered with status 307; redirects are not followed."


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_never_called_and_never_again(flow, host):
    asked = []

    async def receive(request):
        asked.append(request.path)
        return web.Response()

    async with calling(flow, allow_private=False), serving(receive) as base:
        delivery, wait = await _attempted(flow, f"{base.replace('127.0.0.1', host)}/hook?{SECRET_PART}")
    assert (asked, delivery.state, wait) == ([], "failed", None)
    assert "address" in delivery.error
    assert SECRET_PART not in delivery.error


@pytest.mark.parametrize("drips", [False, True])
async def test_a_receiver_that_hangs_or_drips_costs_one_bounded_attempt(flow, monkeypatch, drips):
    monkeypatch.setattr(call, "_TIMEOUT_SECONDS", 0.3)
    ended = asyncio.Event()

    async def receive(request):
        response = web.StreamResponse()
        if drips:
            await response.prepare(request)
            await response.write(b"x")
        await ended.wait()
        return response

    async with calling(flow), serving(receive) as base:
        delivery, wait = await asyncio.wait_for(_attempted(flow, f"{base}/hook?{SECRET_PART}"), 5)
        ended.set()
    assert (delivery.state, wait, delivery.attempts[0].status) == ("pending", 5, None)
    assert delivery.error == "127.0.0.1 did not answer in time."


async def test_a_huge_answer_is_read_to_its_limit_only(flow):
    sent = 0

    async def flood(request):
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            sent += 65_536

    async with calling(flow), serving(flood) as base:
        delivery, _ = await asyncio.wait_for(_attempted(flow, f"{base}/hook"), 5)
    assert delivery.state == "delivered"
    assert sent < 20_000_000


async def test_a_receiver_that_is_not_there_is_tried_again(flow):
    async def receive(_request):
        return web.Response()

    async with serving(receive) as base:
        gone = base
    async with calling(flow):
        delivery, wait = await _attempted(flow, f"{gone}/hook?{SECRET_PART}")
    assert (delivery.state, wait) == ("pending", 5)
    assert "127.0.0.1 could not be reached" in delivery.error
    assert SECRET_PART not in delivery.error


async def test_events_of_a_dataset_are_announced_once_and_disabled_with_the_jobs(flow):
    statuses = [410, 200]

    async def receive(_request):
        return web.Response(status=statuses.pop(0))

    async with calling(flow), serving(receive) as base:
        delivery, _ = await _attempted(flow, f"{base}/hook")
        assert delivery.state == "failed"
        now = flow.clock.now()
        first = Announcement("admin", "job-1", "dataset.rehydrated", "2", now, f"{base}/hook", {})
        again = await flow.deliveries.announce(first)
        assert again == await flow.deliveries.announce(replace(first, data={"other": 1}))
        assert flow.queues.take(WEBHOOKS_QUEUE) == []
        stored = await flow.deliveries.store.require("admin", "job-1", again)
        assert (stored.state, stored.attempts) == ("failed", ())
        # the owner has it sent, which enables the webhook again
        await flow.deliveries.redeliver("admin", "job-1", again)
        [message] = flow.queues.take(WEBHOOKS_QUEUE)
        await flow.webhooks.run(message)
    stored = await flow.deliveries.store.require("admin", "job-1", again)
    assert (stored.state, statuses) == ("delivered", [])
    assert not await flow.deliveries.store.is_disabled("admin", "job-1")
