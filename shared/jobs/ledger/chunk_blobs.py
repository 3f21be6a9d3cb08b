"""Reads the blobs of a chunk: its candidates, and the records that commit it."""

from collections.abc import Sequence

from shared.damage import reading
from shared.jobs.ledger.rows import ChunkRow
from shared.records.blob_names import records_blob
from shared.records.candidates import NumberedCandidate, decode_candidates
from shared.records.records import Record, decode_records
from shared.storage.blobs import BlobStore


async def read_candidates(blobs: BlobStore, chunk: ChunkRow) -> Sequence[NumberedCandidate]:
    """Reads all candidates of a chunk.

    Raises:
        Damaged: they are gone, cannot be read, or their number is not the one in the chunk's row.
    """
    with reading(f"the candidates of chunk {chunk.id}"):
        candidates = tuple(decode_candidates(await blobs.get(chunk.candidates_blob)))
        if len(candidates) != chunk.count:
            raise ValueError(f"{len(candidates)} candidates instead of {chunk.count}")
    return candidates


async def read_records(blobs: BlobStore, job_id: str, chunk_id: str) -> Sequence[Record]:
    """Reads the records of a chunk that is done.

    Raises:
        Damaged: they are gone or cannot be read.
    """
    with reading(f"the records of chunk {chunk_id}"):
        return tuple(decode_records(await blobs.get(records_blob(job_id, chunk_id))))
