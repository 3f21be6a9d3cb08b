"""Waits for conditions."""

import socket
import time

from azure.core.exceptions import ResourceNotFoundError


def exists(client):
    try:
        client.get_queue_properties()
    except ResourceNotFoundError:
        return False
    return True


def refuses(port):
    """Returns whether nobody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def eventually(holds, otherwise=lambda: "", seconds=60.0):
    """Waits until the condition is true. The time is an upper bound, not an expectation."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.03)
