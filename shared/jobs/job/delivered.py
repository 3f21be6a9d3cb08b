"""Finds the delivered records of a job. A job that kept no image has records, too, but no dataset."""

from typing import TYPE_CHECKING

from shared.errors import NotFound
from shared.jobs.job.failures import NO_IMAGES
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.records.blob_names import revision_prefix

if TYPE_CHECKING:
    from shared.datasets.downloads import Downloads, SavedFile


def has_records(job: Job) -> bool:
    """Returns whether the job has ended in a way that delivers records."""
    kept_nothing = job.state is State.FAILED and job.failure is not None and job.failure.code == NO_IMAGES
    return kept_nothing or job.state is State.COMPLETED


async def records_of(job: Job, downloads: "Downloads") -> "SavedFile":
    """Returns a link to the records of the job's last revision.

    The records of a job that kept no image are deleted with its working blobs.

    Raises:
        NotFound: the job has not ended, or ended before its records were written, or they are gone.
    """
    from shared.records.delivered import RECORDS

    if not has_records(job):
        raise NotFound(
            f"Job {job.id} has no records: a job has them once it has completed, or has ended without an image to keep."
        )
    found = await downloads.saved(f"{revision_prefix(job.id, job.revision)}{RECORDS}", RECORDS)
    if found is None or found.link is None:
        raise NotFound(f"The records of job {job.id} are gone.")
    return found
