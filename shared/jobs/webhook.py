"""Tells a job's owner that the job has ended."""

import asyncio
import json

from shared.errors import NotFound, Permanent, Retryable
from shared.jobs.job import Job
from shared.jobs.job_store import JobStore
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry
from shared.web.client import WebClient, WebRequest

_TRIES = 3
_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 64_000


class WebhookCaller:
    """POSTs `{"event": "job.completed", "job_id", "name", "state", "error"}` to the spec's `webhook_url`.

    The client must be a guarded one: the URL is a caller's. Failure is recorded and fails nothing.
    """

    def __init__(self, jobs: JobStore, web: WebClient, telemetry: Telemetry) -> None:
        self._jobs = jobs
        self._web = web
        self._telemetry = telemetry

    async def call(self, job: Job) -> bool:
        """Make the call, three times at most; True where it was answered with 2xx."""
        try:
            spec = await self._jobs.spec(job.id)
        except NotFound:
            return False
        if spec.webhook_url is None:
            return False
        request = WebRequest(
            url=str(spec.webhook_url),
            method="POST",
            headers={"content-type": "application/json"},
            body=_body(job),
            max_bytes=_MAX_ANSWER_BYTES,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
        for attempt in range(_TRIES):
            await asyncio.sleep(attempt)
            try:
                response = await self._web.send(request)
            except Permanent as error:
                signals.failure(self._telemetry, error, operation="webhook", job_id=job.id)
                return False
            except Retryable as error:
                signals.failure(self._telemetry, error, operation="webhook", job_id=job.id)
                continue
            if response.status // 100 == 2:
                return True
        return False


def _body(job: Job) -> bytes:
    error = {"code": job.failure.code, "detail": job.failure.detail} if job.failure else None
    content = {
        "event": f"job.{job.state}",
        "job_id": job.id,
        "name": job.name,
        "state": job.state,
        "error": error,
    }
    return json.dumps(content).encode()
