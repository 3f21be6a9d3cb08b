"""The last part of the discovery of a refresh: the known candidates become chunks, and keep their indices.

It begins when all sources have ended, so it is known by then which images they list. The transaction that adds a chunk
also saves the place in the dataset's records, so no candidate is taken over twice or lost.
"""

from collections.abc import AsyncIterator

from shared.clock import Deadline
from shared.jobs.discovery.cutting import CHUNK_CHARACTERS, characters_of
from shared.jobs.discovery.known_candidates import lines_of
from shared.jobs.discovery.run import DiscoveryRun
from shared.jobs.job.job import Job, Refresh
from shared.jobs.ledger.discovery import RefreshState
from shared.records.blob_names import revision_prefix
from shared.records.candidates import NumberedCandidate
from shared.records.known_lines import KnownLine
from shared.storage.blobs import BlobStore


class TakeOver:
    """Takes over the known candidates. Safe to run twice, at the same time, and to die at any line."""

    def __init__(self, blobs: BlobStore, chunk_size: int) -> None:
        self._blobs = blobs
        self._chunk_size = chunk_size

    async def run(self, run: DiscoveryRun, deadline: Deadline) -> bool:
        """Goes on until the end of the records or the deadline; returns whether all candidates are taken over.

        Raises:
            Changed: another run is ahead.
            Damaged: the records of the dataset are gone or cannot be read.
        """
        state, refresh = run.state.refresh, run.job.refresh
        if state is None or refresh is None or state.taken_over:
            return True
        batch: list[NumberedCandidate] = []
        number = characters = 0
        async for each in self._lines(run.job, refresh):
            number += 1
            if number <= state.lines:
                continue
            if each.is_final(check=refresh.check):
                batch.append(self._candidate(run, state, each))
                characters += characters_of(batch[-1].candidate)
            if len(batch) >= self._chunk_size or characters >= CHUNK_CHARACTERS:
                state.lines = number
                await run.save_taken_over(batch)
                batch, characters = [], 0
                if deadline.passed:
                    return False
        state.lines, state.taken_over = number, True
        await run.save_taken_over(batch)
        return True

    async def _lines(self, job: Job, refresh: Refresh) -> AsyncIterator[KnownLine]:
        async for lines in lines_of(self._blobs, job, refresh):
            for line in lines:
                yield line

    def _candidate(self, run: DiscoveryRun, state: RefreshState, each: KnownLine) -> NumberedCandidate:
        listed = not run.state.lists_all_of(each.line.label) or run.lists(each.line)
        folder = revision_prefix(run.job.id, state.base)
        return NumberedCandidate(each.line.index, each.candidate(folder, listed=listed))
