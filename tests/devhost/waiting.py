"""Waiting for what is to come."""

import time

from azure.core.exceptions import ResourceNotFoundError


def exists(client):
    try:
        client.get_queue_properties()
    except ResourceNotFoundError:
        return False
    return True


def eventually(holds, otherwise=lambda: "", seconds=20.0):
    """Wait until it holds; the time is an upper bound, not an expectation."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.03)
