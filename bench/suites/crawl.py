"""Compares whole crawls with other tools: the same URLs on the same server, in one run."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.corpus import make_corpus
from bench.one_job import follow, spec_of_list
from bench.peers import Run, find_peers
from bench.processes import python
from bench.table import Figure, Table, verdict
from bench.usage import Watch
from playground.azurite import ROOT
from playground.stack import Stack, running

_IMAGES = 6000
_CORES = len(os.sched_getaffinity(0))
_RESIZE = {"resize": {"mode": "fit", "size": 256}, "format": "jpeg", "quality": 95}
_BARE, _OURS, _OURS_RESIZED = (
    "bare loop: download, decode",
    "PixCrawler, originals",
    "PixCrawler, resized to 256",
)
_IMG2DATASET, _IMG2DATASET_RESIZED = "img2dataset, no resize", "img2dataset, resized to 256"
_ICRAWLER = "icrawler, list of URLs"


@dataclass(frozen=True, slots=True)
class Job(Run):
    """The figures of one job of the app, from its submission to its committed archive.

    `crawl_seconds` ends with the last chunk. `worker_mb` is the peak memory of the host's largest process.
    `storage_cpu_seconds` is the time of Azurite, which the other tools do not use. `transactions` are the calls that
    Azurite served, without the polls of queues, which an idle app makes, too.
    """

    crawl_seconds: float
    worker_mb: float
    storage_cpu_seconds: float
    transactions: int


def run(rounds: int) -> Sequence[Table]:
    """Runs every tool once in each round."""
    corpus = make_corpus(_IMAGES)
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        with python(["-m", "bench.server", str(corpus)], "Listening on", folder / "server.log") as (_, line):
            base = line.split()[-1]
            urls = folder / "urls.txt"
            urls.write_text("".join(f"{base}/{path.name}\n" for path in sorted(corpus.glob("*.jpg"))))
            contenders = _contenders(folder, urls)
            runs: dict[str, list[Run]] = {name: [] for name in contenders}
            for _ in range(rounds):
                for name, contender in contenders.items():
                    runs[name].append(contender())
                    print(f"  {name}: {runs[name][-1].rate:,.0f} images/s", file=sys.stderr, flush=True)
            parts = _parts(urls, corpus, rounds)
    return [_figures(runs), _targets(runs), _profile(runs, parts)]


def _contenders(folder: Path, urls: Path) -> Mapping[str, Callable[[], Run]]:
    ours: dict[str, Callable[[], Run]] = {
        _BARE: lambda: _limit(urls),
        _OURS: lambda: _job(folder, urls, None),
        _OURS_RESIZED: lambda: _job(folder, urls, _RESIZE),
    }
    peers = find_peers()
    if peers is None:
        print("No Python that the other tools support was found: only the app is measured.", file=sys.stderr)
        return ours
    out = folder / "out"
    return {
        **ours,
        _IMG2DATASET: lambda: peers.img2dataset(urls, _fresh(out), _CORES, resize=False),
        _IMG2DATASET_RESIZED: lambda: peers.img2dataset(urls, _fresh(out), _CORES, resize=True),
        _ICRAWLER: lambda: peers.icrawler(urls, _fresh(out)),
    }


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _limit(urls: Path) -> Run:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.limit", str(urls)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with Watch(process.pid) as watch:
        output, _ = process.communicate()
    images, seconds = output.split()
    return Run(int(images), float(seconds), watch.cpu_seconds, watch.peak_mb)


def _job(folder: Path, urls: Path, transform: Mapping[str, Any] | None) -> Job:
    """Runs one job on a new stack, so that it finds nothing of an earlier run."""
    state = _fresh(folder / "stack")
    settings = {
        "CRAWL_ALLOW_PRIVATE_NETWORKS": "true",
        # as many as img2dataset gets
        "FUNCTIONS_WORKER_PROCESS_COUNT": str(_CORES),
    }
    stack = Stack(state, settings=settings, log_requests=True)
    with running(stack):
        spec = spec_of_list(stack, urls.read_bytes())
        if transform is not None:
            spec["transform"] = transform
        before = stack.azurite.requests()
        with Watch(stack.host_pid) as host, Watch(stack.azurite.pid) as storage:
            seconds, crawl_seconds, reads = follow(stack, spec, _IMAGES)
        transactions = stack.azurite.requests() - before - reads
    return Job(
        _IMAGES,
        seconds,
        host.cpu_seconds,
        host.peak_mb,
        crawl_seconds,
        host.largest_mb,
        storage.cpu_seconds,
        transactions,
    )


def _figures(runs: Mapping[str, Sequence[Run]]) -> Table:
    heads = (
        "",
        "images/s",
        "CPU ms/image",
        "peak MB",
        "crawl alone, images/s",
        "storage calls/image",
        "Azurite CPU ms/image",
    )
    rows = []
    for name, made in runs.items():
        row = [
            name,
            Figure.of([run.rate for run in made]).show(0),
            Figure.of([1000 * run.cpu_seconds / run.images for run in made]).show(2),
            Figure.of([run.peak_mb for run in made]).show(0),
        ]
        jobs = [run for run in made if isinstance(run, Job)]
        if jobs:
            row += [
                Figure.of([job.images / job.crawl_seconds for job in jobs]).show(0),
                Figure.of([job.transactions / job.images for job in jobs]).show(3),
                Figure.of([1000 * job.storage_cpu_seconds / job.images for job in jobs]).show(2),
            ]
        rows.append(row + [""] * (len(heads) - len(row)))
    notes = (
        "",
        "images/s: from submission to the committed ZIP (PixCrawler); from start to end of the command (other tools).",
        "The same server serves all tools, on the same cores. Azurite also shares the cores with PixCrawler.",
    )
    return Table(f"{_IMAGES:,} JPEGs of about 60 KB", heads, rows, notes)


def _parts(urls: Path, corpus: Path, rounds: int) -> Mapping[str, Figure]:
    """Returns the milliseconds of processor time per image, by part of the crawl engine."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        command = [sys.executable, "-m", "bench.parts", str(urls), str(corpus)]
        finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        for line in finished.stdout.splitlines():
            name, _, milliseconds = line.partition("\t")
            found.setdefault(name, []).append(float(milliseconds))
    return {name: Figure.of(values) for name, values in found.items()}


def _profile(runs: Mapping[str, Sequence[Run]], parts: Mapping[str, Figure]) -> Table:
    rows = [(name, figure.show(2)) for name, figure in parts.items()]
    for name in (_OURS, _OURS_RESIZED):
        jobs = [run for run in runs[name] if isinstance(run, Job)]
        for title, values in (
            ("host and worker", [1000 * job.cpu_seconds / job.images for job in jobs]),
            ("Azurite", [1000 * job.storage_cpu_seconds / job.images for job in jobs]),
            ("archive after the crawl, in seconds", [job.seconds - job.crawl_seconds for job in jobs]),
        ):
            rows.append((f"{name}: {title}", Figure.of(values).show(2)))
    return Table("Processor time per image, by part", ("", "ms"), rows)


def _targets(runs: Mapping[str, Sequence[Run]]) -> Table:
    def ratios(one: str, other: str) -> Figure:
        return Figure.of([a.rate / b.rate for a, b in zip(runs[one], runs[other], strict=True)])

    rows = []
    for title, one, other, least in (
        ("originals, compared with img2dataset without resize", _OURS, _IMG2DATASET, 2.0),
        ("resized, compared with img2dataset's resize", _OURS_RESIZED, _IMG2DATASET_RESIZED, 2.0),
        ("originals, compared with icrawler", _OURS, _ICRAWLER, 5.0),
        ("originals, compared with the bare loop", _OURS, _BARE, 0.7),
    ):
        if other in runs:
            ratio = ratios(one, other)
            rows.append(
                (
                    title,
                    ratio.show(2, "times"),
                    f"at least {least}",
                    verdict(ratio.median, least, at_least=True),
                )
            )
    jobs = [run for name in (_OURS, _OURS_RESIZED) for run in runs[name] if isinstance(run, Job)]
    calls = Figure.of([job.transactions / job.images for job in jobs])
    rows.append(
        ("storage calls per image", calls.show(3), "under 0.05", verdict(calls.median, 0.05, at_least=False))
    )
    memory = Figure.of([job.worker_mb for job in jobs])
    rows.append(
        (
            "peak memory of a worker",
            memory.show(0, "MB"),
            "under 400 MB",
            verdict(memory.high, 400, at_least=False),
        )
    )
    return Table("Targets", ("", "measured", "target", ""), rows)
