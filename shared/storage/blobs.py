"""Defines blob storage for the domain: named byte strings in one container, with blocks, tiers and links."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Tier(StrEnum):
    """Access tiers of a blob, the warmest first. HOT has the cheapest reads, and ARCHIVE the cheapest storage."""

    HOT = "hot"
    COOL = "cool"
    COLD = "cold"
    ARCHIVE = "archive"

    def is_colder_than(self, other: "Tier") -> bool:
        """Returns whether storage in this tier is cheaper than in the other one."""
        tiers = list(Tier)
        return tiers.index(self) > tiers.index(other)


class Priority(StrEnum):
    """How fast blobs leave the Archive tier: STANDARD takes up to 15 hours, HIGH may take less than one."""

    STANDARD = "standard"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """The properties of a blob.

    While a blob is moved out of the Archive tier, `rehydrating_to` is the tier it gets, and `priority` how fast.
    """

    name: str
    size_bytes: int
    etag: str
    created_at: datetime
    modified_at: datetime
    tier: Tier | None = None
    rehydrating_to: Tier | None = None
    priority: Priority | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BlobAttributes:
    """The properties that a writer gives a blob. Storage can search for tags, but not for metadata."""

    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    tier: Tier | None = None


class BlobStore(Protocol):
    """Named byte strings. Every method raises `Unavailable` if storage does not answer."""

    async def put(
        self, name: str, data: bytes, attributes: BlobAttributes | None = None, *, overwrite: bool = True
    ) -> None:
        """Writes a whole blob.

        Raises:
            AlreadyExists: a blob of that name exists, and `overwrite` is False. Nothing is written.
        """
        ...

    async def get(self, name: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """Reads up to `length` bytes from `offset` on. There are fewer if the blob ends before.

        Raises:
            NotFound: there is no such blob.
            Conflict: the blob is in the Archive tier.
        """
        ...

    def stream(self, name: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Reads the same bytes as `get` does, in pieces of a few MiB at most, so that they need not fit into memory."""
        ...

    async def info(self, name: str) -> BlobInfo | None:
        """Returns the properties of the blob, or None if it does not exist."""
        ...

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yields all blobs whose names begin with `prefix`, in order of name."""
        ...

    async def delete(self, name: str) -> None:
        """Deletes the blob if it exists."""
        ...


class BlockStore(BlobStore, Protocol):
    """Blobs that can be written in blocks. Several writers may stage blocks in any order; one commit makes the blob.

    A blob has at most 50,000 blocks, which is the limit of the service. The number of a block is its name only: the
    commit decides the order. A number is less than 2^64.
    """

    async def stage(self, name: str, number: int, data: bytes | memoryview) -> None:
        """Stages one block in place of an earlier one of that number. Readers do not see it before the commit.

        The caller may overwrite the memory that `data` is a view of as soon as the call returns.
        """
        ...

    async def staged(self, name: str) -> Mapping[int, int]:
        """Returns the size in bytes, by number, of each block that is staged but not committed."""
        ...

    async def commit(self, name: str, numbers: Sequence[int], attributes: BlobAttributes) -> None:
        """Makes the blob of these blocks, in this order, in one atomic step.

        This is idempotent: a block may be staged, or already be part of the committed blob.

        Raises:
            Conflict: a block is neither staged nor committed. It must be staged again.
        """
        ...


class TierStore(BlobStore, Protocol):
    """Blobs with access tiers, which can be found by their tags."""

    async def set_tier(self, name: str, tier: Tier, *, priority: Priority = Priority.STANDARD) -> None:
        """Moves the blob to a tier. Moving it out of the Archive tier begins a rehydration, which takes hours.

        `priority` is that of the rehydration. While it runs, only the priority can change, from STANDARD to HIGH, by a
        call with the same tier.

        Raises:
            NotFound: there is no such blob.
            Conflict: the blob is being rehydrated to another tier.
        """
        ...

    def find(self, tags: Mapping[str, str]) -> AsyncIterator[str]:
        """Yields the names of the blobs that have all of these tags. The index of storage may lag by seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that lets its holder read or create one blob, and nothing else, until `expires_at`."""

    url: str
    expires_at: datetime


class LinkStore(BlobStore, Protocol):
    """Blobs that can be read or created by links, without any other credential.

    A link of nearly seven days may end some minutes earlier than asked: its `expires_at` is exact. Both methods raise
    `NotConfigured` if the app may not make links.
    """

    async def sign(self, name: str, *, lifetime_seconds: float, filename: str) -> Link:
        """Returns a read-only link to the blob. A browser saves the blob as `filename`, which is made safe."""
        ...

    async def sign_upload(self, name: str, *, lifetime_seconds: float) -> Link:
        """Returns a link that creates the blob in one request. It neither reads the blob nor changes one that exists.

        Storage takes up to 5,000 MiB in one request. Whoever reads the blob has to check its size.
        """
        ...
