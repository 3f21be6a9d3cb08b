"""Compares whole crawls with img2dataset and with the limit of the machine: the same URLs on one server, in one run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import Images, Job, StoredRun, fresh, run_job, run_limit
from bench.corpus import FOLDER, make_corpus
from bench.peers import Run, find_peers
from bench.processes import python
from bench.server import HOSTS, urls_on_hosts
from bench.table import Figure, Table, verdict
from playground.azurite import ROOT

_SIZES = (3000, 12_000)
_WARM_UP_IMAGES = 32
_CORES = len(os.sched_getaffinity(0))
_RESIZE = {"resize": {"mode": "fit", "size": 256}, "format": "jpeg", "quality": 95}
_LIMIT = "bare loop: download, decode, store twice"
_OURS, _OURS_RESIZED = "PixCrawler, originals", "PixCrawler, resized to 256"
_IMG2DATASET, _IMG2DATASET_RESIZED = "img2dataset, no resize", "img2dataset, resized to 256"
_DECODE, _ENGINE = "decode", "worker, originals"
# the target is 1.4 ms on a machine that decodes in 0.65 ms
_TIMES_DECODING = 2.15
_NOTES = f"""
images/s, PixCrawler: from the submission to the committed ZIP. Three seconds before, the host ended a small job.
One host runs all functions. It polls and wakes queues as host.json and its `WAKE_QUEUES` say, not as the deployment.
images/s, img2dataset: from start to end of the command. Bare loop: from the first download to the last commit.
The bare loop stores each byte twice in Azurite, as a job does, in blocks of 16 MiB, by plain HTTP calls.
PixCrawler has one worker process, img2dataset {_CORES}. All share the cores with the web server and with Azurite.
A real list has images of many hosts, so the server has {len(HOSTS)} addresses. PixCrawler has its default politeness: a
host gets at most 8 requests at a time.
""".splitlines()


@dataclass(frozen=True, slots=True)
class _Measured:
    """What all rounds measured.

    `runs` are by tool and number of images. `parts` are milliseconds of processor time per image, by part
    of the crawl engine.
    """

    runs: dict[tuple[str, int], list[Run]] = field(default_factory=dict)
    parts: dict[str, list[float]] = field(default_factory=dict)

    def jobs(self, size: int, *names: str) -> Sequence[Job]:
        return [run for name in names for run in self.runs[name, size] if isinstance(run, Job)]


def run(rounds: int) -> Sequence[Table]:
    """Runs every tool once in each round with each number of images."""
    measured = _Measured()
    images = make_corpus(max(_SIZES) + _WARM_UP_IMAGES)
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        with python(["-m", "bench.server", str(FOLDER)], "Listening on", folder / "server.log") as (
            pid,
            line,
        ):
            base = line.split()[-1]
            for _ in range(rounds):
                _add_parts(measured.parts, folder, urls_on_hosts(base, images[: _SIZES[0]]))
                for size in _SIZES:
                    _add_runs(measured.runs, folder, _images(base, pid, images, size))
    return [_targets(measured), _figures(measured), _profile(measured)]


def _images(base: str, server_pid: int, images: Sequence[Path], size: int) -> Images:
    warm_up = [f"{base}/{path.name}" for path in images[-_WARM_UP_IMAGES:]]
    return Images(base, server_pid, urls_on_hosts(base, images[:size]), warm_up)


def _add_runs(runs: dict[tuple[str, int], list[Run]], folder: Path, images: Images) -> None:
    size = len(images.urls)
    for name, contender in _contenders(folder, images).items():
        made = contender()
        runs.setdefault((name, size), []).append(made)
        load = os.getloadavg()[0]
        print(f"  {name}, {size:,}: {made.rate:,.0f} images/s, load {load:.1f}", file=sys.stderr, flush=True)


def _contenders(folder: Path, images: Images) -> Mapping[str, Callable[[], Run]]:
    ours: dict[str, Callable[[], Run]] = {
        _LIMIT: lambda: run_limit(folder, images),
        _OURS: lambda: run_job(folder, images, None),
        _OURS_RESIZED: lambda: run_job(folder, images, _RESIZE),
    }
    peers = find_peers()
    if peers is None:
        print("No Python that img2dataset supports was found: only the app is measured.", file=sys.stderr)
        return ours
    urls, out = folder / "urls.txt", folder / "out"
    urls.write_text("\n".join(images.urls))
    return {
        **ours,
        _IMG2DATASET: lambda: peers.img2dataset(urls, fresh(out), _CORES, resize=False),
        _IMG2DATASET_RESIZED: lambda: peers.img2dataset(urls, fresh(out), _CORES, resize=True),
    }


def _add_parts(parts: dict[str, list[float]], folder: Path, urls: Sequence[str]) -> None:
    path = folder / "parts.txt"
    path.write_text("\n".join(urls))
    command = [sys.executable, "-m", "bench.parts", str(path), str(FOLDER)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for line in finished.stdout.splitlines():
        name, _, milliseconds = line.partition("\t")
        parts.setdefault(name, []).append(float(milliseconds))


def _targets(measured: _Measured) -> Table:
    rows: list[Sequence[str]] = []
    for size in _SIZES:
        for title, one, other, least in (
            ("originals, compared with img2dataset", _OURS, _IMG2DATASET, 2.0),
            ("resized, compared with img2dataset's resize", _OURS_RESIZED, _IMG2DATASET_RESIZED, 2.0),
            ("originals, compared with the bare loop", _OURS, _LIMIT, 0.75),
        ):
            if (other, size) in measured.runs:
                pairs = zip(measured.runs[one, size], measured.runs[other, size], strict=True)
                ratio = Figure.of([a.rate / b.rate for a, b in pairs])
                kept = verdict(ratio.median, least, at_least=True)
                rows.append((f"{title}, {size:,}", ratio.show(2, "times"), f"at least {least:g}", kept))
    rows += [row for size in _SIZES for row in _processor_targets(measured, size)]
    rows += [row for size in _SIZES for row in _job_targets(measured, size)]
    return Table("Targets", ("", "measured", "target", ""), rows)


def _processor_targets(measured: _Measured, size: int) -> Sequence[Sequence[str]]:
    """Returns rows with the processor time of the host and its worker beside that of parts of the same round."""
    used = [1000 * job.cpu_seconds / size for job in measured.jobs(size, _OURS)]
    rows = []
    for title, part, most in (
        ("the crawl engine's", _ENGINE, 1.1),
        ("decoding's", _DECODE, _TIMES_DECODING),
    ):
        ratio = Figure.of([one / other for one, other in zip(used, measured.parts[part], strict=True)])
        measured_here = f"{ratio.show(2, 'times')}: {Figure.of(used).median:.2f} ms"
        kept = verdict(ratio.median, most, at_least=False)
        rows.append(
            (f"processor time, compared with {title}, {size:,}", measured_here, f"at most {most:g}", kept)
        )
    return rows


def _job_targets(measured: _Measured, size: int) -> Sequence[Sequence[str]]:
    jobs = measured.jobs(size, _OURS, _OURS_RESIZED)
    first = Figure.of([job.first_seconds for job in jobs])
    calls = Figure.of([job.transactions / job.images for job in jobs])
    memory = Figure.of([job.worker_mb for job in jobs])
    return [
        (
            f"{title}, {size:,}",
            figure.show(digits, unit),
            f"under {most:g}",
            verdict(value, most, at_least=False),
        )
        for title, figure, digits, unit, value, most in (
            ("first download after the submission", first, 2, "s", first.median, 0.3),
            ("storage calls per image", calls, 3, "", calls.median, 0.05),
            ("peak memory of the worker", memory, 0, "MB", memory.high, 400),
        )
    ]


def _figures(measured: _Measured) -> Table:
    heads = (
        "",
        "images",
        "images/s",
        "CPU ms/image",
        "peak MB",
        "Azurite CPU ms/image",
        "web server CPU ms/image",
        "crawl, s",
        "archive, s",
    )
    rows = []
    for (name, size), runs in measured.runs.items():
        row = [
            name,
            f"{size:,}",
            Figure.of([run.rate for run in runs]).show(0),
            Figure.of([1000 * run.cpu_seconds / run.images for run in runs]).show(2),
            Figure.of([run.peak_mb for run in runs]).show(0),
        ]
        stored = [run for run in runs if isinstance(run, StoredRun)]
        if stored:
            row.append(Figure.of([1000 * run.storage_cpu_seconds / run.images for run in stored]).show(2))
            row.append(Figure.of([1000 * run.server_cpu_seconds / run.images for run in stored]).show(2))
        jobs = [run for run in runs if isinstance(run, Job)]
        if jobs:
            row.append(Figure.of([job.crawl_seconds for job in jobs]).show(2))
            row.append(Figure.of([job.seconds - job.crawl_seconds for job in jobs]).show(2))
        rows.append(row + [""] * (len(heads) - len(row)))
    return Table("JPEGs of about 60 KB", heads, rows, _NOTES)


def _profile(measured: _Measured) -> Table:
    rows = [(name, Figure.of(values).show(2)) for name, values in measured.parts.items()]
    for name in (_OURS, _OURS_RESIZED):
        jobs = measured.jobs(max(_SIZES), name)
        rows.append(
            (
                f"{name}: host and worker",
                Figure.of([1000 * job.cpu_seconds / job.images for job in jobs]).show(2),
            )
        )
    return Table("Processor time per image, by part", ("", "ms"), rows)
