"""The record blobs of a job, which planning goes through twice."""

from collections.abc import AsyncIterator, Sequence
from itertools import batched

from shared.concurrency import process_concurrently
from shared.damage import reading
from shared.storage.blobs import BlobStore

_AT_A_TIME = 8
_KEPT_BYTES = 32 << 20  # packed, the records of some 150,000 candidates


class RecordBlobs:
    """Reads the blobs in their order, some at a time; the first ones stay in memory for the next pass."""

    def __init__(self, blobs: BlobStore, names: Sequence[str]) -> None:
        self._blobs = blobs
        self._names = names
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0

    def what(self, position: int) -> str:
        """What the blob at this position holds, in words for the job's owner."""
        return _what(self._names[position])

    async def read(self) -> AsyncIterator[bytes]:
        """The content of one blob after the other.

        Raises:
            Damaged: one is gone.
        """
        for names in batched(self._names, _AT_A_TIME, strict=False):
            found = {name: self._kept[name] for name in names if name in self._kept}

            async def get(name: str, found: dict[str, bytes] = found) -> None:
                with reading(_what(name)):
                    found[name] = await self._blobs.get(name)

            await process_concurrently([name for name in names if name not in found], get, _AT_A_TIME)
            for name in names:
                self._keep(name, found[name])
                yield found[name]

    def _keep(self, name: str, data: bytes) -> None:
        if name not in self._kept and self._kept_bytes + len(data) <= _KEPT_BYTES:
            self._kept[name] = data
            self._kept_bytes += len(data)


def _what(name: str) -> str:
    return f"the records of chunk {name.rpartition('/')[2].partition('.jsonl')[0]}"
