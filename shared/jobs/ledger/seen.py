"""Remembers which candidates a job's discovery has taken, so that it takes none twice."""

import zlib
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, Self

from shared.records.candidates import Candidate
from shared.web.addresses.urls import address_key

HASH_BYTES: Final = 8
_SUM_BYTES = 4


class Seen:
    """Holds a 64-bit hash of each address, so a million addresses take little memory.

    Two addresses of a million have the same hash with a probability below one in ten million.
    """

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self._hashes = set(hashes)

    def add(self, address: str) -> bool:
        """Adds the address; returns False if it was there already."""
        found = hash_of(address)
        if found in self._hashes:
            return False
        self._hashes.add(found)
        return True

    def encode(self) -> bytes:
        """Returns eight bytes for each hash, in ascending order, with a checksum before them."""
        return with_checksum(b"".join(found.to_bytes(HASH_BYTES) for found in sorted(self._hashes)))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reverses `encode`.

        Raises:
            ValueError: the data is not what `encode` returned.
        """
        data = without_checksum(data)
        if len(data) % HASH_BYTES:
            raise ValueError("not what was encoded")
        return cls(int.from_bytes(data[at : at + HASH_BYTES]) for at in range(0, len(data), HASH_BYTES))


def identity_of(candidate: Candidate) -> str:
    """Returns what identifies a candidate: its address, or the place where its bytes are stored.

    Two datasets may have different bytes of one address, since a server may have changed the image between them.
    """
    stored = candidate.stored
    return f"{stored.blob}:{stored.offset}" if stored else address_key(candidate.url)


def hash_of(text: str) -> int:
    """Returns a hash of 64 bits."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest())


def with_checksum(data: bytes) -> bytes:
    """Returns the data with its CRC-32, four bytes, before it."""
    return zlib.crc32(data).to_bytes(_SUM_BYTES) + data


def without_checksum(data: bytes) -> bytes:
    """Reverses `with_checksum`.

    Raises:
        ValueError: the checksum is that of other data.
    """
    found, data = data[:_SUM_BYTES], data[_SUM_BYTES:]
    if found != zlib.crc32(data).to_bytes(_SUM_BYTES):
        raise ValueError("not what was encoded")
    return data
