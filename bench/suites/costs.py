"""Counts what jobs use on Azure: executions, transactions of storage by kind, and processor time.

Real jobs run on the development host and Azurite, whose log has every request. Three jobs of different sizes tell what
a job uses by itself, for each chunk, and for each GB of images. The price file then says what jobs of any size cost.
"""

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np

from bench.corpus import make_corpus
from bench.one_job import follow, spec_of_list
from bench.processes import python
from bench.suites.prices import tables
from bench.table import Table, verdict
from bench.usage import Watch
from playground.azurite import is_poll
from playground.stack import Stack, running
from shared.costs.prices import default_prices
from shared.costs.storage import GB
from shared.costs.use import A_CANDIDATE, A_CHUNK, A_GB, A_JOB
from shared.settings import Settings

_IMAGES = 6000
_FEW = 2000
_COMMENT = b"\xff\xfe\xff\xff" + b"x" * 0xFFFD
_COMMENTS = 8
_CONTAINER = Settings.model_fields["datasets_container"].default

KINDS = {
    "executions": "executions",
    "blob reads": "blob_reads",
    "blob writes": "blob_writes",
    "other blob calls": "other_blob_calls",
    "lists of blobs": "blob_lists",
    "queue calls": "queue_calls",
    "table calls": "table_calls",
}
"""What is counted, and the fields of `Use` for it."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What one job has used."""

    images: int
    chunks: int
    size_bytes: int
    used: Counter[str]
    cpu_seconds: float


def run(rounds: int) -> Sequence[Table]:
    """Runs the three jobs in each round."""
    paths = make_corpus(_IMAGES)
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        large = folder / "large"
        large.mkdir()
        for path in paths[:_FEW]:
            data = path.read_bytes()
            (large / path.name).write_bytes(data[:2] + _COMMENTS * _COMMENT + data[2:])
        jobs = [
            _job(folder, served)
            for _ in range(rounds)
            for served in (paths[:_FEW], paths, sorted(large.iterdir()))
        ]
    return [_counts(jobs), _parts(jobs), *tables(default_prices())]


def _job(folder: Path, images: Sequence[Path]) -> _Job:
    state = folder / "stack"
    shutil.rmtree(state, ignore_errors=True)
    settings = {
        "CRAWL_ALLOW_PRIVATE_NETWORKS": "true",
        "FUNCTIONS_WORKER_PROCESS_COUNT": str(len(os.sched_getaffinity(0))),
    }
    stack = Stack(state, settings=settings, log_requests=True)
    server = [*("-m", "bench.server"), str(images[0].parent)]
    with python(server, "Listening on", folder / "server.log") as (_, line), running(stack):
        base = line.split()[-1]
        spec = spec_of_list(stack, "".join(f"{base}/{path.name}\n" for path in images).encode())
        before = len(stack.azurite.served())
        with Watch(stack.host_pid) as host:
            followed = follow(stack, spec, len(images))
        served = stack.azurite.served()[before:]
    used = Counter(kind for method, path in served for kind in kinds_of(method, path))
    used["table calls"] -= followed.reads
    chunks = len({path for method, path in served if method == "PUT" and "/candidates/" in path})
    size = sum(path.stat().st_size for path in images)
    print(f"  {len(images)} images: {dict(used)}, {chunks} chunks", file=sys.stderr, flush=True)
    return _Job(len(images), chunks, size, used, host.cpu_seconds)


def kinds_of(method: str, path: str) -> Sequence[str]:
    """Returns what a request counts as, by the kinds of Azure's price lists. Deleting a blob is free.

    A message is received once for each time that it is deleted, and is one execution. Polls are counted apart.
    https://learn.microsoft.com/azure/storage/blobs/map-rest-apis-transaction-categories
    """
    parts = urlsplit(path)
    names = parts.path.split("/")[2:]
    if is_poll(method, path):
        return ()
    if names[0] == _CONTAINER:
        return _blob_kind(method, parse_qs(parts.query).get("comp", [""])[0])
    if "messages" not in names:
        return ("table calls",)
    if method == "DELETE":
        return ("queue calls", "queue calls", "executions")
    return ("queue calls",)


def _blob_kind(method: str, comp: str) -> Sequence[str]:
    if method == "DELETE":
        return ()
    if comp == "list":
        return ("lists of blobs",)
    if method == "PUT" and comp in {"", "block", "blocklist", "tier"}:
        return ("blob writes",)
    if method == "GET" and not comp:
        return ("blob reads",)
    return ("other blob calls",)


def _counts(jobs: Sequence[_Job]) -> Table:
    rows = [
        (
            f"{job.images:,} images, {job.size_bytes / 1e6:,.0f} MB",
            str(job.chunks),
            *(str(job.used[kind]) for kind in KINDS),
            f"{1000 * job.cpu_seconds / job.images:.2f}",
        )
        for job in jobs
    ]
    heads = ("", "chunks", *KINDS, "CPU ms/image")
    return Table("What jobs used", heads, rows)


def _parts(jobs: Sequence[_Job]) -> Table:
    """Returns the use by job, chunk and GB that fits the measured jobs best, beside that of `shared.costs.use`."""
    shape = np.array([(1.0, job.chunks, job.size_bytes / GB) for job in jobs])
    rows = []
    for kind, field in KINDS.items():
        counts = np.array([job.used[kind] for job in jobs], dtype=np.float64)
        measured, *_ = np.linalg.lstsq(shape, counts)
        stated = [getattr(part, field) for part in (A_JOB, A_CHUNK, A_GB)]
        predicted = shape @ np.array(stated)
        rows.append((kind, *_beside(measured, stated), _verdict(counts.tolist(), predicted.tolist())))
    shape = np.array([(job.images, job.size_bytes / GB) for job in jobs])
    seconds = np.array([job.cpu_seconds for job in jobs])
    measured, *_ = np.linalg.lstsq(shape, seconds)
    predicted = shape @ np.array((A_CANDIDATE.core_seconds, A_GB.core_seconds))
    of_image, of_gb = _beside(measured * (1000, 1), (1000 * A_CANDIDATE.core_seconds, A_GB.core_seconds))
    rows.append(
        (
            "processor",
            f"{of_image} ms an image",
            "",
            f"{of_gb} s",
            _verdict(seconds.tolist(), predicted.tolist()),
        )
    )
    heads = ("measured (stated)", "a job", "a chunk", "a GB of images", "")
    return Table(
        "Use by part", heads, rows, ("", "What is stated is rounded up, and should cover every measured job.")
    )


def _beside(measured: Sequence[float], stated: Sequence[float]) -> Sequence[str]:
    return [f"{found:.1f} ({said:g})" for found, said in zip(measured, stated, strict=True)]


def _verdict(used: Sequence[float], predicted: Sequence[float]) -> str:
    most = max(
        found / said if said else float(found > 0) for found, said in zip(used, predicted, strict=True)
    )
    return verdict(most, 1.0, at_least=False)
