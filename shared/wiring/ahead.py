"""Imports libraries in a thread, so that the first calls and messages, and the event loop, need not wait for them."""

import importlib
import logging
import threading
import time

_FOR_A_NEW_JOB = (
    "shared.storage.azure.blobs",
    "shared.storage.azure.entities",
    "shared.storage.azure.queues",
    "shared.users.access",
    "shared.users.quotas.usage",
    "shared.wiring.search_services",
    "shared.web.http.aiohttp_client",
    "shared.web.http.reported_client",
    "shared.jobs.submission.submit",
    "shared.jobs.intake",
    "shared.jobs.crawl",
    "shared.crawling.worker",
    "shared.crawling.judging.judge",
)
"""What a job needs until its first download."""

_FOR_OTHER_WORK = (
    "shared.users.accounts",
    "shared.users.metrics.business_metrics",
    "shared.users.limits.addresses",
    "shared.users.sign_in",
    "shared.jobs.ledger.record_pages",
    "shared.jobs.submission.forecast",
    "shared.jobs.submission.uploaded_lists",
    "shared.jobs.retry",
    "shared.jobs.submission.refresh_requests",
    "shared.jobs.webhooks.body",
    "shared.jobs.webhooks.call",
    "shared.jobs.webhooks.ends",
    "shared.jobs.webhooks.overdue",
    "shared.jobs.webhooks.send",
    "shared.datasets.downloads",
    "shared.jobs.archive_step.archive",
    "shared.archiving.archiver",
    "shared.images.job_images",
    "shared.images.opted_out",
    "shared.images.preview",
    "shared.images.index.duplicates",
    "shared.images.index.sorted_images",
    "shared.images.index.statistics",
    "shared.lifecycle.aging.plan",
    "shared.lifecycle.aging.run",
    "shared.lifecycle.deletion",
    "shared.lifecycle.erasure",
    "shared.lifecycle.list_checks",
    "shared.lifecycle.moves.follow",
    "shared.lifecycle.moves.requests",
    "shared.lifecycle.night",
    "shared.lifecycle.retention",
    "shared.lifecycle.task_queue",
    "shared.lifecycle.working_blobs",
    "shared.insights.reports",
    "shared.jobs.ledger.timeline",
    "shared.wiring.health_parts",
    "shared.health.probe",
    "shared.health.start_report",
)
_AFTER_SECONDS = 0.5
# the thread rests three times as long as it works, because work that is under way needs the same processor
_REST = 3

_log = logging.getLogger(__name__)


def import_ahead(after_seconds: float = _AFTER_SECONDS) -> threading.Thread:
    """Starts a thread that imports the modules of the services after a short delay, and returns the thread.

    The delay lets the call for which the process was started go first. A caller that needs a module earlier imports it
    itself.
    """
    thread = threading.Timer(after_seconds, _import_all)
    # a process that ends does not wait for a daemon
    thread.daemon = True
    thread.start()
    return thread


def _import_all() -> None:
    for name in _FOR_A_NEW_JOB:
        _import(name)
    for name in _FOR_OTHER_WORK:
        began = time.monotonic()
        _import(name)
        time.sleep(_REST * (time.monotonic() - began))


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:  # noqa: BLE001 - a caller that needs the module gets and reports the same error
        _log.warning("%s cannot be imported ahead of time", name, exc_info=True)
