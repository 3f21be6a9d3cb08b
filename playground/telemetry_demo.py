"""`make telemetry-demo`: shows what a job, a failed job and a nightly run send to Application Insights, as trees."""

import argparse
import asyncio
import contextlib
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from playground.azurite import ROOT
from playground.client import ApiClient
from playground.demo_run import exit_status, new_folder
from playground.gallery import default_photos, start_gallery
from playground.ingestion import Ingestion, serving
from playground.operation_tree import faults_of_job, job_tree, lines_of, orphans, read_item, trees_of
from playground.stack import Stack

_FOLDER = ROOT / ".local" / "telemetry-demo"
_TIMEOUT_SECONDS = 300.0
_ARRIVAL_SECONDS = 20.0
_TIMER = "lifecycle"


class TelemetryDemoError(Exception):
    """The telemetry is wrong. The text says how."""


def main() -> int:
    """Runs the demo. Returns 0 if every tree is complete."""
    argparse.ArgumentParser(prog="playground.telemetry_demo", description=__doc__).parse_args()
    return exit_status(_demo(), TelemetryDemoError)


async def _demo() -> None:
    folder = new_folder(_FOLDER)
    async with serving(Ingestion()) as ingestion, contextlib.AsyncExitStack() as ending:
        gallery, base = await start_gallery(default_photos())
        ending.push_async_callback(gallery.cleanup)
        settings = {
            "OPENVERSE_BASE_URL": base,
            "CRAWL_ALLOW_PRIVATE_NETWORKS": "true",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": ingestion.connection_string,
            "AZURE_MONITOR_SAMPLING_RATE": "1",
            "WEBSITE_CLOUD_ROLENAME": "pixcrawler",
            "CHUNK_SIZE": "24",
        }
        stack = Stack(folder, settings=settings)
        ending.callback(shutil.rmtree, folder / "azurite", ignore_errors=True)
        ending.push_async_callback(asyncio.to_thread, stack.stop)
        print(f"Starting Azurite and the Functions host on {stack.url} …", flush=True)
        # not in another thread, because the child processes end with the thread that starts them
        stack.start()
        async with aiohttp.ClientSession() as session, asyncio.timeout(_TIMEOUT_SECONDS):
            jobs = await _run_all(ApiClient(session, stack.url, stack.api_key), base)
            # `_show` reports items that have not arrived
            with contextlib.suppress(TimeoutError):
                await ingestion.until(lambda items: not _faults(items, jobs), _ARRIVAL_SECONDS)
        await asyncio.to_thread(stack.stop)
        _show(ingestion.items, jobs)


async def _run_all(api: ApiClient, base: str) -> dict[str, Mapping[str, Any]]:
    """Runs a job, a job that fails, and the nightly timer. Returns the jobs by their correlation ids."""
    works = {"keywords": ["cat", "rocket"], "sources": [{"type": "openverse"}], "max_images_per_label": 30}
    lost = [{"url": f"{base}/not/here.jpg", "label": "lost"}]
    fails = {"sources": [{"type": "urls", "items": lost}]}
    jobs = {}
    for name, spec, expected in (("demo", works, "completed"), ("failing-demo", fails, "failed")):
        correlation_id = f"{name}-{secrets.token_hex(3)}"
        job = await api.submit(spec, X_Correlation_ID=correlation_id)
        async for seen in api.follow(str(job["id"])):
            job = seen
        if job["state"] != expected:
            raise TelemetryDemoError(f"the job {job['id']} is {job['state']}, not {expected}")
        jobs[correlation_id] = job
    await api.run_function(_TIMER)
    return jobs


def _faults(items: Sequence[Mapping[str, Any]], jobs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns everything that is wrong with the items, and the items that have not arrived yet."""
    faults = orphans(items)
    for correlation_id, job in jobs.items():
        faults += faults_of_job(items, str(job["id"]), correlation_id)
        if ("event", f"job_{job['state']}", job["id"]) not in _outcomes(items):
            faults.append(f"the event job_{job['state']} of {job['id']} has not arrived")
    if not _nights(items):
        faults.append("the nightly run has not arrived")
    return faults


def _outcomes(items: Sequence[Mapping[str, Any]]) -> set[tuple[str, str, str | None]]:
    found = map(read_item, items)
    return {(item.kind, item.name, item.properties.get("job_id")) for item in found}


def _nights(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the ids of the operations of the nightly timer."""
    return [
        operation_id for operation_id, roots in trees_of(items).items() if roots and roots[0].name == _TIMER
    ]


def _show(items: Sequence[Mapping[str, Any]], jobs: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints the trees.

    Raises:
        TelemetryDemoError: a tree is not complete.
    """
    for correlation_id, job in jobs.items():
        print(f"\nJob {job['id']}, {job['state']}, X-Correlation-ID {correlation_id}")
        with contextlib.suppress(LookupError):
            root = job_tree(items, str(job["id"]))
            print(f"operation {root.operation_id}", *lines_of(root), sep="\n")
    for operation_id in _nights(items):
        print(f"\nNight, operation {operation_id}")
        for root in trees_of(items)[operation_id]:
            print(*lines_of(root), sep="\n")
    faults = _faults(items, jobs)
    if faults:
        more = [f"and {len(faults) - 20} more"] if len(faults) > 20 else []
        raise TelemetryDemoError("\n  ".join(["", *faults[:20], *more]))
    operations = len(trees_of(items))
    print(
        f"\n{len(items)} items in {operations} operations. Every parent has arrived, and each job is one tree."
    )


if __name__ == "__main__":
    sys.exit(main())
