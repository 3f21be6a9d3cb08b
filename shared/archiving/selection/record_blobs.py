"""Reads the record blobs of a job, which the planner needs twice."""

from collections.abc import AsyncIterator, Sequence
from itertools import batched

from shared.concurrency import process_concurrently
from shared.damage import reading
from shared.storage.blobs import BlobStore

_READS = 8
# packed, these are the records of some 150,000 candidates
_CACHE_BYTES = 32 << 20


class RecordBlobs:
    """The record blobs of a job, in order. The first 32 MiB stay in memory for the second pass."""

    def __init__(self, blobs: BlobStore, names: Sequence[str]) -> None:
        self._blobs = blobs
        self._names = names
        self._cache: dict[str, bytes] = {}
        self._cache_bytes = 0

    def name_for_people(self, position: int) -> str:
        """Returns the name of the blob at this position for errors."""
        return _name_for_people(self._names[position])

    async def read(self) -> AsyncIterator[bytes]:
        """Yields the content of each blob, in order. Up to 8 blobs are read at the same time.

        Raises:
            Damaged: a blob is gone.
        """
        for names in batched(self._names, _READS, strict=False):
            found = {name: self._cache[name] for name in names if name in self._cache}

            async def get(name: str, found: dict[str, bytes] = found) -> None:
                with reading(_name_for_people(name)):
                    found[name] = await self._blobs.get(name)

            await process_concurrently([name for name in names if name not in found], get, _READS)
            for name in names:
                self._put_in_cache(name, found[name])
                yield found[name]

    def _put_in_cache(self, name: str, data: bytes) -> None:
        if name not in self._cache and self._cache_bytes + len(data) <= _CACHE_BYTES:
            self._cache[name] = data
            self._cache_bytes += len(data)


def _name_for_people(name: str) -> str:
    return f"the records of chunk {name.rpartition('/')[2].partition('.jsonl')[0]}"
