"""Blob storage as the domain sees it: one container, named byte strings, blocks, tiers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Tier(StrEnum):
    """Access tiers of a blob, from the quickest and dearest to the slowest and cheapest."""

    HOT = "hot"
    COOL = "cool"
    COLD = "cold"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """What storage knows of a blob. `rehydrating_to` is set while an archived blob is on its way up."""

    name: str
    size_bytes: int
    etag: str
    created_at: datetime
    modified_at: datetime
    tier: Tier | None = None
    rehydrating_to: Tier | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BlobAttributes:
    """What a writer says of a blob beside its bytes. Tags can be searched by storage, metadata cannot."""

    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    tier: Tier | None = None


class BlobStore(Protocol):
    """Named byte strings. Every method raises `Unavailable` where storage does not answer."""

    async def put(
        self, name: str, data: bytes, attributes: BlobAttributes | None = None, *, overwrite: bool = True
    ) -> None:
        """Write the blob whole.

        Raises:
            AlreadyExists: with `overwrite=False`, where the name is taken; nothing is written then.
        """
        ...

    async def get(self, name: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes from `offset`, at most `length` of them.

        Raises:
            NotFound: there is no such blob.
            Conflict: the blob is archived and cannot be read.
        """
        ...

    def stream(self, name: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Like `get`, in pieces of a few MiB at most, so that memory stays flat."""
        ...

    async def info(self, name: str) -> BlobInfo | None:
        """What storage knows of the blob; None where there is none."""
        ...

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """All blobs whose names begin with `prefix`, in order of name."""
        ...

    async def delete(self, name: str) -> None:
        """Delete the blob; nothing happens where there is none."""
        ...


class BlockStore(BlobStore, Protocol):
    """Blobs, and large ones that are written as blocks in any order, by anyone, and then committed at once.

    A block's name is its number; numbers below 50,000 (the service's limit).
    """

    async def stage(self, name: str, number: int, data: bytes | memoryview) -> None:
        """Stage one block, replacing an earlier one of that number; invisible to readers.

        What `data` is a view of may be overwritten as soon as the call is over.
        """
        ...

    async def staged(self, name: str) -> Mapping[int, int]:
        """The sizes in bytes of the blocks that are staged and not committed, by number."""
        ...

    async def commit(self, name: str, numbers: Sequence[int], attributes: BlobAttributes) -> None:
        """Make the blob of these blocks, in this order, at once.

        Idempotent: blocks may be staged, or already be part of the committed blob.

        Raises:
            Conflict: a block is neither staged nor committed; stage it again.
        """
        ...


class TierStore(BlobStore, Protocol):
    """Blobs with access tiers, and a search by tags."""

    async def set_tier(self, name: str, tier: Tier) -> None:
        """Move the blob; up from archive begins a rehydration that takes hours.

        Raises:
            NotFound: there is no such blob.
        """
        ...

    def find(self, tags: Mapping[str, str]) -> AsyncIterator[str]:
        """Names of the blobs that carry all of these tags (storage's index lags by seconds)."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that lets its holder read one blob until `expires_at`."""

    url: str
    expires_at: datetime


class LinkStore(BlobStore, Protocol):
    """Blobs, and links to them that need no other credential."""

    async def sign(self, name: str, *, lifetime_seconds: float, filename: str) -> Link:
        """A read-only link to the blob, which a browser saves as `filename`."""
        ...
