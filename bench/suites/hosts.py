"""Measures one job on one, two and four hosts with the same storage, and checks that the datasets are equal.

The web server delays its images, and each host fetches only a few at a time. So the hosts mainly wait, as on the real
web, and more hosts help even on a machine with two cores.
"""

import asyncio
import hashlib
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from azure.storage.blob import BlobServiceClient

from bench.table import Figure, Table, verdict
from playground.client import ApiClient
from playground.doubling import LoopThread
from playground.gallery import default_photos, start_gallery
from playground.stack import Stack, running
from playground.verify import verify_zip
from shared.settings import Settings

_HOSTS = (1, 2, 4)
# The words for the gallery's large photos.
_WORDS = ("galaxy", "motorcycle", "retina")
_VARIANTS = 270
_DELAY_SECONDS = 0.2
_LIST = "inputs/hosts.csv"
_SETTINGS = {
    "CRAWL_ALLOW_PRIVATE_NETWORKS": "true",
    "CHUNK_SIZE": "16",
    "FETCH_CONCURRENCY": "4",
    # This limit holds for all chunks that an instance crawls, and all images are on one server.
    "FETCH_CONCURRENCY_PER_HOST": "4",
    "ARCHIVE_PART_BYTES": str(8 << 20),
}
_SPEC = {
    "name": "hosts",
    "sources": [{"type": "urls", "blob": _LIST}],
    # This makes large files, so that the archive has several parts.
    "transform": {"format": "jpeg", "quality": 100},
    "splits": {"train": 0.8, "test": 0.2},
}
_POLL_SECONDS = 0.1
_LIMIT_SECONDS = 600
_CRAWL, _ARCHIVE = "crawl_chunk", "archive_dataset"
_EXECUTED = re.compile(r"Executed 'Functions\.(\w+)' \((\w+),")


@dataclass(frozen=True, slots=True)
class _Run:
    """The figures of one job.

    `images` are SHA-256 digests by name. `succeeded` counts the successful runs of each function, one counter per host.
    """

    crawl_seconds: float
    archive_seconds: float
    images: Mapping[str, str]
    succeeded: Sequence[Counter[str]]
    failed: int

    @property
    def seconds(self) -> float:
        return self.crawl_seconds + self.archive_seconds

    def shares(self, function: str) -> Sequence[int]:
        return [counts[function] for counts in self.succeeded]


def run(rounds: int) -> Sequence[Table]:
    """Runs the job in each round once for each number of hosts, always on a new stack.

    Raises:
        RuntimeError: a job did not complete, or two datasets differ.
    """
    runs: dict[int, list[_Run]] = {count: [] for count in _HOSTS}
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary, LoopThread() as servers:
        runner, gallery = servers.run(start_gallery(default_photos(), delay_seconds=_DELAY_SECONDS))
        try:
            urls = _urls(gallery)
            asyncio.run(_warm_up(urls))
            for number in range(rounds):
                for count, made in runs.items():
                    made.append(_job(Path(temporary) / f"{number}-{count}", count, urls))
                    _compare(runs[1][0], made[-1], count)
                    print(f"  hosts: {count}, {made[-1].seconds:.1f} s", file=sys.stderr, flush=True)
        finally:
            servers.run(runner.cleanup())
    return [_figures(runs), _shares(runs)]


def _urls(gallery: str) -> Mapping[str, str]:
    """Returns labels by URL. Each word has its own photos, so no two labels share an image."""
    return {f"{gallery}/photos/{word}/{number}.jpg": word for word in _WORDS for number in range(_VARIANTS)}


async def _warm_up(urls: Mapping[str, str]) -> None:
    """Makes the gallery prepare every image, so that the first job is not slower than the others."""
    async with aiohttp.ClientSession() as session:

        async def fetch(url: str) -> None:
            async with session.get(url) as response:
                await response.read()

        await asyncio.gather(*(fetch(url) for url in urls))


def _job(folder: Path, hosts: int, urls: Mapping[str, str]) -> _Run:
    stack = Stack(folder, settings=_SETTINGS)
    with running(stack):
        for _ in range(hosts - 1):
            stack.start_further_host()
        container = Settings.model_fields["datasets_container"].default
        rows = "".join(f"{url},{label}\n" for url, label in urls.items())
        with BlobServiceClient.from_connection_string(stack.azurite.connection_string) as service:
            service.get_blob_client(container, _LIST).upload_blob(f"url,label\n{rows}".encode())
        crawl_seconds, archive_seconds, images = asyncio.run(_follow(stack, len(urls)))
    # the logs are complete only after the hosts have ended
    ended = [_EXECUTED.findall(host.log.read_text(errors="replace")) for host in stack.hosts]
    succeeded = [Counter(name for name, outcome in lines if outcome == "Succeeded") for lines in ended]
    failed = sum(outcome != "Succeeded" for lines in ended for _, outcome in lines)
    return _Run(crawl_seconds, archive_seconds, images, succeeded, failed)


async def _follow(stack: Stack, candidates: int) -> tuple[float, float, Mapping[str, str]]:
    """Submits the job and waits until it has ended.

    Returns:
        The seconds of the crawl, the seconds of the archive step, and the SHA-256 digests of the images by name.
    """
    async with aiohttp.ClientSession() as session, asyncio.timeout(_LIMIT_SECONDS):
        api = ApiClient(session, stack.url, stack.api_key)
        began = time.perf_counter()
        job = await api.submit(_SPEC)
        crawled = None
        async for seen in api.follow(str(job["id"]), _POLL_SECONDS):
            job = seen
            if crawled is None and job["state"] not in {"queued", "discovering", "crawling"}:
                crawled = time.perf_counter()
        ended = time.perf_counter()
        if crawled is None or job["state"] != "completed" or job["progress"]["found"] != candidates:
            raise RuntimeError(f"the job went wrong: {job}\n{stack.tail()}")
        path, sha256 = await api.download(str(job["id"]), stack.folder)
        verify_zip(path, await api.get(f"/api/v1/datasets/{job['id']}"), sha256)
    return crawled - began, ended - crawled, _digests(path)


def _digests(path: Path) -> Mapping[str, str]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.count("/") == 2]
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def _compare(first: _Run, other: _Run, hosts: int) -> None:
    """Checks that the images have the names and the bytes of the first run on one host."""
    differing = {name for name, _ in first.images.items() ^ other.images.items()}
    if differing:
        raise RuntimeError(f"{len(differing)} images differ on {hosts} hosts: {sorted(differing)[:10]}")


def _figures(runs: Mapping[int, Sequence[_Run]]) -> Table:
    rows = []
    for count, made in runs.items():
        gains = Figure.of([one.seconds / run.seconds for one, run in zip(runs[1], made, strict=True)])
        row = [
            str(count),
            Figure.of([run.crawl_seconds for run in made]).show(1),
            Figure.of([run.archive_seconds for run in made]).show(1),
            Figure.of([run.seconds for run in made]).show(1),
        ]
        judged = [gains.show(2, "times"), "faster than one", verdict(gains.median, 1, at_least=True)]
        rows.append(row + (judged if count > 1 else [""] * len(judged)))
    heads = ("hosts", "crawl, s", "archive, s", "both, s", "speed-up", "target", "")
    images = len(runs[1][0].images)
    notes = (
        "",
        f"Every run gave the same {images:,} images, byte for byte, under the same names.",
        "Hosts, storage and web server share the cores. The cores limit the archive step, not the waiting.",
    )
    title = (
        f"One job of {len(_WORDS) * _VARIANTS:,} candidates. The server delays each by {_DELAY_SECONDS} s,"
        f" and each host fetches {_SETTINGS['FETCH_CONCURRENCY_PER_HOST']} at a time"
    )
    return Table(title, heads, rows, notes)


def _shares(runs: Mapping[int, Sequence[_Run]]) -> Table:
    rows = []
    for count, made in runs.items():
        for number, run in enumerate(made, 1):
            crawls, archives = run.shares(_CRAWL), run.shares(_ARCHIVE)
            idle = [name for name, shares in ((_CRAWL, crawls), (_ARCHIVE, archives)) if not all(shares)]
            rows.append(
                (
                    f"{count}, round {number}",
                    " + ".join(map(str, crawls)),
                    " + ".join(map(str, archives)),
                    str(run.failed),
                    f"no: {' and '.join(idle)}" if idle else "yes",
                )
            )
    heads = ("hosts", _CRAWL, _ARCHIVE, "failed runs", "every host took part")
    return Table("Successful runs of the functions, by host", heads, rows)
