"""Runs a job of the app, and the limit that it is compared with. Each run has a new Azurite."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.limit import CONTAINER
from bench.one_job import follow, spec_of_list
from bench.peers import Run
from bench.server import first_download
from bench.usage import Watch
from playground.azurite import ROOT, Azurite, provision
from playground.stack import Stack, running

SETTINGS = {
    "CRAWL_ALLOW_PRIVATE_NETWORKS": "true",
    # an instance of the deployment has one, too
    "FUNCTIONS_WORKER_PROCESS_COUNT": "1",
    # as in host.json: messages wake idle queues
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:30",
    "WAKE_QUEUES": "true",
}
# less than the five seconds after which Azurite closes connections that are idle
_REST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Images:
    """Images at the benchmark's server, which listens on `base`. `warm_up` are others, at another host."""

    base: str
    server_pid: int
    urls: Sequence[str]
    warm_up: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoredRun(Run):
    """A run that stores in Azurite.

    `storage_cpu_seconds` is the processor time of Azurite, and `server_cpu_seconds` that of the web server.
    """

    storage_cpu_seconds: float
    server_cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Job(StoredRun):
    """The figures of one job of the app, from its submission to its committed archive, on a host that is warm.

    `first_seconds` is the time until the first image was asked for. `crawl_seconds` ends with the last chunk.
    `worker_mb` is the peak memory of the host's largest process. `transactions` are the calls that Azurite served,
    without the polls of queues, which an idle app makes, too.
    """

    first_seconds: float
    crawl_seconds: float
    worker_mb: float
    transactions: int


def run_job(folder: Path, images: Images, transform: Mapping[str, Any] | None) -> Job:
    """Runs one job on a new stack in the folder, so that it finds nothing of an earlier run.

    Raises:
        RuntimeError: the job did not complete, or found another number of images.
    """
    stack = Stack(fresh(folder / "stack"), settings=SETTINGS, log_requests=True)
    with running(stack):
        follow(stack, spec_of_list(stack, _lines(images.warm_up), "warm-up"), len(images.warm_up))
        # a host that begins a job just after another one may still be busy with that one
        time.sleep(_REST_SECONDS)
        spec = spec_of_list(stack, _lines(images.urls))
        if transform is not None:
            spec["transform"] = transform
        first_download(images.base)
        pids = stack.host_pid, stack.azurite.pid, images.server_pid
        with Watch(pids[0]) as host, Watch(pids[1]) as storage, Watch(pids[2]) as server:
            followed = follow(stack, spec, len(images.urls))
    return Job(
        len(images.urls),
        followed.seconds,
        host.cpu_seconds,
        host.peak_mb,
        storage.cpu_seconds,
        server.cpu_seconds,
        first_download(images.base) - followed.began,
        followed.crawl_seconds,
        host.largest_mb,
        followed.requests,
    )


def run_limit(folder: Path, images: Images) -> StoredRun:
    """Runs `bench.limit` with a new Azurite in the folder.

    Raises:
        RuntimeError: it failed.
    """
    urls = folder / "limit.txt"
    urls.write_bytes(_lines(images.urls))
    azurite = Azurite(fresh(folder / "limit"), log_requests=True)
    azurite.start()
    try:
        provision(azurite.connection_string, CONTAINER, ())
        command = [sys.executable, "-m", "bench.limit", str(urls), azurite.connection_string]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        pids = process.pid, azurite.pid, images.server_pid
        with Watch(pids[0]) as watch, Watch(pids[1]) as storage, Watch(pids[2]) as server:
            output, _ = process.communicate()
    finally:
        azurite.stop()
    if process.returncode:
        raise RuntimeError("bench.limit failed")
    count, seconds = output.split()
    return StoredRun(
        int(count),
        float(seconds),
        watch.cpu_seconds,
        watch.peak_mb,
        storage.cpu_seconds,
        server.cpu_seconds,
    )


def fresh(folder: Path) -> Path:
    """Deletes a folder, and returns its path."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _lines(urls: Sequence[str]) -> bytes:
    return "".join(f"{url}\n" for url in urls).encode()
