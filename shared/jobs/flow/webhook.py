"""Tells a job's owner that the job has ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.clock import Clock
from shared.errors import AppError, NotFound, Permanent, Retryable
from shared.jobs.flow.webhook_body import WebhookBodies
from shared.jobs.job.job import Job, Webhook, WebhookState
from shared.jobs.job.store import JobStore
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry
from shared.web.http.client import WebClient, WebRequest

_log = logging.getLogger(__name__)
_MAX_CALLS = 3
_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 64_000
# transient, as are all from 500 on
_BUSY_STATUSES = frozenset({408, 425, 429})


class WebhookCaller:
    """POSTs what `shared.jobs.flow.webhook_body` says to the spec's `webhook_url`.

    The client must be a guarded one: the URL is a caller's. A failure is noted on the job, logged and reported, and
    fails nothing else. None of these has the URL, which may hold a secret.
    """

    def __init__(
        self,
        jobs: JobStore,
        bodies: WebhookBodies,
        web: WebClient,
        telemetry: Telemetry,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._jobs = jobs
        self._bodies = bodies
        self._web = web
        self._telemetry = telemetry
        self._clock = clock
        self._sleep = sleep

    async def call(self, job: Job) -> Webhook:
        """Make the call, three times at most, within 33 seconds; returns what became of it.

        Only 2xx counts as delivered. Transient failures are tried again: no answer, or a status of 500 or above, 408,
        425 or 429.
        """
        try:
            spec, body = await self._jobs.spec(job.id), await self._bodies.of(job)
        except (NotFound, Permanent) as error:
            return self._failed(job, Webhook(WebhookState.FAILED), error)
        request = WebRequest(
            url=str(spec.webhook_url),
            method="POST",
            headers={"content-type": "application/json"},
            body=body,
            max_bytes=_MAX_ANSWER_BYTES,
            cut_at_max_bytes=True,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        outcome = Webhook(WebhookState.FAILED)
        for attempt in range(_MAX_CALLS):
            await self._sleep(attempt)
            outcome, again = await self._try(job, request, replace(outcome, tries=attempt + 1))
            if not again:
                break
        return outcome

    async def _try(self, job: Job, request: WebRequest, before: Webhook) -> tuple[Webhook, bool]:
        """The outcome of one try, and whether another try may succeed."""
        try:
            response = await self._web.send(request)
        except (Permanent, Retryable) as error:
            return self._failed(job, replace(before, status=None), error), isinstance(error, Retryable)
        answered = replace(before, status=response.status)
        if response.status // 100 == 2:
            return replace(answered, state=WebhookState.DELIVERED, error="", at=self._clock.now()), False
        again = response.status >= 500 or response.status in _BUSY_STATUSES
        kind = Retryable if again else Permanent
        return self._failed(job, answered, kind(f"It answered with status {response.status}.")), again

    def _failed(self, job: Job, outcome: Webhook, error: AppError) -> Webhook:
        signals.failure(self._telemetry, error, operation="webhook", job_id=job.id)
        _log.warning("The webhook of job %s failed in try %d: %s", job.id, outcome.tries, error.detail)
        return replace(outcome, error=error.detail, at=self._clock.now())
