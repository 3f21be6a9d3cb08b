"""All large pictures share one budget of memory for their pixels, whatever their number and that of the cores."""

import asyncio
import subprocess
import sys

import pytest
from PIL import Image

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.judging.decoding.decoding_bytes import SMALL_BYTES
from shared.crawling.judging.inspect import open_image
from shared.crawling.judging.judge import AwaitingMemory, Judged, judge, judge_with_memory
from shared.crawling.judging.picture.transform import wanted_side
from shared.crawling.options import CrawlOptions, Filters, Resize, Transform
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.records import Kept
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect
from tests.expect import accepted
from tests.unit.crawling.judging.pictures import encoded, picture, saved
from tests.unit.manual_clock import ManualClock

ALL = Filters(formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))
OPTIONS = CrawlOptions(ALL, None, Respect())
MEGABYTE = 1 << 20


def large(form: str = "WEBP", side: int = 2000, **options: object) -> bytes:
    return saved(Image.new("RGB", (side, side), "teal"), form, **options)


def run(script: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


ESTIMATES = """
from pathlib import Path
from shared.crawling.judging.inspect import decode, open_image
from shared.crawling.options import Transform
from shared.crawling.judging.picture.transform import transform, wanted_side
from tests.unit.crawling.judging.pictures import encoded, picture
from tests.unit.crawling.judging.test_decoding_memory import ALL, large

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

photo = picture((2000, 2000))
files = {
    "jpeg": encoded("JPEG", (2000, 2000)), "progressive": encoded("JPEG", (2000, 2000), progressive=True),
    "cmyk": encoded("JPEG", (2000, 2000), "CMYK", progressive=True),
    "png": encoded("PNG", (2000, 2000), compress_level=1),
    "grey png": encoded("PNG", (2000, 2000), "L", compress_level=1),
    "palette png": encoded("PNG", (2000, 2000), "P", compress_level=1), "webp": encoded("WEBP", (2000, 2000), method=0),
    "lossless webp": large(lossless=True), "gif": encoded("GIF", (2000, 2000)), "bmp": encoded("BMP", (2000, 2000)),
    "tiff": encoded("TIFF", (2000, 2000)), "lzw tiff": encoded("TIFF", (2000, 2000), compression="tiff_lzw"),
    "avif": encoded("AVIF", (2000, 2000), speed=10),
    "animated webp": large(save_all=True, append_images=[photo]),
    "animated gif": large("GIF", save_all=True, append_images=[photo]),
}
for wanted in (None, Transform()):  # the first round is for what is loaded once
    for measured in (False, True):
        for name, data in files.items():
            Path("/proc/self/clear_refs").write_text("5")
            before = peak()
            opened = open_image(data, ALL, wanted_side(wanted))
            needed = opened.needed_bytes(wanted)
            found = decode(opened)
            if wanted is not None:
                transform(found, wanted)
            if measured:
                print(name.replace(" ", "-"), peak() - before, needed)
            del opened, found
"""  # fmt: skip


def test_no_picture_takes_more_memory_than_estimated():
    found = [line.split() for line in run(ESTIMATES)]
    assert len(found) == 30
    for name, measured, needed in found:
        assert int(measured) <= int(needed) + 8 * MEGABYTE, (name, found)


TOGETHER = """
import asyncio, resource
from shared.crawling.worker import WorkerConfig
from tests.unit.crawling.judging.test_decoding_memory import crawl, large

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

asyncio.run(crawl([large(side=64)] * 4, WorkerConfig(8, 4)))
before = peak()
kept = asyncio.run(crawl([large(side=2400)] * 12, WorkerConfig(12, 4, 200_000_000)))
print(kept, peak() - before)
"""


def test_large_pictures_are_decoded_one_after_another():
    """Each takes about 100 MB, and without the budget four cores would decode four at a time."""
    kept, taken = run(TOGETHER)[0].split()
    assert kept == "12"
    assert int(taken) < 250


async def crawl(files: list[bytes], config) -> int:
    """Returns how many of them a new worker keeps."""
    from tests.unit.crawling.workers import working

    async with working(await stored(files), config) as worker:
        result = await worker.work(chunk(len(files)), Deadline.after(SystemClock(), 100), lambda: False)
    return sum(isinstance(record.outcome, Kept) for record in result.records)


async def stored(files: list[bytes]) -> MemoryBlobs:
    blobs = MemoryBlobs()
    for number, data in enumerate(files):
        await blobs.put(f"inputs/{number}", data)
    return blobs


def chunk(files: int, options: CrawlOptions = OPTIONS) -> Chunk:
    candidates = tuple(
        NumberedCandidate(n, Candidate(f"blob:inputs/{n}", "x", Provenance("test", license="by")))
        for n in range(files)
    )
    return Chunk(candidates, "shard-1", options)


async def waiting(worker, images: int) -> None:
    """Waits until so many images wait for memory."""
    while len(worker._judge._pixels._queue) < images:  # noqa: ASYNC110 - the budget has no event for it
        await asyncio.sleep(0)


async def test_an_image_that_waits_for_memory_is_decoded_when_memory_is_free(make_worker):
    worker = make_worker(await stored([large(), encoded("JPEG"), encoded("JPEG", progressive=True)]))
    whole = worker._config.decoded_bytes
    assert worker._judge._pixels.take_now(whole) == whole
    work = asyncio.create_task(worker.work(chunk(3), Deadline.after(SystemClock(), 60), lambda: False))
    await waiting(worker, 1)
    assert not work.done()
    worker._judge._pixels.give_back(whole)
    result = await work
    assert [type(record.outcome) for record in result.records] == [Kept] * 3
    assert worker._judge._pixels.take_now(whole) == whole


@pytest.mark.parametrize("end", ["stop", "deadline", "cancel"])
async def test_a_wait_for_memory_can_be_interrupted_and_the_image_judged_later(make_worker, end):
    worker = make_worker(await stored([large(), large(), encoded("JPEG")]))
    whole = worker._config.decoded_bytes
    worker._judge._pixels.take_now(whole)
    stopped = asyncio.Event()
    # by this clock, time passes only for images that wait
    deadline = Deadline.after(ManualClock(), 0.5 if end == "deadline" else 60)
    work = asyncio.create_task(worker.work(chunk(3), deadline, stopped.is_set))
    if end != "deadline":
        await waiting(worker, 2)
    if end == "stop":
        stopped.set()
    if end == "cancel":
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    else:
        result = await work
        assert len(result.records) == 1
        assert [numbered.index for numbered in result.unfinished] == [0, 1]
    worker._judge._pixels.give_back(whole)
    assert worker._judge._pixels.take_now(whole) == whole
    worker._judge._pixels.give_back(whole)
    again = await worker.work(chunk(3), Deadline.after(SystemClock(), 60), lambda: False)
    assert len(again.records) == 3


def test_a_picture_that_needs_more_than_the_whole_budget_is_judged_alone():
    waiting = judge(large(side=3000), OPTIONS)
    assert isinstance(waiting, AwaitingMemory)
    assert waiting.needed_bytes > SMALL_BYTES
    assert isinstance(judge_with_memory(waiting, OPTIONS), Judged)


def test_a_larger_later_page_asks_for_more_memory_only_once():
    pages = [picture((80, 80)), *(Image.new("RGB", (side, side)) for side in (1000, 1500, 2000))]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    waiting = judge(data, OPTIONS)
    assert isinstance(waiting, AwaitingMemory)
    assert waiting.needed_bytes >= 2000 * 2000 * 12
    judged = judge_with_memory(waiting, OPTIONS)
    assert isinstance(judged, Judged)
    assert (judged.facts.frames, judged.facts.width) == (4, 80)


@pytest.mark.parametrize(
    "wanted", [None, Transform(resize=Resize(size=512)), Transform(resize=Resize(mode="fill", size=512))]
)
def test_photographs_do_not_wait_for_memory(wanted):
    for size in ((1600, 1200), (4032, 3024), (8000, 6000)):
        opened = accepted(open_image(saved(Image.new("RGB", size), "JPEG"), Filters(), wanted_side(wanted)))
        assert opened.needed_bytes(wanted) < SMALL_BYTES, size
