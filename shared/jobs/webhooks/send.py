"""Handles the messages of the queue `webhooks`, each of which reports the end of a job to its owner.

Whoever ends a job sends the message, and does not wait for the call. The host delivers the message again while the
owner's server is down. After its last delivery the message is poison, and the webhook is given up.
"""

import logging
from dataclasses import replace

from shared.clock import Clock
from shared.errors import InvalidRequest, Permanent, Unavailable
from shared.jobs.flow.dropped_message import report_dropped
from shared.jobs.job.job import Job, Webhook, WebhookState
from shared.jobs.job.message_json import decode_json
from shared.jobs.job.messages import JobMessage, read_webhook_message
from shared.jobs.job.store import JobStore
from shared.jobs.webhooks.call import WebhookCaller
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_log = logging.getLogger(__name__)


class SendWebhook:
    """Handles the messages of `webhooks`. Safe to run twice, at the same time, and to die at any line.

    The owner is called at least once: if a run dies between the call and the record of its outcome, the next run calls
    again. A message has no effect if the job was retried since, or if the call has succeeded or failed already.
    """

    def __init__(self, jobs: JobStore, caller: WebhookCaller, telemetry: Telemetry, clock: Clock) -> None:
        self._jobs = jobs
        self._caller = caller
        self._telemetry = telemetry
        self._clock = clock

    async def run(self, text: str | bytes) -> None:
        """Calls the webhook once, and records the outcome.

        Raises:
            Unavailable: the owner's server or storage did not answer; the message should come again.
        """
        job = await self._due_job(text, "send_webhook")
        if job is None:
            return
        outcome = await self._caller.call(job)
        if not await self._record(job, outcome):
            return
        if outcome.state is WebhookState.PENDING:
            raise Unavailable(f"The webhook of job {job.id} failed in try {outcome.tries}: {outcome.error}")
        if outcome.state is WebhookState.FAILED:
            self._report(job, outcome)

    async def give_up(self, text: str | bytes) -> None:
        """Records that the webhook has failed, since no delivery of its message has succeeded."""
        job = await self._due_job(text, "send_webhook_poison")
        if job is None:
            return
        outcome = job.webhook.given_up(self._clock.now())
        if await self._record(job, outcome):
            self._report(job, outcome)

    async def _due_job(self, text: str | bytes, operation: str) -> Job | None:
        """Returns the job whose webhook is to be called; None if there is nothing to do."""
        try:
            message: JobMessage = read_webhook_message(decode_json(text))
        except InvalidRequest as error:
            report_dropped(self._telemetry, error, operation)
            return None
        job = await self._jobs.get(message.user_id, message.job_id)
        return job if job is not None and job.webhook_is_due(message.revision) else None

    async def _record(self, job: Job, outcome: Webhook) -> bool:
        """Saves the outcome; returns False if it is out of date, by another run or by a retry."""

        async def record(stored: Job) -> bool:
            if not stored.webhook_is_due(job.revision):
                return False
            await self._jobs.save(replace(stored, webhook=outcome))
            return True

        return await self._jobs.swap(job, record)

    def _report(self, job: Job, outcome: Webhook) -> None:
        _log.warning("The webhook of job %s failed in try %d: %s", job.id, outcome.tries, outcome.error)
        signals.failure(self._telemetry, Permanent(outcome.error), operation="webhook", job_id=job.id)
