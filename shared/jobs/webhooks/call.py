"""One call of a webhook, which tells a job's owner that the job has ended."""

from dataclasses import replace

from shared.clock import Clock
from shared.errors import NotFound, Permanent, Retryable
from shared.jobs.job.job import Job, Webhook, WebhookState
from shared.jobs.job.store import JobStore
from shared.jobs.webhooks.body import WebhookBodies
from shared.web.http.client import WebClient, WebRequest

_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 64_000
# transient, as are all from 500 on
_BUSY_STATUSES = frozenset({408, 425, 429})


class WebhookCaller:
    """POSTs what `shared.jobs.webhooks.body` says to the spec's `webhook_url`.

    The client must be a guarded one: the URL is a caller's. No result has the URL, which may hold a secret.
    """

    def __init__(self, jobs: JobStore, bodies: WebhookBodies, web: WebClient, clock: Clock) -> None:
        self._jobs = jobs
        self._bodies = bodies
        self._web = web
        self._clock = clock

    async def call(self, job: Job) -> Webhook:
        """Make the call once, within ten seconds; returns what becomes of the job's webhook with it.

        It is DELIVERED if the answer is 2xx. It stays PENDING if another try may succeed: there was no answer, or its
        status was 500 or above, 408, 425 or 429. It has FAILED otherwise, and without any try if the spec is gone.

        Raises:
            Unavailable: storage did not answer, and the call was not made.
        """
        try:
            spec, body = await self._jobs.spec(job.id), await self._bodies.of(job)
        except (NotFound, Permanent) as error:
            return replace(job.webhook, state=WebhookState.FAILED, error=error.detail, at=self._clock.now())
        request = WebRequest(
            url=str(spec.webhook_url),
            method="POST",
            headers={"content-type": "application/json"},
            body=body,
            max_bytes=_MAX_ANSWER_BYTES,
            cut_at_max_bytes=True,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        state, status, wrong = await self._send(request)
        return Webhook(state, job.webhook.tries + 1, status, wrong, self._clock.now())

    async def _send(self, request: WebRequest) -> tuple[WebhookState, int | None, str]:
        """The state that the webhook has after this try, the status of the answer, and what was wrong."""
        try:
            response = await self._web.send(request)
        except Retryable as error:
            return WebhookState.PENDING, None, error.detail
        except Permanent as error:
            return WebhookState.FAILED, None, error.detail
        if response.status // 100 == 2:
            return WebhookState.DELIVERED, response.status, ""
        again = response.status >= 500 or response.status in _BUSY_STATUSES
        state = WebhookState.PENDING if again else WebhookState.FAILED
        return state, response.status, f"It answered with status {response.status}."
