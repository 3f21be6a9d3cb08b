"""A job with a webhook, and what its receiver gets."""

import json

from shared.jobs.job.messages import JOBS_QUEUE, WEBHOOKS_QUEUE

URL = "https://hooks.example/x?token=secret"
SPEC = {
    "name": "pets \N{GRINNING FACE}",
    "keywords": ["a", "b"],
    "sources": [{"type": "fake"}],
    "dedup": {"near_distance": None},
    "webhook_url": URL,
}


async def ended(flow, *answers, spec=SPEC):
    """Returns the delivery of a job that has ended, whose webhook answers so."""
    flow.web.answers = list(answers)
    job = await flow.send(spec)
    flow.clock.advance(60)
    await flow.run()
    return await flow.delivery(job)


async def job_of(flow, delivery):
    """Returns the job of a delivery."""
    return await flow.jobs.require(delivery.user_id, delivery.job_id)


async def announced(flow, spec=SPEC):
    """Returns a job that has ended and is announced, and the message that asks for the first attempt."""
    job = await flow.send(spec)
    await flow.cancel(job)
    flow.queues.take(JOBS_QUEUE)
    [end] = flow.queues.take(WEBHOOKS_QUEUE)
    await flow.webhooks.run(end)
    [message] = flow.queues.take(WEBHOOKS_QUEUE)
    return job, message


def bodies(flow):
    """Returns the bodies that were sent."""
    return [json.loads(request.body) for request in flow.web.sent]


def events(flow):
    """Returns the type and the revision of each event that was sent."""
    return [(body["type"], body["data"]["revision"]) for body in bodies(flow)]
