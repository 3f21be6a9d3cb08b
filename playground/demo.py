"""`make demo`: makes a dataset from keywords with a real host and storage, and verifies it."""

import argparse
import asyncio
import contextlib
import re
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from playground.azurite import ROOT
from playground.client import ApiClient
from playground.demo_run import exit_status, new_folder
from playground.gallery import ODD_FILES, default_photos, start_gallery
from playground.receiver import Receiver, receiving
from playground.stack import Stack
from playground.verify import VerificationError, verify_zip

_FOLDER = ROOT / ".local" / "demo"
_KEYWORDS = ("cat", "rocket", "coffee")
_TIMEOUT_SECONDS = 600.0
_EVENT_SECONDS = 30.0
_LOOK_SECONDS = 2.0


class DemoError(Exception):
    """The demo failed. The text says why."""


def main() -> int:
    """Runs the demo. Returns 0 if the dataset is verified."""
    parser = argparse.ArgumentParser(prog="playground.demo", description=__doc__)
    parser.add_argument("--keywords", default="", help="what to search for, separated by commas")
    parser.add_argument("--live", action="store_true", help="search the real Openverse")
    parser.add_argument("--keep", action="store_true", help="keep the host and storage running until Ctrl-C")
    parser.add_argument("--photos", type=Path, default=None, help="a folder of photos for the gallery")
    options = parser.parse_args()
    keywords = [word.strip() for word in options.keywords.split(",") if word.strip()] or list(_KEYWORDS)
    photos = options.photos or default_photos()
    demo = _demo(keywords, live=options.live, keep=options.keep, photos=photos)
    return exit_status(demo, DemoError, VerificationError)


async def _demo(keywords: list[str], *, live: bool, keep: bool, photos: Path) -> None:
    folder = new_folder(_FOLDER)
    settings: dict[str, str] = {}
    gallery = None
    if not live:
        gallery, base = await start_gallery(photos)
        settings = {"OPENVERSE_BASE_URL": base, "CRAWL_ALLOW_PRIVATE_NETWORKS": "true"}
    stack = Stack(folder, settings=settings)
    try:
        print(f"Starting Azurite and the Functions host on {stack.url} …", flush=True)
        # not in another thread, because the child processes end with the thread that starts them
        stack.start()
        async with aiohttp.ClientSession() as session, asyncio.timeout(_TIMEOUT_SECONDS):
            api = ApiClient(session, stack.url, stack.api_key)
            secret = await api.get("/api/v1/users/me/webhook-secret")
            async with receiving(str(secret["secret"])) as receiver:
                # with --live, the app calls no loopback address
                job_id = await _run_job(api, stack, keywords, None if live else receiver)
        if keep:
            await _keep_running(stack, job_id)
    finally:
        await asyncio.to_thread(stack.stop)
        if gallery is not None:
            await gallery.cleanup()
        shutil.rmtree(folder / "azurite", ignore_errors=True)


async def _keep_running(stack: Stack, job_id: str) -> None:
    """Prints where the dashboard shows the dataset, and waits for Ctrl-C.

    Raises:
        DemoError: the host ended before that.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    # the key is not part of the address, because browsers and proxies store addresses
    print(
        "\nThe host and its storage run until you press Ctrl-C. The dashboard asks for the key and shows the dataset:\n"
        f"{stack.url}/#/datasets/{job_id}\nAPI key: {stack.api_key}",
        flush=True,
    )
    while not stopped.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _LOOK_SECONDS)
        if not stopped.is_set() and not stack.host_is_running:
            raise DemoError(f"the host died:\n{stack.tail()}")


async def _run_job(api: ApiClient, stack: Stack, keywords: list[str], receiver: Receiver | None) -> str:
    """Makes a dataset, verifies it, and returns its id."""
    began = time.monotonic()
    spec = {
        "name": "demo",
        "keywords": keywords,
        "sources": [{"type": "openverse"}],
        "max_images_per_label": 40,
        "splits": {"train": 0.8, "val": 0.1, "test": 0.1},
        "webhook_url": receiver.url if receiver else None,
    }
    job = await api.submit(spec)
    print(f"Submitted job {job['id']} for {', '.join(keywords)}", flush=True)
    shown, notice = "", None
    async for seen in api.follow(str(job["id"])):
        job = seen
        shown = _show(job, shown, time.monotonic() - began)
        if job["notice"] and job["notice"] != notice:
            notice = job["notice"]
            print(f"\n{notice}", flush=True)
        if not stack.host_is_running:
            raise DemoError(f"the host died:\n{stack.tail()}")
    print()
    if job["state"] != "completed":
        error = job["error"] or {}
        raise DemoError(f"the job is {job['state']}: {error.get('detail', '')}")
    dataset = await api.get(f"/api/v1/datasets/{job['id']}")
    path, sha256 = await api.download(str(job["id"]), stack.folder)
    sizes = await asyncio.to_thread(verify_zip, path, dataset, sha256)
    sheet = path.with_name("preview.jpg")
    await asyncio.to_thread(sheet.write_bytes, await api.image(dataset["links"]["preview"]))
    _print_table(dataset, sizes, time.monotonic() - began)
    _print_odd_files(await api.records(str(job["id"])))
    if receiver is not None:
        await _show_event(receiver, str(job["id"]))
    location = path.relative_to(ROOT)
    print(
        f"\nVerified: every checksum, every image, every label.\n{location} ({path.stat().st_size:,} bytes)\n"
        f"{sheet.relative_to(ROOT)}: some images of each label"
    )
    return str(job["id"])


async def _show_event(receiver: Receiver, job_id: str) -> None:
    """Waits for the webhook of a completed job, and prints what it reported."""
    try:
        event = await asyncio.wait_for(receiver.event(), _EVENT_SECONDS)
    except TimeoutError:
        raise DemoError(f"no webhook came ({receiver.refused} were refused for their signatures)") from None
    if (event["type"], event["data"]["job_id"]) != ("job.completed", job_id):
        raise DemoError(f"the webhook reported {event['type']} of job {event['data']['job_id']}")
    print(f"\nThe webhook reported {event['type']}, and its signature is right.")


def _show(job: Mapping[str, Any], shown: str, seconds: float) -> str:
    """Shows one line of progress and returns it without the time. A terminal shows each; a log shows changes only."""
    progress = job["progress"]
    text = (
        f"{job['state']:<12} found {progress['found']:>4}  kept {progress['kept']:>4}  "
        f"rejected {progress['rejected']:>4}"
    )
    if sys.stdout.isatty():
        print(f"\r{text}  {seconds:5.1f} s", end="", flush=True)
    elif text != shown:
        print(f"{text}  {seconds:5.1f} s", flush=True)
    return text


def _print_table(dataset: Mapping[str, Any], sizes: Mapping[str, int], seconds: float) -> None:
    width = max(5, *(len(label) for label in dataset["labels"]))
    print(f"\n{'label':<{width}}  found  kept  {'bytes':>10}  rejected")
    for label, counts in dataset["labels"].items():
        reasons = ", ".join(f"{number} {reason}" for reason, number in counts["rejected"].items())
        size = sizes.get(label, 0)
        print(f"{label:<{width}}  {counts['found']:>5}  {counts['kept']:>4}  {size:>10,}  {reasons}")
    splits = ", ".join(f"{name} {number}" for name, number in dataset["splits"].items())
    print(f"\n{dataset['image_count']} images ({splits}) in {seconds:.1f} seconds")


def _print_odd_files(records: Sequence[Mapping[str, Any]]) -> None:
    """Prints the outcomes of the gallery's odd files.

    The real Openverse has no such files, so nothing is printed for it.
    """
    width = max(map(len, ODD_FILES.values()))
    lines = []
    for record in records:
        place = re.search(r"/photos/[^/]+/(\d+)\.", record["url"])
        name = ODD_FILES.get(int(place[1])) if place else None
        if name is not None:
            same = f" of {record['same_as']}" if "same_as" in record else ""
            detail = f": {record['detail']}" if record.get("detail") else ""
            mended = f", mended: {record['mended']}" if record.get("mended") else ""
            outcome = f"{record.get('reason', 'kept')}{same}{detail}{mended}"
            lines.append(f"{record['index']:>5}  {record['label']:<10}  {name:<{width}}  {outcome}")
    if lines:
        print("\nodd files and their outcomes:", *lines, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
