"""Measures a ZIP64 archive of two gigabytes in Azurite: its speed, its memory, and how it resumes after a SIGKILL."""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.one_archive import RECORDS, Done
from bench.table import Figure, Table, verdict
from playground.azurite import ROOT, Azurite, die_with_parent
from shared.archiving.planning.planner import PlanConfig
from shared.concurrency import process_concurrently
from shared.records.candidates import Candidate, Provenance
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Record, encode_records
from shared.settings import Settings
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs

# More entries than a ZIP can have without ZIP64.
_IMAGES = 70_000
# Images per shard, as many as the crawl stores.
_SHARD = Settings.model_fields["chunk_size"].default
# In bytes.
_IMAGE_SIZES = (20_000, 42_000)
_BLOCK_BYTES = PlanConfig().block_bytes
# Blocks sent at the same time, as in the archive step. Azurite is 1.5 times as fast as with one after another.
_SENDS = 3
# Azurite deletes unused blocks only after a while.
_FREE_BYTES = 20_000_000_000
# The share of the blocks after which the step is killed.
_KILLED_AT = 0.6


def run(rounds: int) -> Sequence[Table]:
    """Measures on Azurite in a temporary folder. After all rounds, one step is killed and its resumed ZIP is checked.

    Raises:
        RuntimeError: the disk is too small, or the archive is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if shutil.disk_usage(folder).free < _FREE_BYTES:
            raise RuntimeError(f"{folder} needs {_FREE_BYTES / 1e9:.0f} GB of free space for this suite")
        azurite = Azurite(Path(folder) / "azurite")
        azurite.start()
        try:
            return asyncio.run(_measure(azurite, Path(folder), rounds))
        finally:
            azurite.stop()


async def _measure(azurite: Azurite, folder: Path, rounds: int) -> Sequence[Table]:
    blobs = AzureBlobs(StorageAccount(azurite.connection_string), Settings().datasets_container)
    try:
        staged = await _stage_images(blobs)
        done: list[Done] = []
        bare: list[float] = []
        for number in range(rounds):
            done.append(_archive(azurite, f"round{number}"))
            bare.append(await _bare(blobs, done[-1].size))
            await blobs.delete(done[-1].blob)
        killed = _archive_until_killed(azurite, "killed")
        with _child(azurite, "killed") as process:
            lines = _lines(process)
            again = sum(line.startswith("staged") for line in lines)
            resumed = _done(lines)
        path = folder / "dataset.zip"
        digest = await _download(blobs, resumed.blob, path)
    finally:
        await blobs.close()
    return [
        _figures(done, bare, staged),
        _resumed(killed, again, resumed),
        await asyncio.to_thread(_check, path, digest, resumed),
        _targets(done, bare),
    ]


async def _stage_images(blobs: AzureBlobs) -> int:
    """Stores shards and records like a crawl, and returns the total size of the images in bytes."""
    total = 0
    for first in range(0, _IMAGES, _SHARD):
        draw = np.random.default_rng(first)
        shard, offset = f"bench/shards/{first:06}", 0
        records: list[Record] = []
        pictures: list[bytes] = []
        for index in range(first, min(first + _SHARD, _IMAGES)):
            picture = draw.bytes(int(draw.integers(*_IMAGE_SIZES)))
            candidate = Candidate(f"https://example.org/{index}.jpg", f"{index % 10}", Provenance("bench"))
            records.append(Record(index, candidate, Kept(shard, offset, _facts(picture))))
            pictures.append(picture)
            offset += len(picture)
        await blobs.put(shard, b"".join(pictures))
        await blobs.put(f"{RECORDS}{first:06}", encode_records(records))
        total += offset
    return total


def _facts(picture: bytes) -> ImageFacts:
    digest = hashlib.sha256(picture).hexdigest()
    return ImageFacts("jpeg", 640, 480, len(picture), digest, zlib.crc32(picture), digest[:16])


async def _bare(blobs: AzureBlobs, size: int) -> float:
    """Returns the seconds that Azurite takes for `size` bytes in blocks of the archive step's size."""
    block = os.urandom(_BLOCK_BYTES)

    async def stage(number: int) -> None:
        await blobs.stage("bench/bare", number, block[: size - number * _BLOCK_BYTES])

    began = time.perf_counter()
    await process_concurrently(range(-(-size // _BLOCK_BYTES)), stage, _SENDS)
    seconds = time.perf_counter() - began
    # discards the blocks
    await blobs.put("bench/bare", b"")
    return seconds


@contextmanager
def _child(azurite: Azurite, job_id: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.one_archive", job_id]
    environment = {**os.environ, "AzureWebJobsStorage": azurite.connection_string}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _lines(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the archive step ended with status {process.returncode}")
    return output.splitlines()


def _done(lines: Sequence[str]) -> Done:
    return Done(**json.loads(lines[-1].removeprefix("done ")))


def _archive(azurite: Azurite, job_id: str) -> Done:
    with _child(azurite, job_id) as process:
        return _done(_lines(process))


def _archive_until_killed(azurite: Azurite, job_id: str) -> int:
    """Kills the step after it has planned, and returns how many of the archive's blocks it had sent."""
    sent = blocks = 0
    with _child(azurite, job_id) as process:
        for line in process.stdout or ():
            if line.startswith("planned"):
                blocks = int(line.split()[1])
            else:
                sent += 1
            if blocks and sent >= _KILLED_AT * blocks:
                process.send_signal(signal.SIGKILL)
                return sent
    raise RuntimeError("the archive step ended before it could be killed")


async def _download(blobs: AzureBlobs, name: str, path: Path) -> str:
    """Writes a blob to a file and returns its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        async for piece in blobs.stream(name):
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def _check(path: Path, digest: str, done: Done) -> Table:
    """Checks the ZIP with independent readers.

    Raises:
        RuntimeError: a reader finds an error.
    """
    with zipfile.ZipFile(path) as archive:
        entries, broken = len(archive.namelist()), archive.testzip()
    found = {
        f"entries: {entries:,} of {done.entries:,}": entries == done.entries,
        "SHA-256 of the dataset": digest == done.sha256,
        "Python's zipfile, every CRC-32": broken is None,
    }
    if shutil.which("unzip"):
        tested = subprocess.run(["unzip", "-tqq", str(path)], capture_output=True, check=False)
        found["unzip -t"] = tested.returncode == 0
    if not all(found.values()):
        raise RuntimeError(f"the archive is broken: {found}, {broken}")
    return Table("The resumed archive, downloaded", ("", ""), [(name, "right") for name in found])


def _figures(done: Sequence[Done], bare: Sequence[float], staged: int) -> Table:
    size = done[0].size / 1e6
    rows: list[tuple[str, str, str]] = []
    parts: Mapping[str, Sequence[float]] = {
        "plan": [one.plan for one in done],
        "write: read images, send blocks": [one.write for one in done],
        "finish: commit, read for the checksum": [one.finish for one in done],
        "the whole step": [one.seconds for one in done],
        "Azurite alone: the same bytes in blocks": bare,
    }
    for name, seconds in parts.items():
        rate = "" if name == "plan" else Figure.of([size / value for value in seconds]).show(0)
        rows.append((name, Figure.of(seconds).show(1), rate))
    title = (
        f"A ZIP of {done[0].entries:,} entries, {done[0].size / 1e9:.2f} GB ({staged / 1e9:.2f} GB of images)"
    )
    return Table(title, ("", "seconds", "MB/s"), rows)


def _resumed(killed: int, again: int, resumed: Done) -> Table:
    rows = [
        ("blocks of the archive", f"{resumed.blocks:,}", "", ""),
        ("sent before the SIGKILL", f"{killed:,}", "", ""),
        (
            "sent by the second run",
            f"{again:,}",
            f"at most {resumed.blocks - killed:,}",
            verdict(again, resumed.blocks - killed, at_least=False),
        ),
    ]
    return Table("Killed while writing, then started again", ("", "measured", "target", ""), rows)


def _targets(done: Sequence[Done], bare: Sequence[float]) -> Table:
    memory = Figure.of([one.peak_mb for one in done])
    rows = [
        ("resident memory", memory.show(0, "MB"), "under 300 MB", verdict(memory.high, 300, at_least=False))
    ]
    for name, seconds in (
        ("writing, compared with Azurite alone", [one.write for one in done]),
        ("the whole step, compared with Azurite alone", [one.seconds for one in done]),
    ):
        share = Figure.of([100 * alone / value for alone, value in zip(bare, seconds, strict=True)])
        rows.append((name, share.show(0, "%"), "at least 60 %", verdict(share.median, 60, at_least=True)))
    return Table("Targets", ("", "measured", "target", ""), rows)
