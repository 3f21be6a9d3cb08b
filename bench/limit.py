"""`python -m bench.limit URLS`: downloads and decodes images and stores nothing. This shows the limit of the machine.

It does the least that is possible with the same libraries: one aiohttp session, 64 downloads at a time, and each JPEG
decoded at a reduced size in a thread. Prints the number of images and the seconds.
"""

import asyncio
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import simplejpeg

from shared.concurrency import process_concurrently

_CONCURRENCY = 64


async def _download_and_decode(urls: list[str]) -> None:
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(os.cpu_count())
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:

        async def process(url: str) -> None:
            async with session.get(url) as response:
                body = await response.read()
            await loop.run_in_executor(threads, simplejpeg.decode_jpeg, body, "BGR", True, True, 128, 128, 1)

        await process_concurrently(urls, process, _CONCURRENCY)
    print(len(urls), time.perf_counter() - began)


if __name__ == "__main__":
    asyncio.run(_download_and_decode(Path(sys.argv[1]).read_text().split()))
