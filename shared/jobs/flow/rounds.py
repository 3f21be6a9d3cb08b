"""Further rounds of discovery: where so many candidates were rejected that a label came out short, more are looked for.

Discovery takes about twice as many candidates as images are wanted, and leaves the rest of a source alone. Once all of
them are crawled, the share that was kept tells how many more a label needs.
"""

from collections.abc import Mapping
from math import ceil

from shared.jobs.job.job import Job
from shared.jobs.ledger.job_data import JobData
from shared.records.records import KEPT

MAX_ROUNDS = 3
_MORE_THAN_NEEDED, _SPARE = 1.2, 10
_MOST = (
    3  # candidates in a round for each image that is wanted, so that rubbish is not looked for without end
)


class Rounds:
    """Says whether a job needs another round. Reads only: asked twice while nothing moves, it says the same."""

    def __init__(self, data: JobData) -> None:
        self._data = data

    async def wanted(self, job: Job) -> Mapping[str, int]:
        """How many candidates in all each label takes that kept fewer than wanted, and whose sources have more.

        Raises:
            Damaged: what the job has stored is gone or cannot be read.
        """
        state, _ = await self._data.discovery.read(job.id)
        left = {label for stream in state.streams.values() for label in stream.skipped_labels}
        if not left:
            return {}
        spec = await self._data.jobs.needed_spec(job.id)
        progress = await self._data.ledger.progress(job.id)
        wanted: dict[str, int] = {}
        for label in sorted(left & progress.tally.counts.keys()):
            limit, outcomes = spec.limit_of(label, searched=True), progress.tally.counts[label]
            kept, tried = outcomes.get(KEPT, 0), sum(outcomes.values())
            if limit is not None and kept < limit:
                more = ceil((limit - kept) * tried / max(kept, 1) * _MORE_THAN_NEEDED)
                wanted[label] = state.found.get(label, 0) + min(more, limit * _MOST) + _SPARE
        return wanted

    async def begun(self, job: Job) -> bool:
        """Whether discovery has begun with the job's revision and round."""
        state, _ = await self._data.discovery.read(job.id)
        return (state.revision, state.round) >= (job.revision, job.round)
