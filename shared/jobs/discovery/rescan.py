"""The first part of a retry: looks through a job's records for candidates that failed for a transient reason.

They become new chunks, with the indices that they have. The chunks that they are taken from, the outcomes that no
longer count, and how far the look has come are saved in the transaction that adds the new chunk, so that none is taken
twice or lost. What was kept, or rejected for good, is left alone.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.clock import Deadline
from shared.jobs.discovery.moved_images import MovedImages
from shared.jobs.discovery.run import DiscoveryRun
from shared.jobs.job.chunk_ids import number_of
from shared.jobs.ledger.chunk_blobs import read_records
from shared.jobs.ledger.chunks import MAX_ROWS, ChunkLedger
from shared.jobs.ledger.rows import ChunkRow
from shared.records.records import Record, Rejected
from shared.storage.blobs import BlobStore


class Rescan:
    """Takes up what failed. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self, ledger: ChunkLedger, blobs: BlobStore, moved_images: MovedImages, chunk_size: int
    ) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._moved_images = moved_images
        self._chunk_size = chunk_size

    async def run(self, run: DiscoveryRun, deadline: Deadline) -> bool:
        """Look on until all was seen; False where the deadline passed and the rest is for the next run.

        Raises:
            Changed: another run is ahead.
            Damaged: the records of a chunk are gone or cannot be read.
        """
        rescan = run.state.rescan
        if rescan is None:
            return True
        records: list[Record] = []
        taken: list[ChunkRow] = []
        async for chunk in self._ledger.chunks(run.job.id, after=rescan.after):
            if number_of(chunk.id) > rescan.until:
                break
            if chunk.transient:
                records += await self._failed(run.job.id, chunk)
                taken.append(chunk)
            rescan.after = chunk.id
            if len(records) >= self._chunk_size or len(taken) >= MAX_ROWS:
                await self._save(run, records, taken)
                records, taken = [], []
            if deadline.passed:
                await self._save(run, records, taken)
                return False
        run.state.rescan = None
        await self._save(run, records, taken)
        return True

    async def _save(self, run: DiscoveryRun, records: Sequence[Record], taken: Sequence[ChunkRow]) -> None:
        """Have the candidates tried again, stored images where they are by now."""
        candidates = await self._moved_images.find(run.job.user_id, [record.candidate for record in records])
        again = zip(records, candidates, strict=True)
        await run.save_again([replace(record, candidate=candidate) for record, candidate in again], taken)

    async def _failed(self, job_id: str, chunk: ChunkRow) -> list[Record]:
        return [
            record
            for record in await read_records(self._blobs, job_id, chunk.id)
            if isinstance(record.outcome, Rejected) and record.outcome.reason.transient
        ]
