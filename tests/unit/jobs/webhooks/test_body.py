"""The events that report the ends of jobs: what a receiver reads in them."""

import json

from shared.jobs.job.job import WebhookState
from shared.jobs.job.messages import JOBS_QUEUE
from shared.records.records import Reason
from tests.unit.jobs.webhooks.hooks import SPEC, URL, bodies, ended, job_of


async def test_a_completed_jobs_webhook_gets_its_counts_and_links_as_json(flow):
    delivery = await ended(flow)
    path = f"/api/v1/jobs/{delivery.job_id}"
    [request] = flow.web.sent
    assert (request.url, request.method) == (URL, "POST")
    assert request.headers["content-type"] == "application/json"
    assert (request.max_bytes, request.cut_at_max_bytes, request.timeout_seconds) == (4_000, True, 10)
    assert not request.follow_redirects
    assert json.loads(request.body) == {
        "type": "job.completed",
        "timestamp": "2026-01-01T00:01:00+00:00",
        "data": {
            "job_id": delivery.job_id,
            "revision": 1,
            "name": SPEC["name"],
            "state": "completed",
            "error": None,
            "created_at": "2026-01-01T00:00:00+00:00",
            "ended_at": "2026-01-01T00:01:00+00:00",
            "counts": {"found": 200, "kept": 180, "rejected": {"timed_out": 20}},
            "retry": {"possible": True, "transient": 20, "unprocessed": 0},
            "links": {
                "self": path,
                "deliveries": f"{path}/deliveries",
                "retry": f"{path}/retry",
                "dataset": f"/api/v1/datasets/{delivery.job_id}",
                "download": f"/api/v1/datasets/{delivery.job_id}/download",
                "records": f"{path}/records/download",
            },
        },
    }


async def test_a_webhooks_counts_are_the_datasets_duplicates_included(flow):
    items = [{"url": f"http://x/{number}", "label": "a"} for number in range(20)]
    spec = {**SPEC, "sources": [{"type": "urls", "items": items}], "max_images_per_label": 10, "keywords": []}
    await ended(flow, spec=spec)
    assert bodies(flow)[0]["data"]["counts"] == {
        "found": 20,
        "kept": 10,
        "rejected": {"over_limit": 8, "timed_out": 2},
    }


async def test_the_webhook_of_a_failed_job_gets_the_reason(flow):
    flow.worker.reject = lambda _: Reason.CORRUPT
    delivery = await ended(flow)
    job = await job_of(flow, delivery)
    [body] = bodies(flow)
    data = body["data"]
    assert (body["type"], data["state"]) == ("job.failed", "failed")
    assert data["error"] == {"code": job.failure.code, "detail": job.failure.detail}
    assert data["counts"] == {"found": 200, "kept": 0, "rejected": {"corrupt": 200}}
    assert data["retry"] == {"possible": False, "transient": 0, "unprocessed": 0}
    assert data["links"].keys() == {"self", "deliveries", "records"}


async def test_the_webhook_of_a_cancelled_job_says_what_a_retry_could_still_get(flow):
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    await flow.cancel(job)
    assert not flow.web.sent  # the caller does not wait for it
    await flow.run()
    [body] = bodies(flow)
    assert (body["type"], body["data"]["error"]) == ("job.cancelled", None)
    assert body["data"]["counts"] == {"found": 200, "kept": 0, "rejected": {}}
    assert body["data"]["retry"] == {"possible": True, "transient": 0, "unprocessed": 200}


async def test_the_webhook_is_called_for_every_revision_and_gets_its_number(flow):
    job = await job_of(flow, await ended(flow))
    flow.worker.reject = lambda _: None
    waiting = await flow.retry.run("admin", job.id)
    assert waiting.webhook is WebhookState.PENDING
    await flow.run(times=2)
    first, second = (body["data"] for body in bodies(flow))
    assert (first["revision"], first["counts"]["kept"]) == (1, 180)
    assert (second["revision"], second["counts"]["kept"]) == (2, 200)
    assert len({request.headers["webhook-id"] for request in flow.web.sent}) == 2


async def test_a_body_is_small_whatever_the_job_says(flow):
    delivery = await ended(flow, spec={**SPEC, "name": "\N{GRINNING FACE}" * 100, "webhook_url": URL})
    job = await flow.send({**SPEC, "name": '"' * 100})
    await flow.transitions.fail(await flow.job(job), "code", '\N{GRINNING FACE}"' * 4000)
    await flow.run()
    assert all(len(request.body) < 16_000 for request in flow.web.sent)
    assert len(flow.web.sent) == 2
    assert delivery is not None
