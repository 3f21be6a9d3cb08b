"""Imports in a thread what the first calls and queue messages would else wait for, and the event loop with them."""

import importlib
import logging
import threading

_MODULES = (
    "shared.storage.azure.blobs",
    "shared.storage.azure.entities",
    "shared.storage.azure.queues",
    "shared.users.access",
    "shared.users.accounts",
    "shared.users.sign_in",
    "shared.users.usage",
    "shared.wiring.image_services",
    "shared.web.http.aiohttp_client",
    "shared.web.http.reported_client",
    "shared.jobs.submission.submit",
    "shared.jobs.retry",
    "shared.jobs.webhooks.body",
    "shared.jobs.webhooks.call",
    "shared.jobs.webhooks.send",
    "shared.crawling.worker",
    "shared.jobs.intake",
    "shared.archiving.archiver",
    "shared.lifecycle.nightly",
    "shared.insights.reports",
    "shared.wiring.schedules",
    "shared.health.parts",
    "shared.health.probe",
    "shared.health.start_report",
)
_AFTER_SECONDS = 0.5

_log = logging.getLogger(__name__)


def import_ahead(after_seconds: float = _AFTER_SECONDS) -> threading.Thread:
    """Import what the services are made of in a little while; returns the thread that does.

    Not at once: whoever the process was started for is served first. Whoever needs them before imports them as ever.
    """
    thread = threading.Timer(after_seconds, _import_all)
    thread.daemon = True  # a process that ends does not wait for it
    thread.start()
    return thread


def _import_all() -> None:
    for name in _MODULES:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - whoever needs it meets the error, too, and reports it
            _log.warning("%s cannot be imported ahead of time", name, exc_info=True)
