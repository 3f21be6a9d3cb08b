"""Four hosts of the app that work on ten jobs ask a server as often as one host of the app would."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from aiohttp import web

from playground.client import ApiClient
from playground.gallery import crop, default_photos

JOBS = 10
PER_HOST = 4
IMAGES = 50
# the jobs run again if a pause was short: a busy machine may delay a request, and the next one comes soon after it
ATTEMPTS = 3


class Site:
    """Serves one photo under any name; notes how many requests for photos it has at a time, and when each began."""

    def __init__(self, photo: bytes, crawl_delay: float = 0.0) -> None:
        self._photo = photo
        self._robots = f"User-agent: *\nCrawl-delay: {crawl_delay}\n" if crawl_delay else ""
        self._under_way = 0
        self.most = 0
        self.began: list[float] = []

    async def serve(self, request: web.Request) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(text=self._robots)
        if not request.path.endswith(".jpg"):
            return web.Response(status=404)
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        self.began.append(asyncio.get_running_loop().time())
        try:
            await asyncio.sleep(0.02)
        finally:
            self._under_way -= 1
        return web.Response(body=self._photo, content_type="image/jpeg")


@pytest.fixture
async def start_site():
    runners = []

    async def start(crawl_delay=0.0):
        site = Site(crop(default_photos() / "chelsea.png", 1, 90), crawl_delay)
        app = web.Application()
        app.router.add_get("/{path:.*}", site.serve)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return site, f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.mark.timeout(360)
async def test_four_hosts_and_ten_jobs_respect_a_servers_limit_and_pauses(make_stack, session, start_site):
    stack = make_stack(FETCH_CONCURRENCY_PER_HOST=str(PER_HOST), CHUNK_SIZE="30", RUNNING_JOBS_PER_USER="20")
    for _ in range(3):
        stack.start_further_host()
    api = ApiClient(session, stack.url, stack.api_key)

    async def run(number, busy_url, slow_url):
        urls = [f"{busy_url}/{number}-{image}.jpg" for image in range(IMAGES)]
        urls.append(f"{slow_url}/{number}.jpg")
        spec = {
            "sources": [{"type": "urls", "items": urls}],
            "dedup": {"exact": False, "near_distance": None},
        }
        job = await api.submit(spec)
        async for seen in api.follow(job["id"]):
            job = seen
        return job["state"]

    async def attempt():
        """Runs all jobs on two new servers; returns the shortest pause between two requests of the slow one."""
        (busy, busy_url), (slow, slow_url) = await start_site(), await start_site(crawl_delay=0.3)
        jobs = (run(number, busy_url, slow_url) for number in range(JOBS))
        assert Counter(await asyncio.gather(*jobs)) == {"completed": JOBS}
        assert len(busy.began) >= JOBS * IMAGES
        assert len(slow.began) >= JOBS
        assert busy.most <= PER_HOST
        assert slow.most == 1
        return min(after - before for before, after in pairwise(slow.began))

    pauses = [await attempt()]
    while pauses[-1] < 0.2 and len(pauses) < ATTEMPTS:
        pauses.append(await attempt())
    assert pauses[-1] >= 0.2, pauses
