"""`make chaos`: runs one job undisturbed and once with many faults, and checks that both make the same dataset.

In the disturbed run the host is killed by SIGKILL at random moments, every message is delivered twice, and the storage
is stopped and started. Both datasets must have the same images, byte for byte, and the nightly clean-up must delete all
working blobs.
"""

import argparse
import asyncio
import hashlib
import json
import random
import shutil
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from azure.storage.blob import BlobServiceClient

from playground.azurite import ROOT
from playground.client import ApiClient
from playground.doubling import DoublingProxy, LoopThread
from playground.gallery import default_photos, start_gallery
from playground.stack import Stack
from playground.verify import verify_zip
from shared.settings import Settings

_FOLDER = ROOT / ".local" / "chaos"
_WORDS = 36
_VARIANTS = 50
# The delay of each photo makes the job long enough for all faults.
_PHOTO_SECONDS = 0.1
_LIST = "inputs/chaos.csv"
_FINAL = frozenset({"completed", "failed", "cancelled"})
_SPEC: Mapping[str, Any] = {
    "name": "chaos",
    "sources": [{"type": "urls", "blob": _LIST}],
    "splits": {"train": 0.8, "test": 0.2},
}
_SETTINGS = {
    "CRAWL_ALLOW_PRIVATE_NETWORKS": "true",
    "CHUNK_SIZE": "32",
    "FETCH_CONCURRENCY": "2",
    "WATCHDOG_SCHEDULE": "*/10 * * * * *",
    "STALL_AFTER_SECONDS": "20",
    "WORK_RETENTION_DAYS": "0",
}
_LEASE_SECONDS = 4
_LIMIT_SECONDS = 900


class ChaosError(Exception):
    """The disturbed job went wrong, or its dataset differs. The text says how."""


@dataclass(frozen=True, slots=True)
class _Plan:
    seed: int
    kills: int
    storage_stops: int


def main() -> int:
    """Runs both jobs. Returns 0 if their datasets are the same."""
    parser = argparse.ArgumentParser(prog="playground.chaos", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=None, help="decides the moments of the faults; random by default"
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--storage-stops", type=int, default=2)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1_000_000)
    plan = _Plan(seed, given.kills, given.storage_stops)
    print(f"seed {seed}", flush=True)
    try:
        with LoopThread() as servers:
            runner, gallery = servers.run(start_gallery(default_photos(), delay_seconds=_PHOTO_SECONDS))
            try:
                undisturbed = _run("undisturbed", gallery, None, servers)
                disturbed = _run("disturbed", gallery, plan, servers)
            finally:
                servers.run(runner.cleanup())
        _compare(undisturbed, disturbed)
    except ChaosError as error:
        print(f"\nmake chaos: {error}", file=sys.stderr)
        return 1
    return 0


def _run(name: str, gallery: str, plan: _Plan | None, servers: LoopThread) -> Mapping[str, str]:
    """Runs a job on a new stack, and returns the SHA-256 digests of its dataset's images by name."""
    folder = _FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stack = Stack(folder, settings=_SETTINGS, message_lease_seconds=_LEASE_SECONDS)
    stack.start_storage()
    proxy = DoublingProxy(f"http://127.0.0.1:{stack.azurite.ports.queue}")
    try:
        if plan is not None:
            stack.queue_endpoint = servers.run(proxy.start())
        with _blobs(stack) as container:
            container.upload_blob(_LIST, _list_of(gallery))
        stack.start_host()
        began = time.monotonic()
        job_id = str(asyncio.run(_submit(stack))["id"])
        if plan is not None:
            _disturb(stack, job_id, plan)
        job = asyncio.run(_wait(stack, job_id))
        seconds = time.monotonic() - began
        images = asyncio.run(_download(stack, job_id))
        found, kept = job["progress"]["found"], len(images)
        print(f"{name}: {found} candidates, {kept} images in {seconds:.0f} s", flush=True)
        if found != _WORDS * _VARIANTS:
            raise ChaosError(f"the job found {found} candidates; it must find {_WORDS * _VARIANTS}")
        if plan is not None:
            print(f"{name}: {proxy.doubled} messages were delivered twice", flush=True)
        _clean_up(stack, job_id)
        return images
    finally:
        stack.stop()
        if plan is not None:
            servers.run(proxy.stop())


def _list_of(gallery: str) -> bytes:
    rows = [
        f"{gallery}/photos/word{word}/{number}.jpg,label {word % 6}"
        for word in range(_WORDS)
        for number in range(_VARIANTS)
    ]
    return "\n".join(["url,label", *rows]).encode()


def _disturb(stack: Stack, job_id: str, plan: _Plan) -> None:
    """Kills the host and stops the storage at random moments. The last three kills happen in the archive step."""
    draw = random.Random(plan.seed)  # noqa: S311 - no secret
    in_archive = min(3, plan.kills)
    stops = {plan.kills * (number + 1) // (plan.storage_stops + 1) for number in range(plan.storage_stops)}
    for number in range(1, plan.kills + 1):
        if number > plan.kills - in_archive:
            state = asyncio.run(_wait(stack, job_id, until="archiving"))["state"]
            time.sleep(draw.uniform(0, 0.5))
        else:
            time.sleep(draw.uniform(0.2, 3.0))
            state = asyncio.run(_read_job(stack, job_id))["state"]
        if state in _FINAL:
            raise ChaosError(f"the job was {state} before kill {number}; it needs more candidates")
        stack.kill_host()
        print(f"  kill {number} while {state}", flush=True)
        if number in stops:
            stack.azurite.stop()
            time.sleep(draw.uniform(0.1, 1.0))
            stack.azurite.start()
            print("  storage stopped and started", flush=True)
        stack.start_host()


async def _submit(stack: Stack) -> Mapping[str, Any]:
    async with aiohttp.ClientSession() as session:
        return await ApiClient(session, stack.url, stack.api_key).submit(_SPEC)


async def _read_job(stack: Stack, job_id: str) -> Mapping[str, Any]:
    async with aiohttp.ClientSession() as session:
        return await ApiClient(session, stack.url, stack.api_key).get(f"/api/v1/jobs/{job_id}")


async def _wait(stack: Stack, job_id: str, until: str = "completed") -> Mapping[str, Any]:
    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, stack.url, stack.api_key)
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                async for job in api.follow(job_id, 0.1):
                    if job["state"] == until:
                        return job
        except TimeoutError:
            raise ChaosError(f"the job did not end within {_LIMIT_SECONDS} s:\n{stack.tail()}") from None
        if until == "completed":
            raise ChaosError(f"the job ended as {job['state']}: {job['error']}\n{stack.tail()}")
        return job


async def _download(stack: Stack, job_id: str) -> Mapping[str, str]:
    async with aiohttp.ClientSession() as session:
        api = ApiClient(session, stack.url, stack.api_key)
        path, sha256 = await api.download(job_id, stack.folder)
        verify_zip(path, await api.get(f"/api/v1/datasets/{job_id}"), sha256)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.count("/") == 2]
        if len(names) != len(set(names)):
            raise ChaosError("the archive has a name twice")
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def _clean_up(stack: Stack, job_id: str) -> None:
    """Runs the nightly timer and waits until only the dataset and the list remain.

    Raises:
        ChaosError: after a minute there are other blobs.
    """
    asyncio.run(_run_nightly(stack))
    wanted = {_LIST, f"datasets/job_{job_id}/dataset.zip", f"datasets/job_{job_id}/records.jsonl.gz"}
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with _blobs(stack) as container:
            found = {str(name) for name in container.list_blob_names()}
        if found == wanted:
            return
        time.sleep(0.5)
    raise ChaosError(
        f"these blobs are left or missing after the clean-up: {json.dumps(sorted(found ^ wanted)[:20])}"
    )


async def _run_nightly(stack: Stack) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{stack.url}/admin/functions/lifecycle", json={"input": ""}) as response,
    ):
        response.raise_for_status()


def _blobs(stack: Stack) -> Any:
    service = BlobServiceClient.from_connection_string(stack.azurite.connection_string)
    return service.get_container_client(Settings.model_fields["datasets_container"].default)


def _compare(undisturbed: Mapping[str, str], disturbed: Mapping[str, str]) -> None:
    lost, added = undisturbed.keys() - disturbed.keys(), disturbed.keys() - undisturbed.keys()
    changed = [name for name in undisturbed.keys() & disturbed.keys() if undisturbed[name] != disturbed[name]]
    if lost or added or changed:
        raise ChaosError(
            f"{len(lost)} images were lost, {len(added)} were added, {len(changed)} were changed"
        )
    print(f"\nBoth datasets have the same {len(undisturbed)} images, byte for byte. No other blobs are left.")


if __name__ == "__main__":
    sys.exit(main())
