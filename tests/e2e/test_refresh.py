"""A dataset is refreshed from a website that changes, over HTTP and with real storage, by hosts that are killed."""

import asyncio
import gzip
import json
from typing import Any

import pytest
from aiohttp import web

from playground.client import ApiClient, ApiError
from playground.gallery import crop, default_photos
from playground.verify import verify_zip


class Site:
    """A page with images, each with an ETag. It remembers the answers to requests for images."""

    def __init__(self) -> None:
        photos = default_photos() / "coffee.png"
        self.pictures = {number: crop(photos, number, 90) for number in range(14)}
        self.listed = list(range(12))
        self.robots = "User-agent: *\nAllow: /\n"
        self.opted_out: set[int] = set()
        self.missing: set[int] = set()
        self.answers: list[tuple[int, int]] = []
        self.asked = asyncio.Event()
        self.base = ""

    async def page(self, _request):
        images = "".join(f'<img src="/{number}.jpg">' for number in self.listed)
        return web.Response(text=f"<html><body>{images}</body></html>", content_type="text/html")

    async def robots_txt(self, _request):
        return web.Response(text=self.robots)

    async def image(self, request):
        number = int(request.match_info["number"])
        response = self._image(request, number)
        self.answers.append((number, response.status))
        self.asked.set()
        return response

    def _image(self, request, number):
        if number in self.missing:
            return web.Response(status=404)
        picture = self.pictures[number]
        headers = {"ETag": f'"{number}-{len(picture)}"'}
        if number in self.opted_out:
            headers["X-Robots-Tag"] = "noai"
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=picture, content_type="image/jpeg", headers=headers)

    @property
    def fetched(self):
        """The images whose bytes were sent."""
        return sorted(number for number, status in self.answers if status == 200)


@pytest.fixture
async def site():
    found = Site()
    app = web.Application()
    app.router.add_get("/", found.page)
    app.router.add_get("/robots.txt", found.robots_txt)
    app.router.add_get(r"/{number:\d+}.jpg", found.image)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


async def _restart(stack, api):
    stack.kill_host()
    stack.start_host()
    # the connections of the earlier host are closed, which a GET notices and repeats
    await api.get("/api/v1/datasets")


async def _end(api, job):
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    return job


async def _diff(api, session, dataset_id):
    """Returns the counts of the diff, and the changes as (change, number of the image, outcome)."""
    answer: Any = await api.get(f"/api/v1/datasets/{dataset_id}/diff")
    async with session.get(answer["file"]["url"]) as response:
        lines = [json.loads(line) for line in gzip.decompress(await response.read()).splitlines()]
    changes = {
        (line["change"], int(line["url"].rpartition("/")[2].removesuffix(".jpg")), line["outcome"])
        for line in lines
    }
    assert len(changes) == len(lines)
    return answer["counts"], changes


async def test_a_refresh_fetches_what_is_new_and_says_what_has_changed(make_stack, site, session, tmp_path):
    stack = make_stack(message_lease_seconds=6, CHUNK_SIZE="4")
    api = ApiClient(session, stack.url, stack.api_key)
    source = {"type": "website", "start_urls": [f"{site.base}/"], "label": "mug"}
    job = await _end(api, await api.submit({"sources": [source], "dedup": {"near_distance": None}}))
    assert (job["state"], job["progress"]["kept"]) == ("completed", 12), (job, stack.tail())
    refresh = f"/api/v1/datasets/{job['id']}/refresh"
    with pytest.raises(ApiError, match="never refreshed"):
        await api.get(f"/api/v1/datasets/{job['id']}/diff")

    site.answers.clear()
    job = await _end(api, await api._call("POST", refresh, {}))
    assert (job["state"], job["revision"]) == ("completed", 2), (job, stack.tail())
    assert site.answers == []
    counts, changes = await _diff(api, session, job["id"])
    assert (counts["since"], counts["unchanged"], changes) == (1, 12, set())

    job = await _end(api, await api._call("POST", refresh, {"check": True}))
    assert job["state"] == "completed", (job, stack.tail())
    assert sorted(site.answers) == [(number, 304) for number in range(12)]

    site.listed = [*site.listed, 12]
    site.listed.remove(1)
    site.pictures[2] = site.pictures[13]
    site.robots = "User-agent: *\nDisallow: /3.jpg\n"
    site.opted_out, site.missing = {4}, {5}
    site.answers.clear()
    site.asked.clear()
    # the files of hosts are kept for an hour, so a new host reads robots.txt
    await _restart(stack, api)
    job = await api._call("POST", refresh, {"check": True}, {"Idempotency-Key": "fourth"})
    # the host dies again in the middle
    await asyncio.wait_for(site.asked.wait(), 60)
    await _restart(stack, api)
    again = await api._call("POST", refresh, {"check": True}, {"Idempotency-Key": "fourth"})
    assert again["revision"] == 4
    job = await _end(api, job)
    assert (job["state"], job["revision"]) == ("completed", 4), (job, stack.tail())
    assert set(site.fetched) == {2, 12}
    counts, changes = await _diff(api, session, job["id"])
    assert changes == {
        ("added", 12, "kept"),
        ("changed", 2, "kept"),
        ("gone", 1, "kept"),
        ("gone", 5, "kept"),
        ("opted_out", 3, "rejected"),
        ("opted_out", 4, "rejected"),
    }
    assert counts["unchanged"] == 7
    dataset = await api.get(f"/api/v1/datasets/{job['id']}")
    assert (dataset["revision"], dataset["image_count"], dataset["diff"]) == (4, 11, counts)
    path, sha256 = await api.download(job["id"], tmp_path)
    verify_zip(path, dataset, sha256)
