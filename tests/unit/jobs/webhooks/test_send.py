"""The queue `webhooks`: ending a job waits for no server, and the receiver is called at least once."""

import asyncio
import json

import pytest

from shared.errors import Unavailable
from shared.jobs.job.job import WebhookState
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE, message_of
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.records.records import Reason
from shared.telemetry.correlation import operation
from shared.web.http.client import WebResponse
from tests.unit.jobs.simulation import Flow
from tests.unit.jobs.webhooks.hooks import SPEC, announced, events

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def _until_the_end(flow):
    """Handle all messages but those of webhooks."""
    while taken := [
        (queue, text)
        for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE)
        for text in flow.queues.take(queue)
    ]:
        for queue, text in taken:
            await flow.handle(queue, text)


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
async def test_the_call_that_ends_a_job_sends_one_message_and_calls_no_webhook(flow, end):
    with operation("submit_job", traceparent=TRACE, correlation_id="mine"):
        job = await flow.submit.run(Submission("admin", flow.specs.parse(SPEC)))
    if end == "failed":
        flow.worker.reject = lambda _: Reason.CORRUPT
    if end == "cancelled":
        await flow.cancel(job)
    await _until_the_end(flow)
    assert (await flow.job(job)).state == end
    assert flow.web.sent == []
    assert (await flow.job(job)).webhook is WebhookState.PENDING
    [text] = flow.queues.take(WEBHOOKS_QUEUE)
    message = json.loads(text)
    assert (message["user_id"], message["job_id"], message["revision"]) == ("admin", job.id, 1)
    assert (message["traceparent"], message["correlation_id"]) == (TRACE, "mine")


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_job_without_a_webhook_sends_no_message(flow, cancelled):
    job = await flow.send({**SPEC, "webhook_url": None})
    if cancelled:
        await flow.cancel(job)
    await flow.run(times=2)
    assert (await flow.job(job)).state.terminal
    assert flow.queues.sent[WEBHOOKS_QUEUE] == []
    flow.clock.advance(100_000)
    assert await flow.watchdog.run(flow.deadline()) == 0


async def test_a_job_that_waits_for_a_slot_does_not_wait_for_webhooks():
    flow = Flow(running_jobs=1)
    first, second = await flow.send(SPEC), await flow.send(SPEC)
    await _until_the_end(flow)
    assert {(await flow.job(job)).state for job in (first, second)} == {State.COMPLETED}
    assert len(flow.queues.take(WEBHOOKS_QUEUE)) == 2
    assert flow.web.sent == []


async def test_messages_of_a_cancelled_archive_announce_its_end_once(flow):
    job = await flow.send(SPEC)
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    await flow.cancel(job)
    await asyncio.gather(*(flow.handle(ARCHIVES_QUEUE, waiting[0]) for _ in range(8)))
    await flow.cancel(job)
    assert len(flow.queues.take(WEBHOOKS_QUEUE)) == 1


async def test_the_delivery_is_stored_before_its_message_is_sent(flow):
    job = await flow.send(SPEC)
    await flow.cancel(job)
    [end] = flow.queues.take(WEBHOOKS_QUEUE)
    stored = []
    send = flow.queues.send

    async def looking(queue, text, **options):
        stored.append((await flow.deliveries.store.page("admin", job.id)).items)
        await send(queue, text, **options)

    flow.queues.send = looking
    await flow.webhooks.run(end)
    [[delivery]] = stored
    assert (delivery.state, delivery.job_id) == ("pending", job.id)


async def test_a_message_that_comes_twice_is_one_call(flow):
    job, message = await announced(flow)
    await flow.handle(WEBHOOKS_QUEUE, message)
    before = await flow.delivery(job)
    assert before.state == "delivered"
    await flow.handle(WEBHOOKS_QUEUE, message)
    await flow.webhooks.give_up(message)
    assert await flow.delivery(job) == before
    assert len(flow.web.sent) == 1


async def test_an_end_that_is_announced_twice_is_one_delivery(flow):
    job = await flow.send(SPEC)
    await flow.cancel(job)
    [end] = flow.queues.take(WEBHOOKS_QUEUE)
    await asyncio.gather(*(flow.webhooks.run(end) for _ in range(4)))
    await flow.webhooks.run(end)
    for message in flow.queues.take(WEBHOOKS_QUEUE):
        await flow.webhooks.run(message)
    assert len(flow.web.sent) == 1
    assert len((await flow.deliveries.store.page("admin", job.id)).items) == 1


async def test_two_runs_at_the_same_time_come_to_one_outcome(flow):
    job, message = await announced(flow)
    both_call = asyncio.Barrier(2)
    statuses = [200, 503]

    async def send(request):
        flow.web.sent.append(request)
        await both_call.wait()
        status = statuses.pop(0)
        if status == 503:
            while (await flow.delivery(job)).state == "pending":  # noqa: ASYNC110 - of the other run
                await asyncio.sleep(0)
        return WebResponse(status, request.url, {}, b"")

    flow.web.send = send
    await asyncio.gather(flow.handle(WEBHOOKS_QUEUE, message), flow.handle(WEBHOOKS_QUEUE, message))
    assert len({sent.headers["webhook-id"] for sent in flow.web.sent}) == 1
    delivery = await flow.delivery(job)
    assert (delivery.state, [attempt.status for attempt in delivery.attempts]) == ("delivered", [200])
    assert len(flow.web.sent) == 2  # at least once


async def test_a_success_counts_although_another_run_has_recorded_a_failure(flow):
    job, message = await announced(flow)
    called = asyncio.Event()
    answered = asyncio.Event()

    async def send(request):
        flow.web.sent.append(request)
        if len(flow.web.sent) == 1:
            called.set()
            await answered.wait()
            return WebResponse(200, request.url, {}, b"")
        return WebResponse(503, request.url, {}, b"")

    flow.web.send = send
    slow = asyncio.create_task(flow.webhooks.run(message))
    await called.wait()
    await flow.webhooks.run(message)
    assert (await flow.delivery(job)).state == "pending"
    answered.set()
    await slow
    delivery = await flow.delivery(job)
    assert (delivery.state, delivery.due_at, delivery.error) == ("delivered", None, "")
    for planned in flow.queues.take(WEBHOOKS_QUEUE):
        await flow.webhooks.run(planned)
    assert len(flow.web.sent) == 2


async def test_an_end_of_an_earlier_revision_is_announced_no_more(flow):
    job = await flow.send(SPEC)
    await flow.cancel(job)
    flow.queues.take(JOBS_QUEUE)
    [old] = flow.queues.take(WEBHOOKS_QUEUE)
    await flow.retry.run("admin", job.id)
    await flow.webhooks.run(old)
    await flow.webhooks.give_up(old)
    assert (await flow.job(job)).webhook is WebhookState.PENDING
    await flow.run()
    assert events(flow) == [("job.completed", 2)]


async def test_a_retry_during_the_call_leaves_both_ends_to_be_delivered(flow):
    job, message = await announced(flow)
    send = flow.web.send

    async def retrying(request):
        flow.web.send = send
        await flow.retry.run("admin", job.id)
        return WebResponse(500, request.url, {}, b"")

    flow.web.send = retrying
    await flow.handle(WEBHOOKS_QUEUE, message)
    assert (await flow.job(job)).webhook is WebhookState.PENDING
    await flow.run()
    assert sorted(events(flow)) == [("job.cancelled", 1), ("job.completed", 2)]


async def test_nothing_is_announced_of_a_job_that_has_not_ended_or_does_not_exist(flow):
    job = await flow.send(SPEC)
    text = message_of(job)
    for message in (text, text.replace(job.id, "none"), text.replace("admin", "nobody")):
        await flow.handle(WEBHOOKS_QUEUE, message)
        await flow.webhooks.give_up(message)
    assert flow.web.sent == []
    assert (await flow.job(job)).webhook is WebhookState.PENDING


async def test_a_delivery_whose_owner_has_no_secret_any_more_fails(flow):
    job, message = await announced(flow)
    await flow.secrets.erase("admin")
    await flow.webhooks.run(message)
    delivery = await flow.delivery(job)
    assert (delivery.state, flow.web.sent) == ("failed", [])
    assert delivery.error == "The owner's signing secret is deleted, so the call cannot be signed."
    assert await flow.secrets.find("admin") is None


async def test_a_delivery_that_is_deleted_during_its_call_stays_deleted(flow):
    job, message = await announced(flow)

    async def send(request):
        await flow.deliveries.store.erase("admin", job.id)
        return WebResponse(500, request.url, {}, b"")

    flow.web.send = send
    await flow.webhooks.run(message)
    await flow.webhooks.run(message)
    assert await flow.delivery(job) is None
    assert flow.queues.take(WEBHOOKS_QUEUE) == []


async def test_storage_that_does_not_answer_has_the_host_deliver_the_message_again(flow):
    job, message = await announced(flow)
    flow.weather.writes_left = 1
    with pytest.raises(Unavailable, match="died"):
        await flow.webhooks.run(message)
    await flow.webhooks.run(message)
    assert len({(sent.body, sent.headers["webhook-id"]) for sent in flow.web.sent}) == 1
    assert (await flow.delivery(job)).state == "delivered"


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[]",
        '{"keywords": ["cat"]}',
        '{"user_id": "admin", "job_id": "../x"}',
        '{"user_id": "admin", "job_id": "a", "part": "0123456789ab/1"}',
        '{"user_id": "admin", "job_id": "a", "delivery": "../x", "attempt": 1}',
        '{"user_id": "admin", "job_id": "a", "delivery": "msg_1", "attempt": 0}',
    ],
)
async def test_what_the_app_did_not_send_is_reported_and_dropped(flow, caplog, text):
    await flow.webhooks.run(text)
    await flow.webhooks.give_up(text)
    operations = [signal.properties["operation"] for signal in flow.telemetry.signals]
    assert operations == ["send_webhook", "send_webhook_poison"]
    assert len(caplog.records) == 2
    assert (await flow.jobs.page("admin")).items == []
