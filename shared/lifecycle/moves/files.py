"""Changes many files of a dataset, several at the same time."""

from collections.abc import Awaitable, Callable, Sequence

from shared.clock import Deadline
from shared.concurrency import process_concurrently
from shared.errors import Conflict, NotFound
from shared.storage.blobs import BlobInfo

_FILES_AT_A_TIME = 16


async def change_each(
    files: Sequence[BlobInfo], change: Callable[[BlobInfo], Awaitable[None]], deadline: Deadline
) -> bool:
    """Calls `change` for each file; returns False if the deadline passed before the last one.

    Files that are deleted meanwhile, and those that cannot change now, are left out.

    Raises:
        Unavailable: storage did not answer.
    """
    left = list(reversed(files))

    async def work(_: BlobInfo) -> None:
        if deadline.passed:
            return
        info = left.pop()
        try:
            await change(info)
        except (Conflict, NotFound):
            return

    await process_concurrently(files, work, _FILES_AT_A_TIME)
    return not left
