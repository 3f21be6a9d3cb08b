"""The queue `webhooks`: ending a job waits for no server, and the webhook is called at least once."""

import asyncio
import json

import pytest

from functions.http.models.answers import JobAnswer
from shared.errors import Unavailable
from shared.jobs.job.job import Webhook, WebhookState
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE, message_of
from shared.jobs.job.states import State
from shared.jobs.ledger.rows import Progress
from shared.jobs.submission.submit import Submission
from shared.records.records import Reason
from shared.telemetry.correlation import operation
from shared.web.http.client import WebResponse
from tests.expect import present
from tests.unit.jobs.simulation import Flow

SPEC = {
    "keywords": ["a"],
    "sources": [{"type": "fake"}],
    "dedup": {"near_distance": None},
    "webhook_url": "https://hooks.example/x",
}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def _ended(flow):
    """A job that has ended, and the message that has its webhook called."""
    job = await flow.send(SPEC)
    await flow.cancel(job)
    flow.queues.take(JOBS_QUEUE)
    [message] = flow.queues.take(WEBHOOKS_QUEUE)
    return job, message


async def _webhook(flow, job):
    return (await flow.job(job)).webhook


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
    assert await _webhook(flow, job) == Webhook(WebhookState.PENDING)
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


async def test_messages_of_a_cancelled_archive_have_its_webhook_called_once(flow):
    job = await flow.send(SPEC)
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    await flow.cancel(job)
    await asyncio.gather(*(flow.handle(ARCHIVES_QUEUE, waiting[0]) for _ in range(8)))
    await flow.cancel(job)
    assert len(flow.queues.take(WEBHOOKS_QUEUE)) == 1


async def test_a_message_that_comes_twice_is_one_call(flow):
    job, message = await _ended(flow)
    await flow.handle(WEBHOOKS_QUEUE, message)
    before = await flow.job(job)
    assert before.webhook.state is WebhookState.DELIVERED
    await flow.handle(WEBHOOKS_QUEUE, message)
    await flow.webhooks.give_up(message)
    assert await flow.job(job) == before
    assert len(flow.web.sent) == 1


async def test_two_runs_at_the_same_time_come_to_one_outcome(flow):
    job, message = await _ended(flow)
    both_call = asyncio.Barrier(2)
    statuses = [200, 503]

    async def send(request):
        flow.web.sent.append(request)
        await both_call.wait()
        status = statuses.pop(0)
        if status == 503:
            while (await _webhook(flow, job)).state is WebhookState.PENDING:  # noqa: ASYNC110 - of the other run
                await asyncio.sleep(0)
        return WebResponse(status, request.url, {}, b"")

    flow.web.send = send
    await asyncio.gather(flow.handle(WEBHOOKS_QUEUE, message), flow.handle(WEBHOOKS_QUEUE, message))
    assert len(flow.web.sent) == 2  # at least once
    assert (await _webhook(flow, job)).state is WebhookState.DELIVERED
    assert (await _webhook(flow, job)).status == 200


async def test_messages_of_an_earlier_revision_do_nothing(flow):
    job, old = await _ended(flow)
    await flow.retry.run("admin", job.id)
    await _until_the_end(flow)
    [new] = flow.queues.take(WEBHOOKS_QUEUE)
    await flow.handle(WEBHOOKS_QUEUE, old)
    await flow.webhooks.give_up(old)
    assert flow.web.sent == []
    assert await _webhook(flow, job) == Webhook(WebhookState.PENDING)
    await flow.handle(WEBHOOKS_QUEUE, new)
    assert [json.loads(sent.body)["revision"] for sent in flow.web.sent] == [2]


async def test_a_retry_during_the_call_keeps_its_own_webhook(flow):
    job, message = await _ended(flow)

    async def send(request):
        await flow.retry.run("admin", job.id)
        return WebResponse(500, request.url, {}, b"")

    flow.web.send = send
    await flow.handle(WEBHOOKS_QUEUE, message)
    assert (await flow.job(job)).state is State.QUEUED
    assert await _webhook(flow, job) == Webhook(WebhookState.PENDING)


async def test_no_webhook_is_called_for_a_job_that_has_not_ended_or_does_not_exist(flow):
    job = await flow.send(SPEC)
    text = message_of(job)
    for message in (text, text.replace(job.id, "none"), text.replace("admin", "nobody")):
        await flow.handle(WEBHOOKS_QUEUE, message)
        await flow.webhooks.give_up(message)
    assert flow.web.sent == []
    assert await _webhook(flow, job) == Webhook(WebhookState.PENDING)


async def test_a_run_that_dies_behind_its_call_calls_again(flow):
    job, message = await _ended(flow)
    flow.weather.writes_left = 1
    with pytest.raises(Unavailable, match="died"):
        await flow.handle(WEBHOOKS_QUEUE, message)
    await flow.handle(WEBHOOKS_QUEUE, message)
    assert len(flow.web.sent) == 2
    assert len({sent.body for sent in flow.web.sent}) == 1
    assert (await _webhook(flow, job)).state is WebhookState.DELIVERED


async def test_a_transient_failure_is_recorded_and_left_to_the_hosts_retries(flow):
    job, message = await _ended(flow)
    flow.web.answers = [503, Unavailable("The service did not answer in time.")]
    with pytest.raises(
        Unavailable, match=f"The webhook of job {job.id} failed in try 1: It answered with status 503."
    ):
        await flow.handle(WEBHOOKS_QUEUE, message)
    shown = present(JobAnswer.of(await flow.job(job), Progress()).webhook)
    assert (shown.state, shown.tries, shown.status) == ("pending", 1, 503)
    with pytest.raises(Unavailable, match="failed in try 2: The service did not answer in time"):
        await flow.handle(WEBHOOKS_QUEUE, message)
    await flow.handle(WEBHOOKS_QUEUE, message)
    assert await _webhook(flow, job) == Webhook(WebhookState.DELIVERED, 3, 200, "", flow.clock.now())


async def test_poison_records_that_the_webhook_has_failed_and_why(flow):
    job, message = await _ended(flow)
    flow.web.answers = [503]
    with pytest.raises(Unavailable):
        await flow.handle(WEBHOOKS_QUEUE, message)
    called = flow.clock.now()
    flow.clock.advance(60)
    for _ in range(2):
        await flow.webhooks.give_up(message)
    told = "It answered with status 503."
    assert await _webhook(flow, job) == Webhook(WebhookState.FAILED, 1, 503, told, called)
    [failure] = [signal for signal in flow.telemetry.signals if signal.kind == "exception"]
    assert (failure.properties["operation"], failure.properties["job_id"]) == ("webhook", job.id)
    await flow.handle(WEBHOOKS_QUEUE, message)
    assert len(flow.web.sent) == 1
    assert flow.take() == []


async def test_poison_of_calls_that_killed_their_process_says_so(flow):
    job, message = await _ended(flow)
    await flow.webhooks.give_up(message)
    assert await _webhook(flow, job) == Webhook(
        WebhookState.FAILED, 0, None, "No try came to its end.", flow.clock.now()
    )


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[]",
        '{"keywords": ["cat"]}',
        '{"user_id": "admin", "job_id": "../x"}',
        '{"user_id": "admin", "job_id": "a", "part": "0123456789ab/1"}',
    ],
)
async def test_what_the_app_did_not_send_is_reported_and_dropped(flow, caplog, text):
    await flow.webhooks.run(text)
    await flow.webhooks.give_up(text)
    operations = [signal.properties["operation"] for signal in flow.telemetry.signals]
    assert operations == ["send_webhook", "send_webhook_poison"]
    assert len(caplog.records) == 2
    assert (await flow.jobs.page("admin")).items == []
