"""Serves sample photos beside `make start SAMPLES=1`, in place of Openverse. No network is needed then."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping

from playground.gallery import default_photos, start_gallery

_FIRST_PORT = 9_000
_PORTS = 1_000


def samples_port(port: int) -> int:
    """Returns the port for the samples of a host on `port`. It never changes, so that a job can be retried."""
    found = _FIRST_PORT + port % _PORTS
    return found if found != port else found - _PORTS


@contextlib.contextmanager
def serving_samples(port: int) -> Iterator[Mapping[str, str]]:
    """Serves the photos during the block. Yields the settings with which the app searches and fetches them."""
    loop = asyncio.new_event_loop()
    runner, url = loop.run_until_complete(start_gallery(default_photos(), port))
    thread = threading.Thread(target=loop.run_forever, name="samples", daemon=True)
    thread.start()
    try:
        yield {"OPENVERSE_BASE_URL": url, "CRAWL_ALLOW_PRIVATE_NETWORKS": "true"}
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(runner.cleanup())
        loop.close()
