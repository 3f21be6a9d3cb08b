"""The first part of a retry: finds the candidates in a job's records that failed for a transient reason.

They become new chunks, and keep their indices. The transaction that adds a new chunk also saves the chunks that its
candidates come from, the outcomes that no longer count, and the place of the rescan, so no candidate is taken twice or
lost. Kept candidates, and those that were rejected for good, stay as they are.
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
    """Has failed candidates tried again. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self, ledger: ChunkLedger, blobs: BlobStore, moved_images: MovedImages, chunk_size: int
    ) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._moved_images = moved_images
        self._chunk_size = chunk_size

    async def run(self, run: DiscoveryRun, deadline: Deadline) -> bool:
        """Continues the rescan until its end or the deadline; returns whether it has ended.

        Raises:
            Changed: another run is ahead.
            Damaged: the records of a chunk are gone or cannot be read.
        """
        rescan = run.state.rescan
        if rescan is None:
            return True
        failed: list[Record] = []
        chunks: list[ChunkRow] = []
        async for chunk in self._ledger.chunks(run.job.id, after=rescan.after):
            if number_of(chunk.id) > rescan.until:
                break
            if chunk.transient:
                failed += await self._failed_records(run.job.id, chunk)
                chunks.append(chunk)
            rescan.after = chunk.id
            if len(failed) >= self._chunk_size or len(chunks) >= MAX_ROWS:
                await self._save(run, failed, chunks)
                failed, chunks = [], []
            if deadline.passed:
                await self._save(run, failed, chunks)
                return False
        run.state.rescan = None
        await self._save(run, failed, chunks)
        return True

    async def _save(self, run: DiscoveryRun, failed: Sequence[Record], chunks: Sequence[ChunkRow]) -> None:
        """Saves the candidates as a new chunk. Stored images get the place where they are stored now."""
        candidates = await self._moved_images.locate(run.job.user_id, [record.candidate for record in failed])
        located = zip(failed, candidates, strict=True)
        await run.save_retried(
            [replace(record, candidate=candidate) for record, candidate in located], chunks
        )

    async def _failed_records(self, job_id: str, chunk: ChunkRow) -> list[Record]:
        return [
            record
            for record in await read_records(self._blobs, job_id, chunk.id)
            if isinstance(record.outcome, Rejected) and record.outcome.reason.transient
        ]
