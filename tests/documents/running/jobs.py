"""Waits for the jobs that pages submit, over HTTP and by messages."""

import time
import urllib.error
from collections.abc import Collection
from http import HTTPStatus

from tests.documents.running.world import World

_JOB_SECONDS = 120.0
_LOOK_SECONDS = 0.3


class WrongExample(AssertionError):
    """A block of a page does not do what the page says."""


def wait_for_messages(world: World, ids: Collection[str]) -> None:
    """Waits until messages have become jobs, which belong to the administrator.

    Raises:
        WrongExample: this takes too long.
    """
    end = time.monotonic() + _JOB_SECONDS
    for name in ids:
        while not _exists(world, name):
            if time.monotonic() > end:
                raise WrongExample(f"no message has become the job {name}")
            time.sleep(_LOOK_SECONDS)


def _exists(world: World, job_id: str) -> bool:
    try:
        world.call("GET", f"/api/v1/jobs/{job_id}", key=world.stack.api_key)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


def wait_for_jobs(world: World) -> None:
    """Waits until all jobs have ended.

    Raises:
        WrongExample: a job runs for too long, or has failed.
    """
    end = time.monotonic() + _JOB_SECONDS
    for key in (world.key, world.stack.api_key):
        while not _all_have_ended(world, key):
            if time.monotonic() > end:
                raise WrongExample(f"jobs run for more than {_JOB_SECONDS:g} seconds")
            time.sleep(_LOOK_SECONDS)


def _all_have_ended(world: World, key: str) -> bool:
    jobs = world.call("GET", "/api/v1/jobs?limit=100", key=key)["items"]
    failed = [f"{job['id']} ({job['name']}): {job['error']}" for job in jobs if job["state"] == "failed"]
    if failed:
        raise WrongExample(f"jobs have failed: {failed}")
    return all(job["state"] in {"completed", "cancelled"} for job in jobs)
