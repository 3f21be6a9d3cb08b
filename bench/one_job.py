"""Runs one job on a stack, and follows it without calls of the app."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from azure.data.tables import TableClient
from azure.storage.blob import BlobServiceClient

from playground.client import ApiClient
from playground.stack import Stack
from shared.settings import Settings

_LIST = "inputs/urls.txt"
_POLL_SECONDS = 0.1
_LIMIT_SECONDS = 600


def spec_of_list(stack: Stack, urls: bytes) -> dict[str, Any]:
    """Uploads a list of URLs, one a line, and returns a spec that crawls it."""
    container = Settings.model_fields["datasets_container"].default
    with BlobServiceClient.from_connection_string(stack.azurite.connection_string) as service:
        service.get_blob_client(container, _LIST).upload_blob(urls, overwrite=True)
    return {"sources": [{"type": "urls", "blob": _LIST, "label": "photo"}]}


def follow(stack: Stack, spec: Mapping[str, Any], images: int) -> tuple[float, float, int]:
    """Submits a job and waits until it has ended.

    It reads the job's row directly, so that the app gets no calls meanwhile.

    Returns:
        The seconds until the job ended, the seconds until its last chunk ended, and the number of reads of the row.

    Raises:
        RuntimeError: the job did not complete, or found another number of images.
    """
    began = time.perf_counter()
    job_id = str(asyncio.run(_call(stack, "/api/v1/jobs", spec))["id"])
    crawled, reads = 0.0, 0
    connection = stack.azurite.connection_string
    with TableClient.from_connection_string(connection, "jobs") as table:
        while time.perf_counter() < began + _LIMIT_SECONDS:
            reads += 1
            state = str(table.get_entity("admin", job_id)["state"])
            if not crawled and state not in {"queued", "discovering", "crawling"}:
                crawled = time.perf_counter() - began
            if state in {"completed", "failed", "cancelled"}:
                break
            time.sleep(_POLL_SECONDS)
    seconds = time.perf_counter() - began
    job = asyncio.run(_call(stack, f"/api/v1/jobs/{job_id}"))
    if job["state"] != "completed" or job["progress"]["found"] != images:
        raise RuntimeError(f"the job went wrong: {job}\n{stack.tail()}")
    return seconds, crawled, reads


async def _call(stack: Stack, path: str, spec: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, stack.url, stack.api_key)
        return await api.submit(spec) if spec is not None else await api.get(path)
