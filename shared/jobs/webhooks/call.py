"""Makes one call of a webhook."""

from shared.clock import Clock
from shared.errors import Permanent, Retryable
from shared.jobs.webhooks.delivery import Attempt, Delivery, Outcome, Verdict
from shared.jobs.webhooks.signature import signed_headers
from shared.jobs.webhooks.signing_secrets import SigningSecrets
from shared.telemetry.correlation import origin_within
from shared.text.retry_after import retry_after_seconds
from shared.web.http.client import REDIRECT_STATUSES, WebClient, WebRequest, WebResponse

_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 4_000
_GONE = 410
_NO_SECRET = "The owner's signing secret is deleted, so the call cannot be signed."  # noqa: S105 - an error text


class WebhookCaller:
    """POSTs the payloads of deliveries to their URLs, signed with the secrets of their owners.

    The client must be guarded, since the URL comes from a caller. No result contains the URL, which may hold a secret.
    """

    def __init__(self, web: WebClient, secrets: SigningSecrets, clock: Clock) -> None:
        self._web = web
        self._secrets = secrets
        self._clock = clock

    async def call(self, delivery: Delivery) -> Outcome:
        """Makes the call once, within ten seconds. Redirects are not followed.

        The verdict is DELIVERED if the answer is 2xx, and GONE if it is 410. It is FINAL if the address may not be
        called or the owner has no secret. Otherwise it is AGAIN, since the receiver may be mended within the day.

        Raises:
            Unavailable: storage did not answer, and the call was not made.
        """
        keys = await self._secrets.find(delivery.user_id)
        now = self._clock.now()
        if keys is None:
            return Outcome(Attempt(now, None, _NO_SECRET), Verdict.FINAL)
        origin = origin_within(delivery.origin)
        carried = {"traceparent": origin.traceparent, "x-correlation-id": origin.correlation_id}
        request = WebRequest(
            url=delivery.url,
            method="POST",
            headers={
                "content-type": "application/json",
                **signed_headers(keys, delivery.id, now, delivery.payload),
                **{name: value for name, value in carried.items() if value},
            },
            body=delivery.payload,
            max_bytes=_MAX_ANSWER_BYTES,
            cut_at_max_bytes=True,
            timeout_seconds=_TIMEOUT_SECONDS,
            follow_redirects=False,
        )
        try:
            response = await self._web.send(request)
        except Retryable as error:
            return Outcome(Attempt(now, None, error.detail), Verdict.AGAIN)
        except Permanent as error:
            return Outcome(Attempt(now, None, error.detail), Verdict.FINAL)
        return self._outcome(Attempt(now, response.status), response)

    def _outcome(self, attempt: Attempt, response: WebResponse) -> Outcome:
        status = response.status
        if status // 100 == 2:
            return Outcome(attempt, Verdict.DELIVERED)
        error = f"It answered with status {status}."
        if status in REDIRECT_STATUSES:
            error = f"It answered with status {status}; redirects are not followed."
        failed = Attempt(attempt.at, status, error)
        if status == _GONE:
            return Outcome(failed, Verdict.GONE)
        header = response.headers.get("retry-after", "")
        return Outcome(failed, Verdict.AGAIN, retry_after_seconds(header, self._clock.now()))
