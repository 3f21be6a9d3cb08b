"""A process fetches the files with hosts' wishes once for the crawler and all sources."""

from collections import Counter

from aiohttp import web

from shared.clock import Deadline, SystemClock
from shared.crawling.fetching.patience import Patience
from shared.crawling.options import Filters
from shared.records.consent import Answers
from shared.settings import Settings
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect
from shared.wiring import App
from tests.unit.loopback import serving

FILES = ("/robots.txt", "/.well-known/tdmrep.json", "/ai.txt")


async def test_a_walk_of_a_site_and_the_fetch_of_its_image_ask_for_its_files_once():
    asked: Counter[str] = Counter()

    async def serve(request):
        asked[request.path] += 1
        if request.path == "/":
            return web.Response(text="<img src=/a.jpg>", content_type="text/html")
        return web.Response(status=404 if request.path in FILES else 200)

    app = App(Settings(crawl_allow_private_networks=True))
    vars(app)["blobs"] = MemoryBlobs()
    async with serving(serve) as base:
        for _ in range(2):
            spec = app.specs.parse({"sources": [{"type": "website", "start_urls": [base + "/"]}]})
            source = app.sources.open(spec.sources[0], spec.respect, spec.filters.formats)
            [query] = source.queries({})
            found = [image.url async for page in source.pages(query, None) for image in page.candidates]
        patience = Patience(1, Deadline.after(SystemClock(), 60), lambda: False)
        async with app.worker._fetcher.fetch(found[0], Filters(), Respect(), patience, Answers()):
            pass
        await app.worker.close()
        await app.guarded_sessions.close()
    assert asked == {"/": 2, "/a.jpg": 1} | dict.fromkeys(FILES, 1)
