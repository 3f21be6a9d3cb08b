"""Finds the candidates that a refreshed dataset knows already, and remembers which of them the sources still list.

A key takes eight bytes and one bit, so a dataset of a million images takes some twenty megabytes.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from shared.damage import reading
from shared.errors import Damaged, NotFound
from shared.jobs.job.job import Job, Refresh
from shared.jobs.ledger.discovery import DiscoveryState
from shared.jobs.ledger.seen import HASH_BYTES, hash_of, with_checksum, without_checksum
from shared.records.blob_names import revision_prefix
from shared.records.candidates import Candidate
from shared.records.delivered import RECORDS, Delivered
from shared.records.known_lines import KnownLine, read_known_lines
from shared.storage.blobs import BlobStore
from shared.web.addresses.urls import address_key

if TYPE_CHECKING:
    # it is imported where it is used, as few jobs are refreshed, and a job must begin soon after a cold start
    import numpy as np
    from numpy.typing import NDArray

_KEYS = ">u8"


@dataclass(frozen=True, slots=True)
class Contents:
    """What the records of a dataset say in total.

    `keys` are those of all candidates whose outcome a refresh takes over, sorted. `found` counts all candidates by
    label. `next_index` is the first index that no candidate has.
    """

    keys: "NDArray[np.uint64]"
    found: dict[str, int]
    next_index: int


class KnownCandidates:
    """The keys of known candidates, and a mark for each that a source has listed."""

    def __init__(self, keys: "NDArray[np.uint64]", listed: "NDArray[np.bool] | None" = None) -> None:
        import numpy as np

        self._keys = keys
        self._listed = np.zeros(len(keys), np.bool) if listed is None else listed
        self.changed = False

    @classmethod
    async def load(cls, blobs: BlobStore, keys_blob: str, listed_blob: str) -> Self:
        """Reads both from storage. Without a `listed_blob`, nothing is listed yet.

        Raises:
            Damaged: a blob is gone or cannot be read.
        """
        import numpy as np

        with reading("the keys of the known candidates"):
            keys = np.frombuffer(without_checksum(await blobs.get(keys_blob)), _KEYS).astype(np.uint64)
        if not listed_blob:
            return cls(keys)
        with reading("the marks of the listed candidates"):
            bits = np.frombuffer(without_checksum(await blobs.get(listed_blob)), np.uint8)
            return cls(keys, np.unpackbits(bits, count=len(keys)).astype(np.bool))

    def note(self, candidate: Candidate) -> bool | None:
        """Notes that a source lists the candidate.

        Returns:
            Whether it is listed for the first time; None if it is not known.
        """
        places = self._places(
            _keys_of(candidate.url, candidate.provenance.source, candidate.provenance.source_id)
        )
        if not places:
            return None
        if any(self._listed[place] for place in places):
            return False
        self._listed[places] = True
        self.changed = True
        return True

    def is_listed(self, line: Delivered) -> bool:
        """Returns whether a source lists the image."""
        places = self._places(_keys_of(line.url, line.source, line.source_id))
        return any(self._listed[place] for place in places)

    def encode_keys(self) -> bytes:
        """Returns the keys, with a CRC-32 before them."""
        return with_checksum(self._keys.astype(_KEYS).tobytes())

    def encode_listed(self) -> bytes:
        """Returns the marks, with a CRC-32 before them."""
        import numpy as np

        return with_checksum(np.packbits(self._listed).tobytes())

    def _places(self, keys: Sequence[int]) -> list[int]:
        import numpy as np

        found = np.searchsorted(self._keys, np.array(keys, np.uint64))
        return [
            place
            for place, key in zip(found.tolist(), keys, strict=True)
            if place < len(self._keys) and int(self._keys[place]) == key
        ]


async def read_known(blobs: BlobStore, state: DiscoveryState) -> KnownCandidates | None:
    """Reads what the refresh knows. Returns None if it is not needed, or if the job is not refreshed.

    Raises:
        Damaged: a blob is gone or cannot be read.
    """
    refresh = state.refresh
    if refresh is None or (refresh.taken_over and state.complete):
        return None
    return await KnownCandidates.load(blobs, refresh.known_blob, refresh.listed_blob)


async def lines_of(blobs: BlobStore, job: Job, refresh: Refresh) -> AsyncIterator[list[KnownLine]]:
    """Yields the records of the dataset that a refresh starts from, some at a time.

    Raises:
        Damaged: they are gone or cannot be read.
    """
    name = f"{revision_prefix(job.id, refresh.base)}{RECORDS}"
    try:
        async for lines in read_known_lines(blobs.stream(name), job.id):
            yield lines
    except NotFound:
        raise Damaged("Gone from storage: the records of the dataset to refresh.") from None


async def read_contents(blobs: BlobStore, job: Job, refresh: Refresh) -> Contents:
    """Reads all records of the dataset that a refresh starts from.

    Raises:
        Damaged: they are gone or cannot be read.
    """
    import numpy as np

    keys, found, next_index = bytearray(), Counter[str](), 0
    async for lines in lines_of(blobs, job, refresh):
        for each in lines:
            line = each.line
            found[line.label] += 1
            next_index = max(next_index, line.index + 1)
            if each.is_final(check=refresh.check):
                for key in _keys_of(line.url, line.source, line.source_id):
                    keys += key.to_bytes(HASH_BYTES)
    unique = np.unique(np.frombuffer(bytes(keys), _KEYS).astype(np.uint64))
    return Contents(unique, dict(found), next_index)


def _keys_of(url: str, source: str, source_id: str | None) -> list[int]:
    """Returns the keys of a candidate: that of its address, and that of its id at its source if it has one."""
    names = [address_key(url)]
    if source_id:
        names.append(f"{source}\n{source_id}")
    return list(map(hash_of, names))
