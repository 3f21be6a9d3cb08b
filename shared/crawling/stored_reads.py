"""Reads images that are in storage. Images that are next to each other in a blob are read by one call."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from shared.records.candidates import NumberedCandidate, StoredRange
from shared.storage.blobs import BlobStore
from shared.storage.joined_reads import Gaps, JoinedRead, join_reads

KEPT_READS: Final = 4
"""How many joined reads of a chunk stay in memory. Each has at most 4 MiB, and two more may be under way."""

# a chunk has many tasks, each of which may want other neighbours
_READS_AT_A_TIME = 2
_GAPS = Gaps(4 << 20, 64 << 10)


class _Neighbours:
    """Images that are read together. `data` is empty before they are read, and after they were dropped from memory."""

    __slots__ = ("data", "lock", "read", "was_read")

    def __init__(self, read: JoinedRead[StoredRange]) -> None:
        self.read = read
        self.lock = asyncio.Lock()
        self.data = b""
        self.was_read = False


class StoredReads:
    """Reads the images of a chunk's candidates that are in storage, in bounded memory.

    Neighbours are read together once. Those that are wanted after their neighbours were dropped are read one by one,
    so at most twice the bytes are read.
    """

    def __init__(self, blobs: BlobStore, candidates: Iterable[NumberedCandidate]) -> None:
        self._blobs = blobs
        stored = {one.candidate.stored for one in candidates}
        reads = join_reads([where for where in stored if where is not None], lambda where: where, _GAPS)
        self._neighbours = {
            where: neighbours
            for neighbours in map(_Neighbours, reads)
            if len(neighbours.read.wanted) > 1
            for where in neighbours.read.wanted
        }
        self._reading = asyncio.Semaphore(_READS_AT_A_TIME)
        self._kept: OrderedDict[_Neighbours, None] = OrderedDict()

    async def get(self, where: StoredRange) -> bytes:
        """Returns the bytes, which are fewer if the blob is shorter.

        Raises:
            NotFound: the blob is gone.
            Conflict: the blob is in the Archive tier.
            Retryable: storage did not answer.
        """
        neighbours = self._neighbours.get(where)
        if neighbours is not None:
            # if the call that reads fails or is cancelled, the next one reads
            async with neighbours.lock:
                if not neighbours.was_read:
                    await self._read(neighbours)
            if neighbours.data:
                return neighbours.read.cut(neighbours.data, where)
        return await self._blobs.get(where.blob, offset=where.offset, length=where.size)

    async def _read(self, neighbours: _Neighbours) -> None:
        read = neighbours.read
        async with self._reading:
            neighbours.data = await self._blobs.get(read.blob, offset=read.offset, length=read.size)
            neighbours.was_read = True
            self._kept[neighbours] = None
            if len(self._kept) > KEPT_READS:
                oldest, _ = self._kept.popitem(last=False)
                oldest.data = b""
