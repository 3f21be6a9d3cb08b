"""Writes parts of a plan's files as blocks, from wherever an earlier run stopped, and commits files of all blocks."""

import asyncio
import hashlib

from shared.archiving.arrange import File
from shared.archiving.compose import Composer
from shared.archiving.parts import Slice, block_bytes_of
from shared.archiving.plan import Plan
from shared.clock import Deadline
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore, Tier

_NUMBERS = 50_000  # of each generation of blocks
_PLAN = "plan"
_TYPES = {
    "zip": "application/zip",
    "tar": "application/x-tar",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "yaml": "application/yaml",
    "txt": "text/plain; charset=utf-8",
}


async def write_slice(
    plan: Plan, piece: Slice, blobs: BlobStore, blocks: BlockStore, deadline: Deadline
) -> bytes | None:
    """Stage what of the slice is not staged yet; returns the SHA-256 of its bytes.

    None where time ran out before: call again. At least one block is sent in each run, however short the time. What an
    earlier run has sent is made once more for the checksum, but not sent again.
    """
    file = plan.files[piece.file]
    composer = await asyncio.to_thread(Composer, plan, file, blobs)
    name = plan.blob(file)
    staged = await blocks.staged(name)
    digest = hashlib.sha256()
    sending: asyncio.Task[None] | None = None
    try:
        for number in range(piece.start, piece.end):
            if deadline.passed and sending is not None:
                await sending
                return None
            data = await composer.block(number)
            await asyncio.to_thread(digest.update, data)
            if staged.get(_block(plan, number)) != len(data):
                if sending is not None:
                    await sending
                sending = asyncio.create_task(blocks.stage(name, _block(plan, number), data))
        if sending is not None:
            await sending
    finally:
        if sending is not None:
            await asyncio.gather(sending, return_exceptions=True)
    return digest.digest()


async def commit_file(plan: Plan, file: File, blobs: BlobStore, blocks: BlockStore) -> None:
    """Make the file of its blocks, unless it stands already.

    Raises:
        Conflict: a block is not there (storage drops what waits for a week, or another plan took the name).
    """
    name = plan.blob(file)
    info = await blobs.info(name)
    if info is not None and info.metadata.get(_PLAN) == plan.header.digest:
        return
    count = -(-file.size // block_bytes_of(file.size, plan.header.block_bytes))
    attributes = BlobAttributes(
        content_type=_TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8"),
        metadata={
            "job_id": plan.header.job_id,
            "image_count": str(len(plan.images) if file.kind == "zip" else file.end - file.start),
            "created_at": plan.header.created_at.isoformat(),
            _PLAN: plan.header.digest,
        },
        tags={"project": "pixcrawler", "type": "dataset", "job_id": plan.header.job_id},
        tier=Tier.HOT,
    )
    await blocks.commit(name, [_block(plan, number) for number in range(count)], attributes)


async def checksum(name: str, blobs: BlobStore, deadline: Deadline) -> str | None:
    """The SHA-256 of a blob, read through; None where time runs out before its end."""
    digest = hashlib.sha256()
    async for data in blobs.stream(name):
        if deadline.passed:
            return None
        await asyncio.to_thread(digest.update, data)
    return digest.hexdigest()


def _block(plan: Plan, number: int) -> int:
    return plan.header.generation * _NUMBERS + number
