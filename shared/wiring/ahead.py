"""Imports in a thread what the first queue message would else wait for, and the event loop with it."""

import importlib
import threading

_MODULES = (
    "shared.storage.azure_blobs",
    "shared.storage.azure_entities",
    "shared.storage.azure_queues",
    "shared.crawling.worker",
    "shared.jobs.intake",
    "shared.archiving.archiver",
)
_AFTER_SECONDS = 0.5


def import_ahead(after_seconds: float = _AFTER_SECONDS) -> threading.Thread:
    """Import the libraries of crawling and archiving in a little while; returns the thread that does.

    Not at once: whoever the process was started for is served first. Whoever needs them before imports them as ever.
    """
    thread = threading.Timer(after_seconds, _import_all)
    thread.start()
    return thread


def _import_all() -> None:
    for name in _MODULES:
        importlib.import_module(name)
