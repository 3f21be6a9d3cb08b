"""Makes the data of the events that report the ends of jobs."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from shared.announcements import EventType
from shared.datasets.catalog import Catalog
from shared.jobs.job.delivered import has_records
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import ChunkLedger
from shared.jobs.ledger.report import DiscoveryReport
from shared.jobs.ledger.rows import Progress
from shared.jobs.ledger.tally import Tally
from shared.text.plain_text import one_line

type CanRetry = Callable[[Job, Progress, DiscoveryReport], Awaitable[bool]]

_API = "/api/v1"
_MAX_DETAIL = 1000
_EVENTS: Mapping[State, EventType] = {
    State.COMPLETED: "job.completed",
    State.FAILED: "job.failed",
    State.CANCELLED: "job.cancelled",
}


def event_of(job: Job) -> EventType:
    """Returns the type of the event that reports the end of a job, which has ended."""
    return _EVENTS[job.state]


class WebhookBodies:
    """Makes the `data` of events, which has no links that open files.

    `job_id` and `revision` identify the end of the job; each revision has an end of its own. `counts` are the counts
    that the API reports for the job. `retry` says what a retry could still get. `links` are paths of the API: those of
    the job and of its deliveries, and of its dataset, records and retry if there are any.
    """

    def __init__(self, ledger: ChunkLedger, catalog: Catalog, can_retry: CanRetry) -> None:
        self._ledger = ledger
        self._catalog = catalog
        self._can_retry = can_retry

    async def of(self, job: Job) -> Mapping[str, Any]:
        """Returns the data for a job that has ended: JSON of some kilobytes at most."""
        progress, report = await self._ledger.progress(job.id), await self._ledger.report(job.id)
        dataset = await self._catalog.get(job.user_id, job.id)
        found, tally = progress.found, progress.tally
        # The counts of a dataset include duplicates, which the archive step rejects.
        if dataset is not None and job.state is State.COMPLETED:
            tally = Tally(dataset.counts)
            found = tally.found
        can_retry = await self._can_retry(job, progress, report)
        failure = job.failure
        return {
            "job_id": job.id,
            "revision": job.revision,
            "name": job.name,
            "state": job.state,
            "error": {"code": failure.code, "detail": one_line(failure.detail, _MAX_DETAIL)}
            if failure
            else None,
            "created_at": job.created_at.isoformat(),
            "ended_at": job.updated_at.isoformat(),
            "counts": {"found": found, "kept": tally.kept, "rejected": dict(tally.rejections)},
            "retry": {
                "possible": can_retry,
                "transient": progress.transient,
                "unprocessed": max(0, progress.found - progress.tally.found),
            },
            "links": _links(job, has_dataset=dataset is not None, can_retry=can_retry),
        }


def _links(job: Job, *, has_dataset: bool, can_retry: bool) -> Mapping[str, str]:
    path = f"{_API}/jobs/{job.id}"
    links = {"self": path, "deliveries": f"{path}/deliveries"}
    if can_retry:
        links["retry"] = f"{path}/retry"
    if has_dataset:
        dataset = f"{_API}/datasets/{job.id}"
        links |= {"dataset": dataset, "download": f"{dataset}/download"}
    if has_records(job):
        links["records"] = f"{path}/records/download"
    return links
