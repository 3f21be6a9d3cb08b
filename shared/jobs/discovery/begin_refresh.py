"""Begins the discovery of a refresh: reads which candidates the dataset knows, and lets all sources be asked again."""

from shared.jobs.discovery.known_candidates import Contents, KnownCandidates, read_contents
from shared.jobs.flow.rounds import oversampled
from shared.jobs.job.job import Job
from shared.jobs.ledger.discovery import WHOLE_JOB, DiscoveryState, RefreshState
from shared.jobs.ledger.job_data import JobData
from shared.jobs.spec.spec import JobSpec
from shared.records.blob_names import known_blob


def is_new_refresh(job: Job, state: DiscoveryState) -> bool:
    """Returns whether the job is to be refreshed, and its discovery has not begun the refresh."""
    began = state.refresh.began if state.refresh else 0
    return job.refresh is not None and job.refresh.began > began


async def begin_refresh(data: JobData, job: Job, state: DiscoveryState, nonce: str) -> DiscoveryState:
    """Returns the state at the beginning of the refresh. Its chunks get the numbers after those of earlier chunks.

    The only thing that it writes is a blob whose name ends in the nonce.

    Raises:
        Damaged: the spec or the records of the dataset are gone or cannot be read.
    """
    refresh = job.refresh
    if refresh is None:
        raise ValueError(f"job {job.id} is not refreshed")
    contents = await read_contents(data.storage.blobs, job, refresh)
    name = known_blob(job.id, job.revision, nonce)
    await data.storage.blobs.put(name, KnownCandidates(contents.keys).encode_keys())
    return DiscoveryState(
        chunks=state.chunks,
        chunks_before=state.chunks,
        announced=state.chunks,
        seen_chunks=state.chunks,
        candidates=contents.next_index,
        revision=job.revision,
        round=job.round,
        raised_limits=_raised_limits(await data.jobs.needed_spec(job.id), job, contents),
        refresh=RefreshState(refresh.began, refresh.base, contents.next_index, name),
    )


def _raised_limits(spec: JobSpec, job: Job, contents: Contents) -> dict[str, int]:
    """Returns the limits of labels, or of the whole job, that the earlier revisions went beyond: what they took."""
    limits: dict[str, int] = {}
    for label, found in contents.found.items():
        limit = spec.limit_of(label, searched=True)
        if limit is not None and found > oversampled(limit):
            limits[label] = found
    most, total = job.limit_of_tier, sum(contents.found.values())
    if most is not None and total > oversampled(most):
        limits[WHOLE_JOB] = total
    return limits
