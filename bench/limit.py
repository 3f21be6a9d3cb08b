"""`python -m bench.limit URLS CONNECTION`: downloads and decodes images, and stores each byte twice in Azurite.

This shows the limit of the machine for a job that stores images and then makes an archive of them. It does the least
that is possible with the same libraries: one aiohttp session, 64 downloads at a time, and each JPEG decoded at a
reduced size in a thread. The bodies are gathered in blocks of 16 MiB. Each block goes into two blobs by plain HTTP
calls, three at a time, while the downloads go on. Prints the number of images and the seconds.
"""

import asyncio
import base64
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import simplejpeg
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from shared.concurrency import process_concurrently

CONTAINER = "limit"
_CONCURRENCY = 64
# as large as the app writes them while it crawls; smaller ones take Azurite longer
_BLOCK_BYTES = 16 << 20
_SENDS_AT_A_TIME = 3


class _TwoBlobs:
    """Two blobs with the same bytes, which are sent in blocks."""

    def __init__(self, session: aiohttp.ClientSession, urls: Sequence[str]) -> None:
        self._session = session
        self._urls = urls
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._blocks: list[str] = []
        self._sends: list[asyncio.Task[None]] = []
        self._turns = asyncio.Semaphore(_SENDS_AT_A_TIME)

    def add(self, body: bytes) -> None:
        self._pending.append(body)
        self._pending_bytes += len(body)
        if self._pending_bytes >= _BLOCK_BYTES:
            self._send()

    async def close(self) -> None:
        """Sends what is left, waits until all blocks are stored, and commits both blobs."""
        self._send()
        await asyncio.gather(*self._sends)
        names = "".join(f"<Latest>{name}</Latest>" for name in self._blocks)
        for url in self._urls:
            await self._put(f"{url}&comp=blocklist", f"<BlockList>{names}</BlockList>".encode())

    def _send(self) -> None:
        name = base64.urlsafe_b64encode(f"{len(self._blocks):06}".encode()).decode()
        block = b"".join(self._pending)
        self._blocks.append(name)
        self._pending, self._pending_bytes = [], 0
        for url in self._urls:
            self._sends.append(asyncio.create_task(self._put(f"{url}&comp=block&blockid={name}", block)))

    async def _put(self, url: str, body: bytes) -> None:
        async with self._turns, self._session.put(url, data=body) as response:
            response.raise_for_status()


async def _run(urls: Sequence[str], blobs: Sequence[str]) -> None:
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(os.cpu_count())
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session, aiohttp.ClientSession() as storage:
        stored = _TwoBlobs(storage, blobs)

        async def process(url: str) -> None:
            async with session.get(url) as response:
                body = await response.read()
            await loop.run_in_executor(threads, simplejpeg.decode_jpeg, body, "BGR", True, True, 128, 128, 1)
            stored.add(body)

        await process_concurrently(urls, process, _CONCURRENCY)
        await stored.close()
    print(len(urls), time.perf_counter() - began)


def _two_urls(connection: str) -> Sequence[str]:
    """Returns the URLs of two new blobs, which allow to write them."""
    with BlobServiceClient.from_connection_string(connection) as service:
        may = generate_container_sas(
            str(service.account_name),
            CONTAINER,
            service.credential.account_key,
            permission=ContainerSasPermissions(write=True, create=True),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )
        return [f"{service.url}{CONTAINER}/{name}?{may}" for name in ("one", "other")]


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]).read_text().split(), _two_urls(sys.argv[2])))
