"""Makes one call of a webhook, which reports to a job's owner that the job has ended."""

from dataclasses import replace

from shared.clock import Clock
from shared.errors import NotFound, Permanent, Retryable
from shared.jobs.job.job import Job, Webhook, WebhookState
from shared.jobs.job.store import JobStore
from shared.jobs.webhooks.body import WebhookBodies
from shared.web.http.client import WebClient, WebRequest

_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 64_000
# These are transient, and so are all statuses from 500 on.
_BUSY_STATUSES = frozenset({408, 425, 429})


class WebhookCaller:
    """POSTs the body to the spec's `webhook_url`.

    The client must be guarded, since the URL comes from a caller. No result contains the URL, which may hold a secret.
    """

    def __init__(self, jobs: JobStore, bodies: WebhookBodies, web: WebClient, clock: Clock) -> None:
        self._jobs = jobs
        self._bodies = bodies
        self._web = web
        self._clock = clock

    async def call(self, job: Job) -> Webhook:
        """Makes the call once, within ten seconds; returns the job's webhook after it.

        Its state is DELIVERED if the answer is 2xx. It stays PENDING if another try may succeed: there was no answer,
        or the status was 408, 425, 429, 500 or above. It is FAILED otherwise, and without a call if the spec is gone
        or damaged.

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
        """Returns the webhook's state after this try, the status of the answer, and the error (empty for none)."""
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
