"""Blobs in memory, for tests and simulations. They behave as `shared.storage.azure.blobs` does."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import override

from shared.clock import Clock, SystemClock
from shared.errors import AlreadyExists, Conflict, NotFound
from shared.storage.blobs import BlobAttributes, BlobInfo, Link, Priority, Tier
from shared.storage.storage import Blobs

_PIECE_BYTES = 4 << 20
_REHYDRATION = {Priority.STANDARD: timedelta(hours=15), Priority.HIGH: timedelta(hours=1)}


@dataclass(slots=True)
class _Blob:
    data: bytes
    info: BlobInfo
    tags: Mapping[str, str]
    blocks: dict[int, bytes] = field(default_factory=dict)
    rehydrated_at: datetime | None = None


class MemoryBlobs(Blobs):
    """BlobStore, BlockStore, TierStore and LinkStore over a dictionary."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._blobs: dict[str, _Blob] = {}
        self._staged: dict[str, dict[int, bytes]] = {}
        self._versions = count(1)

    @override
    async def put(
        self, name: str, data: bytes, attributes: BlobAttributes | None = None, *, overwrite: bool = True
    ) -> None:
        if not overwrite and name in self._blobs:
            raise AlreadyExists(f"There is a blob {name} already.")
        self._write(name, data, attributes or BlobAttributes())
        self._staged.pop(name, None)

    @override
    async def get(self, name: str, *, offset: int = 0, length: int | None = None) -> bytes:
        blob = self._readable(name)
        return blob.data[offset:] if length is None else blob.data[offset : offset + length]

    @override
    async def stream(self, name: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        data = await self.get(name, offset=offset, length=length)
        for at in range(0, len(data), _PIECE_BYTES):
            yield data[at : at + _PIECE_BYTES]

    @override
    async def info(self, name: str) -> BlobInfo | None:
        blob = self._find(name)
        return blob.info if blob else None

    @override
    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        for name in sorted(self._blobs):
            blob = self._find(name)
            if blob is not None and name.startswith(prefix):
                yield blob.info

    @override
    async def delete(self, name: str) -> None:
        self._blobs.pop(name, None)
        self._staged.pop(name, None)

    @override
    async def stage(self, name: str, number: int, data: bytes | memoryview) -> None:
        self._staged.setdefault(name, {})[number] = bytes(data)

    @override
    async def staged(self, name: str) -> Mapping[int, int]:
        return {number: len(data) for number, data in sorted(self._staged.get(name, {}).items())}

    @override
    async def commit(self, name: str, numbers: Sequence[int], attributes: BlobAttributes) -> None:
        known = dict(self._blobs[name].blocks) if name in self._blobs else {}
        known |= self._staged.get(name, {})
        missing = [number for number in numbers if number not in known]
        if missing:
            raise Conflict(f"Block {missing[0]} of {name} is not staged.")
        blocks = {number: known[number] for number in numbers}
        self._write(name, b"".join(known[number] for number in numbers), attributes)
        self._blobs[name].blocks = blocks
        self._staged.pop(name, None)

    @override
    async def set_tier(self, name: str, tier: Tier, *, priority: Priority = Priority.STANDARD) -> None:
        """See `TierStore.set_tier`. A rehydration lasts 15 hours, or one hour at high priority."""
        blob = self._find(name)
        if blob is None:
            raise NotFound(f"There is no blob {name}.")
        if blob.info.rehydrating_to not in {None, tier}:
            raise Conflict(f"The blob {name} is being rehydrated from the Archive tier.")
        if blob.info.tier is not Tier.ARCHIVE:
            blob.info = replace(blob.info, tier=tier)
        elif tier is not Tier.ARCHIVE and blob.info.priority in {None, Priority.STANDARD}:
            ready = self._clock.now() + _REHYDRATION[priority]
            blob.rehydrated_at = min(ready, blob.rehydrated_at or ready)
            blob.info = replace(blob.info, rehydrating_to=tier, priority=priority)

    @override
    async def find(self, tags: Mapping[str, str]) -> AsyncIterator[str]:
        for name in sorted(self._blobs):
            if name in self._blobs and tags.items() <= self._blobs[name].tags.items():
                yield name

    @override
    async def sign(self, name: str, *, lifetime_seconds: float, filename: str) -> Link:
        """See `LinkStore.sign`. The link cannot be opened."""
        expires_at = self._clock.now() + timedelta(seconds=lifetime_seconds)
        return Link(f"memory://{name}?filename={filename}", expires_at)

    @override
    async def sign_upload(self, name: str, *, lifetime_seconds: float) -> Link:
        """See `LinkStore.sign_upload`. The link cannot be opened."""
        return Link(f"memory://{name}", self._clock.now() + timedelta(seconds=lifetime_seconds))

    async def ping(self) -> None:
        """Does nothing, since memory always answers."""

    def _find(self, name: str) -> _Blob | None:
        """Returns the blob after the end of its rehydration, if that is due."""
        blob = self._blobs.get(name)
        if blob is not None and blob.rehydrated_at is not None and blob.rehydrated_at <= self._clock.now():
            blob.info = replace(blob.info, tier=blob.info.rehydrating_to, rehydrating_to=None, priority=None)
            blob.rehydrated_at = None
        return blob

    def _readable(self, name: str) -> _Blob:
        blob = self._find(name)
        if blob is None:
            raise NotFound(f"There is no blob {name}.")
        if blob.info.tier is Tier.ARCHIVE:
            raise Conflict(f"The blob {name} is in the Archive tier.")
        return blob

    def _write(self, name: str, data: bytes, attributes: BlobAttributes) -> None:
        now = self._clock.now()
        before = self._blobs.get(name)
        info = BlobInfo(
            name=name,
            size_bytes=len(data),
            etag=str(next(self._versions)),
            created_at=before.info.created_at if before else now,
            modified_at=now,
            tier=attributes.tier or Tier.HOT,
            metadata=dict(attributes.metadata),
        )
        self._blobs[name] = _Blob(bytes(data), info, dict(attributes.tags))
