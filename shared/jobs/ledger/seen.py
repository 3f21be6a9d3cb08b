"""Remembers which candidates a job's discovery has taken, so that it takes none twice."""

import zlib
from collections.abc import Iterable
from hashlib import blake2b
from typing import Self

_KEY_BYTES = 8
_SUM_BYTES = 4


class Seen:
    """Holds a 64-bit hash of each address, so a million addresses take little memory.

    Two addresses of a million have the same hash with a probability below one in ten million.
    """

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self._keys = set(keys)

    def add(self, address: str) -> bool:
        """Adds the address; returns False if it was there already."""
        digest = blake2b(address.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
        key = int.from_bytes(digest)
        if key in self._keys:
            return False
        self._keys.add(key)
        return True

    def encode(self) -> bytes:
        """Returns a CRC-32 of four bytes, and eight bytes for each hash, in ascending order."""
        keys = b"".join(key.to_bytes(_KEY_BYTES) for key in sorted(self._keys))
        return zlib.crc32(keys).to_bytes(_SUM_BYTES) + keys

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reverses `encode`.

        Raises:
            ValueError: the data is not what `encode` returned.
        """
        found, data = data[:_SUM_BYTES], data[_SUM_BYTES:]
        if found != zlib.crc32(data).to_bytes(_SUM_BYTES) or len(data) % _KEY_BYTES:
            raise ValueError("not what was encoded")
        return cls(int.from_bytes(data[at : at + _KEY_BYTES]) for at in range(0, len(data), _KEY_BYTES))
