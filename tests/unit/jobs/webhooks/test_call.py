"""The webhook call: its body, when it is tried again, and what the job shows of it."""

import json
import logging

import pytest

from functions.http.models.answers import JobAnswer, WebhookAnswer
from shared.errors import Permanent, Unavailable
from shared.jobs.job.job import Webhook, WebhookState
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.rows import Progress
from shared.records.records import Reason
from tests.expect import present

URL = "https://hooks.example/x?token=secret"
SPEC = {
    "name": "pets 😀",
    "keywords": ["a", "b"],
    "sources": [{"type": "fake"}],
    "dedup": {"near_distance": None},
    "webhook_url": URL,
}


async def _ended(flow, *answers, spec=SPEC):
    """A job that has ended, whose webhook answers so."""
    flow.web.answers = list(answers)
    job = await flow.send(spec)
    flow.clock.advance(60)
    await flow.run()
    return await flow.job(job)


def _bodies(flow):
    return [json.loads(request.body) for request in flow.web.sent]


async def test_a_completed_jobs_webhook_gets_its_counts_and_links_as_json(flow):
    job = await _ended(flow)
    [request] = flow.web.sent
    assert (request.url, request.method) == (URL, "POST")
    assert dict(request.headers) == {"content-type": "application/json"}
    assert (request.max_bytes, request.cut_at_max_bytes, request.timeout_seconds) == (64_000, True, 10)
    assert json.loads(request.body) == {
        "event": "job.completed",
        "job_id": job.id,
        "revision": 1,
        "name": "pets 😀",
        "state": "completed",
        "error": None,
        "created_at": "2026-01-01T00:00:00+00:00",
        "ended_at": "2026-01-01T00:01:00+00:00",
        "counts": {"found": 200, "kept": 180, "rejected": {"timed_out": 20}},
        "links": {
            "self": f"/api/v1/jobs/{job.id}",
            "dataset": f"/api/v1/datasets/{job.id}",
            "download": f"/api/v1/datasets/{job.id}/download",
            "records": f"/api/v1/jobs/{job.id}/records/download",
        },
    }
    assert job.webhook == Webhook(WebhookState.DELIVERED, 1, 200, "", flow.clock.now())


async def test_a_webhooks_counts_are_the_datasets_duplicates_included(flow):
    items = [{"url": f"http://x/{number}", "label": "a"} for number in range(20)]
    spec = {**SPEC, "sources": [{"type": "urls", "items": items}], "max_images_per_label": 10, "keywords": []}
    await _ended(flow, spec=spec)
    assert _bodies(flow)[0]["counts"] == {
        "found": 20,
        "kept": 10,
        "rejected": {"over_limit": 8, "timed_out": 2},
    }


async def test_the_webhook_of_a_failed_job_gets_the_reason(flow):
    flow.worker.reject = lambda _: Reason.CORRUPT
    job = await _ended(flow)
    [body] = _bodies(flow)
    assert (body["event"], body["state"]) == ("job.failed", "failed")
    assert body["error"] == {"code": job.failure.code, "detail": job.failure.detail}
    assert body["counts"] == {"found": 200, "kept": 0, "rejected": {"corrupt": 200}}
    path = f"/api/v1/jobs/{job.id}"
    assert body["links"] == {"self": path, "records": f"{path}/records/download"}


async def test_the_webhook_of_a_cancelled_job_gets_its_counts(flow):
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    await flow.cancel(job)
    assert not flow.web.sent  # the caller does not wait for it
    await flow.run()
    [body] = _bodies(flow)
    assert (body["event"], body["error"]) == ("job.cancelled", None)
    assert body["counts"] == {"found": 200, "kept": 0, "rejected": {}}


async def test_the_webhook_is_called_for_every_revision_and_gets_its_number(flow):
    job = await _ended(flow)
    flow.worker.reject = lambda _: None
    waiting = await flow.retry.run("admin", job.id)
    assert waiting.webhook == Webhook(WebhookState.PENDING)
    await flow.run(times=2)
    first, second = _bodies(flow)
    assert (first["revision"], first["counts"]["kept"]) == (1, 180)
    assert (second["revision"], second["counts"]["kept"]) == (2, 200)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered_in_one_try(flow, status):
    job = await _ended(flow, status)
    assert (job.webhook.state, job.webhook.tries, job.webhook.status) == ("delivered", 1, status)
    assert len(flow.web.sent) == 1
    assert not [signal for signal in flow.telemetry.signals if signal.kind == "exception"]


@pytest.mark.parametrize("status", [301, 302, 304, 307, 400, 401, 403, 404, 405, 410, 413, 422])
async def test_a_final_status_is_recorded_after_one_try(flow, caplog, status):
    with caplog.at_level(logging.WARNING):
        job = await _ended(flow, status)
    assert (job.state, job.failure) == (State.COMPLETED, None)
    told = f"It answered with status {status}."
    assert job.webhook == Webhook(WebhookState.FAILED, 1, status, told, flow.clock.now())
    assert len(flow.web.sent) == 1
    [failure] = [signal for signal in flow.telemetry.signals if signal.kind == "exception"]
    assert failure.properties["operation"] == "webhook"
    assert (failure.properties["job_id"], failure.properties["detail"]) == (job.id, told)
    assert [record.getMessage() for record in caplog.records] == [
        f"The webhook of job {job.id} failed in try 1: {told}"
    ]
    assert "secret" not in caplog.text


TRANSIENT = [500, 502, 503, 504, 408, 425, 429, Unavailable("The service did not answer in time.")]


@pytest.mark.parametrize("answer", TRANSIENT)
async def test_a_transient_failure_is_tried_again_with_the_same_body(flow, answer):
    job = await _ended(flow, answer, answer, 204)
    assert job.webhook == Webhook(WebhookState.DELIVERED, 3, 204, "", flow.clock.now())
    assert len({request.body for request in flow.web.sent}) == 1
    assert len(flow.web.sent) == 3


@pytest.mark.parametrize("answer", TRANSIENT)
async def test_a_call_that_never_succeeds_is_made_five_times_and_recorded_as_failed(flow, caplog, answer):
    job = await _ended(flow, *[answer] * 9)
    status = answer if isinstance(answer, int) else None
    told = f"It answered with status {status}." if status else "The service did not answer in time."
    assert job.webhook == Webhook(WebhookState.FAILED, 5, status, told, flow.clock.now())
    assert len(flow.web.sent) == 5
    [failure] = [signal for signal in flow.telemetry.signals if signal.kind == "exception"]
    assert (failure.properties["job_id"], failure.properties["detail"]) == (job.id, told)
    assert [record.getMessage() for record in caplog.records] == [
        f"The webhook of job {job.id} failed in try 5: {told}"
    ]


async def test_a_forbidden_address_is_recorded_as_failed_after_one_try(flow):
    job = await _ended(flow, Permanent("The address is not a public one."))
    assert (job.webhook.state, job.webhook.tries, job.webhook.status) == ("failed", 1, None)
    assert job.webhook.error == "The address is not a public one."


@pytest.mark.parametrize("spec", [b"{", b"[]", None])
async def test_a_webhook_whose_spec_is_damaged_or_gone_is_recorded_as_failed(flow, spec):
    job = await flow.send(SPEC)
    name = f"work/job_{job.id}/spec.json"
    await (flow.blobs.delete(name) if spec is None else flow.blobs.put(name, spec))
    await flow.cancel(job)
    await flow.run()
    webhook = (await flow.job(job)).webhook
    assert (webhook.state, webhook.tries, webhook.status) == ("failed", 0, None)
    assert "spec" in webhook.error
    assert flow.web.sent == []


async def test_the_last_try_is_the_one_that_is_recorded(flow):
    job = await _ended(flow, 503, Unavailable("It broke off."), 404)
    assert (job.webhook.tries, job.webhook.status) == (3, 404)
    job = await _ended(flow, 503, 500, 503, 500, Unavailable("It broke off."))
    assert (job.webhook.tries, job.webhook.status, job.webhook.error) == (5, None, "It broke off.")


async def test_the_api_shows_what_became_of_the_webhook(flow):
    job = await _ended(flow, 503, 404)
    shown = JobAnswer.of(job, Progress()).model_dump()["webhook"]
    assert shown == {
        "state": "failed",
        "tries": 2,
        "status": 404,
        "error": "It answered with status 404.",
        "at": flow.clock.now(),
    }
    assert WebhookAnswer.of(Webhook()) is None
    assert present(JobAnswer.of(await flow.send(SPEC), Progress()).webhook).state is WebhookState.PENDING
