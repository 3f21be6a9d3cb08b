"""The addresses that a job's discovery has found so far, so that no candidate is taken twice."""

import zlib
from collections.abc import Iterable
from hashlib import blake2b
from typing import Self

_KEY_BYTES = 8
_SUM_BYTES = 4


class Seen:
    """The keys of what was discovered already: 64-bit hashes, so that a million take little room."""

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self._keys = set(keys)

    def add(self, address: str) -> bool:
        """Remember the address; False where it was there before."""
        digest = blake2b(address.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
        key = int.from_bytes(digest)
        if key in self._keys:
            return False
        self._keys.add(key)
        return True

    def encode(self) -> bytes:
        """Eight bytes a key, behind a checksum."""
        keys = b"".join(key.to_bytes(_KEY_BYTES) for key in sorted(self._keys))
        return zlib.crc32(keys).to_bytes(_SUM_BYTES) + keys

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The reverse of `encode`.

        Raises:
            ValueError: the data is not what `encode` returned.
        """
        found, data = data[:_SUM_BYTES], data[_SUM_BYTES:]
        if found != zlib.crc32(data).to_bytes(_SUM_BYTES) or len(data) % _KEY_BYTES:
            raise ValueError("not what was encoded")
        return cls(int.from_bytes(data[at : at + _KEY_BYTES]) for at in range(0, len(data), _KEY_BYTES))
