"""`python -m bench.limit URLS`: the bare loop. Downloads and decodes, stores nothing; the machine's own limit.

As little as can be done with the same parts: one aiohttp session, 64 downloads at a time, each JPEG decoded at a
fraction of its size in a thread. Prints the images and the seconds.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import simplejpeg

_CONCURRENCY = 64


async def _loop(urls: list[str]) -> None:
    turn = iter(urls)
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(os.cpu_count())
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:

        async def fetch(turn: Iterator[str]) -> None:
            for url in turn:
                async with session.get(url) as response:
                    body = await response.read()
                await loop.run_in_executor(
                    threads, simplejpeg.decode_jpeg, body, "BGR", True, True, 128, 128, 1
                )

        await asyncio.gather(*(fetch(turn) for _ in range(_CONCURRENCY)))
    print(len(urls), time.perf_counter() - began)


if __name__ == "__main__":
    asyncio.run(_loop(Path(sys.argv[1]).read_text().split()))
