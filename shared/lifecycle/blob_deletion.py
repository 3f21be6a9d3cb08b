"""Deletes many blobs, several at a time and in bounded memory, until a deadline."""

from collections.abc import AsyncIterator, Callable

from shared.clock import Deadline
from shared.concurrency import process_concurrently
from shared.storage.blobs import BlobInfo, BlobStore

_AT_A_TIME = 16
_BATCH = 256


async def delete_blobs(
    blobs: BlobStore, prefix: str, deadline: Deadline, spares: Callable[[BlobInfo], bool] | None = None
) -> bool:
    """Deletes the blobs whose names begin with the prefix, except those for which `spares` returns true.

    Returns:
        Whether the end of the list was reached. Otherwise the deadline has passed, and the next call goes on.
    """
    async for batch in _batches(blobs, prefix, spares):
        if deadline.passed:
            return False
        await process_concurrently(batch, blobs.delete, _AT_A_TIME)
    return True


async def _batches(
    blobs: BlobStore, prefix: str, spares: Callable[[BlobInfo], bool] | None
) -> AsyncIterator[list[str]]:
    batch: list[str] = []
    async for info in blobs.list(prefix):
        if spares is not None and spares(info):
            continue
        batch.append(info.name)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
