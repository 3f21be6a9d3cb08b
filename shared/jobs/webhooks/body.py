"""The body of a webhook call, which reports a job's end."""

import json

from shared.datasets.catalog import Catalog
from shared.jobs.job.delivered import has_records
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import ChunkLedger
from shared.jobs.ledger.tally import Tally

_API = "/api/v1"


class WebhookBodies:
    """Makes the bodies of webhook calls, as JSON objects.

    `event` is "job.completed", "job.failed" or "job.cancelled". `job_id` and `revision` identify the end of the job.
    One end may be reported twice, and each revision has an end of its own. `counts` are the counts that the API reports
    for the job. `links` are paths of the API: those of the job, and of its dataset and records if it has them.
    """

    def __init__(self, ledger: ChunkLedger, catalog: Catalog) -> None:
        self._ledger = ledger
        self._catalog = catalog

    async def of(self, job: Job) -> bytes:
        """Returns the body for a job that has ended."""
        progress = await self._ledger.progress(job.id)
        dataset = await self._catalog.get(job.user_id, job.id)
        found, tally = progress.found, progress.tally
        # The counts of a dataset include duplicates, which the archive step rejects.
        if dataset is not None and job.state is State.COMPLETED:
            tally = Tally(dataset.counts)
            found = tally.found
        links = {"self": f"{_API}/jobs/{job.id}"}
        if dataset is not None:
            path = f"{_API}/datasets/{job.id}"
            links |= {"dataset": path, "download": f"{path}/download"}
        if has_records(job):
            links["records"] = f"{_API}/jobs/{job.id}/records/download"
        failure = job.failure
        content = {
            "event": f"job.{job.state}",
            "job_id": job.id,
            "revision": job.revision,
            "name": job.name,
            "state": job.state,
            "error": {"code": failure.code, "detail": failure.detail} if failure else None,
            "created_at": job.created_at.isoformat(),
            "ended_at": job.updated_at.isoformat(),
            "counts": {"found": found, "kept": tally.kept, "rejected": dict(tally.rejections)},
            "links": links,
        }
        return json.dumps(content).encode()
