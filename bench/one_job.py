"""Runs one job on a stack, and follows it without calls of the app."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from azure.data.tables import TableClient
from azure.storage.blob import BlobServiceClient

from playground.client import ApiClient
from playground.stack import Stack
from shared.settings import Settings

_POLL_SECONDS = 0.1
_LIMIT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Followed:
    """The times of a job, and the calls of storage that it made.

    `began` is the monotonic time just before the job was submitted. The seconds count from then: until the job ended,
    and until its last chunk ended. `reads` of the job's row were made to follow it; `requests` are all others, without
    the polls of queues.
    """

    began: float
    seconds: float
    crawl_seconds: float
    reads: int
    requests: int


def spec_of_list(stack: Stack, urls: bytes, name: str = "urls") -> dict[str, Any]:
    """Uploads a list of URLs, one a line, and returns a spec that crawls it."""
    container = Settings.model_fields["datasets_container"].default
    blob = f"inputs/{name}.txt"
    with BlobServiceClient.from_connection_string(stack.azurite.connection_string) as service:
        service.get_blob_client(container, blob).upload_blob(urls, overwrite=True)
    return {"sources": [{"type": "urls", "blob": blob, "label": "photo"}]}


def follow(stack: Stack, spec: Mapping[str, Any], images: int) -> Followed:
    """Submits a job and waits until it has ended. Azurite must log requests.

    It reads the job's row directly, so that the app gets no calls meanwhile.

    Raises:
        RuntimeError: the job did not complete, or found another number of images.
    """
    before = stack.azurite.requests()
    began = time.monotonic()
    job_id = str(asyncio.run(_call(stack, "/api/v1/jobs", spec))["id"])
    crawled, reads = 0.0, 0
    connection = stack.azurite.connection_string
    with TableClient.from_connection_string(connection, "jobs") as table:
        while time.monotonic() < began + _LIMIT_SECONDS:
            reads += 1
            state = str(table.get_entity("admin", job_id)["state"])
            if not crawled and state not in {"queued", "discovering", "crawling"}:
                crawled = time.monotonic() - began
            if state in {"completed", "failed", "cancelled"}:
                break
            time.sleep(_POLL_SECONDS)
    seconds = time.monotonic() - began
    requests = stack.azurite.requests() - before - reads
    job = asyncio.run(_call(stack, f"/api/v1/jobs/{job_id}"))
    if job["state"] != "completed" or job["progress"]["found"] != images:
        raise RuntimeError(f"the job went wrong: {job}\n{stack.tail()}")
    return Followed(began, seconds, crawled, reads, requests)


async def _call(stack: Stack, path: str, spec: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, stack.url, stack.api_key)
        return await api.submit(spec) if spec is not None else await api.get(path)
