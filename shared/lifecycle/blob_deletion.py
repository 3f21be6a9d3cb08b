"""Deletes many blobs, several at a time and in bounded memory, until a deadline."""

from collections.abc import AsyncIterator, Callable

from shared.clock import Deadline
from shared.concurrency import process_concurrently
from shared.storage.blobs import BlobInfo, BlobStore

_AT_A_TIME = 16
_BATCH = 256


async def delete_blobs(
    blobs: BlobStore, prefix: str, deadline: Deadline, is_kept: Callable[[BlobInfo], bool] | None = None
) -> bool:
    """Deletes the blobs whose names begin with the prefix, except those for which `is_kept` returns true.

    Returns:
        Whether the end of the list was reached. Otherwise the deadline has passed, and the next call goes on.
    """
    async for batch in _batches(blobs, prefix, is_kept):
        if deadline.passed:
            return False
        await process_concurrently(batch, blobs.delete, _AT_A_TIME)
    return True


async def _batches(
    blobs: BlobStore, prefix: str, is_kept: Callable[[BlobInfo], bool] | None
) -> AsyncIterator[list[str]]:
    batch: list[str] = []
    async for info in blobs.list(prefix):
        if is_kept is not None and is_kept(info):
            continue
        batch.append(info.name)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
