"""Decides on further rounds of discovery, for labels of which too many candidates were rejected.

Discovery takes about twice as many candidates as images are wanted, and skips the rest of a source. When all of them
are crawled, the share that was kept says how many more candidates a label needs.
"""

from collections.abc import Mapping
from math import ceil

from shared.jobs.job.job import Job
from shared.jobs.ledger.discovery import WHOLE_JOB
from shared.jobs.ledger.job_data import JobData
from shared.records.records import KEPT

MAX_ROUNDS = 3
# Some candidates will be rejected, so more are taken than images are wanted: this many for each image, and a few more.
_OVERSAMPLING, _FIRST_SPARE = 2, 20
# A round takes this many times the candidates that the share of kept ones calls for, and a few more.
_MORE_THAN_NEEDED, _SPARE = 1.2, 10
# At most this many candidates in a round for each wanted image, which bounds the search for bad candidates.
_MAX_PER_IMAGE = 3


def oversampled(images: int) -> int:
    """Returns how many candidates are taken at first if this many images are wanted."""
    return images * _OVERSAMPLING + _FIRST_SPARE


def most_candidates(images: int) -> int:
    """Returns how many candidates a label with this limit of images takes at most, in all rounds."""
    return oversampled(images) + MAX_ROUNDS * (images * _MAX_PER_IMAGE + _SPARE)


class Rounds:
    """Decides whether a job needs another round. It only reads, so it decides the same while nothing changes."""

    def __init__(self, data: JobData) -> None:
        self._data = data

    async def raised_limits(self, job: Job) -> Mapping[str, int]:
        """Returns the labels that kept too few images and whose sources have more candidates.

        Each has the number of candidates that the label takes from now on, those of earlier rounds included. The job
        as a whole is among them, by `WHOLE_JOB`, if it has a limit. No further round is needed if there is no such
        label, or if the whole job kept enough.

        Raises:
            Damaged: what the job has stored is gone or cannot be read.
        """
        state = await self._data.discovery.state(job.id)
        skipped = {label for stream in state.streams.values() for label in stream.skipped_labels}
        if not skipped:
            return {}
        spec = await self._data.jobs.needed_spec(job.id)
        progress = await self._data.ledger.progress(job.id)
        most, kept_by_job = job.limit_of_tier, progress.tally.kept
        if most is not None and kept_by_job >= most:
            return {}
        limits: dict[str, int] = {}
        if most is not None and WHOLE_JOB in skipped:
            limits[WHOLE_JOB] = state.sought + _more(most, kept_by_job, progress.tally.found)
        for label in sorted(skipped & progress.tally.counts.keys()):
            limit, outcomes = spec.limit_of(label, searched=True), progress.tally.counts[label]
            kept, tried = outcomes.get(KEPT, 0), sum(outcomes.values())
            if limit is not None and kept < limit:
                limits[label] = state.found.get(label, 0) + _more(limit, kept, tried)
        return limits

    async def has_begun(self, job: Job) -> bool:
        """Returns whether discovery has begun with the job's revision and round."""
        state = await self._data.discovery.state(job.id)
        return (state.revision, state.round) >= (job.revision, job.round)


def _more(limit: int, kept: int, tried: int) -> int:
    """Returns how many more candidates are taken, of which `kept` of `tried` were kept, for `limit` images in all."""
    more = ceil((limit - kept) * tried / max(kept, 1) * _MORE_THAN_NEEDED)
    return min(more, limit * _MAX_PER_IMAGE) + _SPARE
