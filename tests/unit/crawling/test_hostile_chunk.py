"""One chunk with everything that happens on the web: no good image is lost, and each bad one has its reason."""

import asyncio
import threading
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.download import Fetched
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.crawling.options import CrawlOptions, Filters
from shared.crawling.worker import ChunkWorker, WorkerConfig
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.records import Kept, Reason, decode_records, encode_records
from shared.records.scores import ScoreRange
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import RecordingTelemetry
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect
from tests.expect import rejected
from tests.unit.crawling.fetching.hostile import (
    body_of,
    misbehaviours,
    raw_server,
    server_tls,
    write_certificate,
)
from tests.unit.crawling.judging.embedded.files import made_by_ai, with_xmp
from tests.unit.crawling.judging.pictures import animated, encoded, picture, refused_files, saved, whole_files
from tests.unit.in_memory import runtime_of

BUDGET = 8_000_000
FILTERS = Filters(
    formats=("jpeg", "png", "webp", "gif", "bmp", "tiff"),
    licenses=("by",),
    max_bytes=1_000_000,
    ai_generated="drop",
    scores={"sharpness": ScoreRange(min=5.0)},
)
LABELS = [
    "cat", "a/b\\c", "..", ". ", "CON", "nul.txt", "\U0001f431\u200d\U0001f4bb", "a\tb\nc", "\u202egpj.exe",
    "x" * 500, "caf\u00e9", "cafe\u0301", "%2e%2e", "-rf", "'; --", "\u0000",
]  # fmt: skip
ANSWERS = {
    "/nothing": Reason.NOT_FOUND,
    "/empty": Reason.EMPTY_BODY,
    "/forbidden": Reason.HTTP_ERROR,
    "/broken": Reason.SERVER_ERROR,
    "/loop": Reason.TOO_MANY_REDIRECTS,
    "/to-file": Reason.INVALID_URL,
    "/to-metadata": Reason.FORBIDDEN_ADDRESS,
    "/to-private": Reason.FORBIDDEN_ADDRESS,
    "/private/ok": Reason.ROBOTS_DENIED,
    "/noai": Reason.OPTED_OUT,
    "/tdm": Reason.OPTED_OUT,
    "/reserved/ok": Reason.OPTED_OUT,
    "/bomb": Reason.TOO_MANY_BYTES,
    "/deflate-bomb": Reason.TOO_MANY_BYTES,
}
ADDRESSES = {
    "http://169.254.169.254/latest/meta-data/": Reason.FORBIDDEN_ADDRESS,
    "http://[::ffff:10.0.0.1]/x.jpg": Reason.FORBIDDEN_ADDRESS,
    "http://0.0.0.0/x.jpg": Reason.FORBIDDEN_ADDRESS,
    "http://2130706433/x.jpg": Reason.INVALID_URL,
    "http://no-such-host.invalid/x.jpg": Reason.DNS_FAILED,
    "http://127.0.0.1:1/x.jpg": Reason.CONNECTION_FAILED,
    "ftp://127.0.0.1/x.jpg": Reason.INVALID_URL,
    "http://a/" + "x" * 10_000: Reason.INVALID_URL,
    "http://user:secret@127.0.0.1/": Reason.INVALID_URL,
    "not an address": Reason.INVALID_URL,
    "": Reason.INVALID_URL,
    "blob:no/such/blob": Reason.NOT_FOUND,
}
BY_SELECTION = {Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.PERCENTILE_FILTERED, Reason.OVER_LIMIT}
BY_MODELS = {Reason.FACE_FILTERED, Reason.NSFW_FILTERED}
"""The tests of the models have these."""
BY_NAME = {Reason.CRASHED: "test_a_crash_with_one_image_is_recorded_and_does_not_affect_others"}


def files() -> dict[str, tuple[bytes, Reason | None]]:
    """A file of the server. It is good if it has no reason."""
    good = {name: (data, None) for name, (data, form, *_) in whole_files().items() if form in FILTERS.formats}
    more = {f"photo {n}": (encoded("JPEG", (300 + 10 * n, 260), quality=60 + n), None) for n in range(20)}
    bad = {
        **refused_files(),
        "avif": (encoded("AVIF"), Reason.FORMAT_FILTERED),
        "grey wall": (saved(picture((4, 3)).resize((320, 240)), "PNG"), Reason.SCORE_FILTERED),
        "made by AI": (with_xmp("png", made_by_ai()), Reason.AI_FILTERED),
        "animation": (animated("GIF", (100, 100)), None),
        "huge": (bytes(1_000_001), Reason.TOO_MANY_BYTES),
    }
    for form in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
        whole = encoded(form)
        for share in (0.1, 0.35, 0.7, 0.95, 0.999):
            bad[f"{form} cut at {share}"] = (whole[: int(len(whole) * share)], Reason.TRUNCATED)
    return {**good, **more, **bad}


@asynccontextmanager
async def file_server(served: dict[str, bytes]):
    """Serves files under odd names and with wrong types."""

    async def serve(request: web.Request) -> web.Response:
        data = served.get(request.match_info["name"])
        if data is None:
            return web.Response(status=404)
        name = {"Content-Disposition": 'attachment; filename="../../x.exe"'}
        return web.Response(
            body=data, content_type="text/html" if len(data) % 2 else "image/png", headers=name
        )

    app = web.Application()
    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def engine(blobs, fetcher_type=Fetcher):
    # long enough for good images on a machine that pauses the process for a moment
    sessions = Sessions(SessionConfig("test", idle_seconds=5.5))
    budget = ByteBudget(BUDGET)
    config = FetchConfig(
        total_seconds=11.0, first_pause_seconds=0.01, slow_window_seconds=5.0, min_bytes_per_second=500
    )
    web = AiohttpWebClient(sessions)
    fetcher = fetcher_type(sessions, HostWishes.over(web), budget, config)
    telemetry = RecordingTelemetry()
    worker = ChunkWorker(fetcher, budget, blobs, runtime_of(telemetry=telemetry), WorkerConfig(24, 2))
    yield worker, telemetry
    assert budget._free == BUDGET
    assert not fetcher._limits._hosts
    await worker.close()
    worker._judge._threads.close(wait=True)
    await sessions.close()


def chunk_of(expected: dict[str, object]) -> Chunk:
    candidates = [
        Candidate(
            url, LABELS[place % len(LABELS)], Provenance("test", license="by", title=LABELS[-place % 16])
        )
        for place, url in enumerate(expected)
    ]
    candidates.append(Candidate("http://127.0.0.1:1/", "x", Provenance("test", license="by-nc")))
    numbered = [NumberedCandidate(index, candidate) for index, candidate in enumerate(candidates, 1000)]
    return Chunk(numbered, "shard", CrawlOptions(FILTERS, None, Respect()))


_LOOPS_THREADS = ("asyncio_", "uvloop_")


type Holdings = tuple[set[asyncio.Task[Any]], set[threading.Thread], int]


def holdings() -> Holdings:
    """Counts tasks, threads (without those of the event loop's own pool) and open files."""
    threads = {thread for thread in threading.enumerate() if not thread.name.startswith(_LOOPS_THREADS)}
    return asyncio.all_tasks(), threads, len(list(Path("/proc/self/fd").iterdir()))


def no_more(now: Holdings, before: Holdings) -> bool:
    return now[0] <= before[0] and now[1] <= before[1] and now[2] <= before[2]


async def left_with(before: Holdings) -> None:
    """Waits until no more is open than before. Cut connections need a few iterations of the loop to close."""
    async with asyncio.timeout(20):
        while not no_more(holdings(), before):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


@pytest.fixture
def only_loopback_is_public(monkeypatch):
    monkeypatch.setattr("shared.web.addresses.guard.is_public", lambda address: str(address) == "127.0.0.1")


@asynccontextmanager
async def corpus(hostile, photo, tmp_path):
    """Returns every address of the corpus, with the bytes to keep or the expected reason."""
    _, base = hostile
    expected: dict[str, bytes | Reason] = {base + path: reason for path, reason in ANSWERS.items()}
    expected |= {f"{base}{path}": photo for path in ("/ok", "/moved", "/busy-once", "/gzipped", "/cookie")}
    served = files()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        base = await enter(file_server({name: data for name, (data, _) in served.items()}))
        for name, (data, reason) in served.items():
            expected[f"{base}/{quote(name, safe='')}"] = reason or data
        for case in misbehaviours(photo).values():
            expected[await enter(raw_server(case.behaviour)) + "/x.jpg"] = case.reason
        rest = b"HTTP/1.1 429 Slow Down\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"
        base = await enter(raw_server(rest))
        expected |= {f"{base}/{number}": Reason.RATE_LIMITED for number in range(9)}
        tls = server_tls(write_certificate(tmp_path, "localhost"))
        expected[await enter(raw_server(body_of(photo), tls)) + "/x.jpg"] = Reason.TLS_FAILED
        expected |= ADDRESSES
        yield expected


@pytest.mark.usefixtures("only_loopback_is_public")
async def test_the_whole_corpus_in_one_chunk(hostile, photo, tmp_path):
    before = holdings()
    blobs = MemoryBlobs()
    async with corpus(hostile, photo, tmp_path) as expected, engine(blobs) as (worker, telemetry):
        chunk = chunk_of(expected)
        async with asyncio.timeout(100):
            result = await worker.work(chunk, Deadline.after(SystemClock(), 90), lambda: False)
    assert not result.unfinished
    assert {signal.name for signal in telemetry.signals} == {"names_looked_up"}
    records = list(decode_records(encode_records(result.records)))
    assert [NumberedCandidate(record.index, record.candidate) for record in records] == chunk.candidates
    assert rejected(records.pop().outcome).reason is Reason.LICENSE_FILTERED
    wrong = {}
    for record, (url, wanted) in zip(records, expected.items(), strict=True):
        got: object = getattr(record.outcome, "reason", None)
        if isinstance(record.outcome, Kept):
            facts = record.outcome.facts
            got = await blobs.get(record.outcome.shard, offset=record.outcome.offset, length=facts.size_bytes)
        if got != wanted:
            wrong[url[:80]] = (wanted if isinstance(wanted, Reason) else "kept", record.outcome)
    assert not wrong
    await left_with(before)


async def test_every_reason_has_a_case(hostile, photo, tmp_path):
    async with corpus(hostile, photo, tmp_path) as expected:
        covered = {wanted for wanted in expected.values() if isinstance(wanted, Reason)}
    assert covered | {Reason.LICENSE_FILTERED} | BY_SELECTION | BY_MODELS | set(BY_NAME) == set(Reason)
    assert not covered & (BY_SELECTION | BY_MODELS | set(BY_NAME))
    assert BY_NAME[Reason.CRASHED] in globals()


async def test_a_crash_with_one_image_is_recorded_and_does_not_affect_others(hostile):
    state, base = hostile

    class Crashing(Fetcher):
        async def _within_time(self, download):
            if "crash" in download.url.path:
                raise ZeroDivisionError
            return Fetched(state.photo, str(download.url))

    urls = [f"{base}/1", f"{base}/crash", f"{base}/2"]
    async with engine(MemoryBlobs(), Crashing) as (worker, telemetry):
        chunk = chunk_of(dict.fromkeys(urls))
        result = await worker.work(chunk, Deadline.after(SystemClock(), 60), lambda: False)
    outcomes = [getattr(record.outcome, "reason", "kept") for record in result.records]
    assert outcomes == ["kept", Reason.CRASHED, "kept", Reason.LICENSE_FILTERED]
    assert [signal.name for signal in telemetry.signals] == ["ZeroDivisionError"]
