"""The pieces in which the records of a job are stored: a blob for each chunk, and a member of the final file for each.

The final file is a row of gzip members (RFC 1952, 2.2), which can be read from the beginning of any of them.
"""

import asyncio
import base64
import binascii
import re
import zlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from pydantic_core import from_json

from shared.damage import reading
from shared.errors import Damaged, InvalidRequest, NotFound
from shared.jobs.job.chunk_ids import CHUNK_ID
from shared.records.blob_names import revision_prefix
from shared.records.delivered import RECORDS
from shared.storage.blobs import BlobStore

type Line = Mapping[str, object]

_RANGE_BYTES = 1 << 20
_MOST_MEMBER_BYTES = 64 << 20
# zlib's wbits for a gzip member
_MEMBER = 31
_PLACE = re.compile(
    rf"(?:c:(?P<chunk>{CHUNK_ID})?|r(?P<revision>[1-9][0-9]{{0,8}}):(?P<offset>[0-9]{{1,15}})):(?P<lines>[0-9]{{1,9}})"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the first `lines` lines of a piece.

    The piece is that of a chunk if `revision` is 0, else the member at `offset` of that revision's final file. Without
    a chunk it is the first one.
    """

    lines: int = 0
    chunk: str = ""
    revision: int = 0
    offset: int = 0

    def encode(self) -> str:
        """Returns the place as a cursor."""
        piece = f"r{self.revision}:{self.offset}" if self.revision else f"c:{self.chunk}"
        return base64.urlsafe_b64encode(f"{piece}:{self.lines}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, cursor: str) -> Self | None:
        """Reverses `encode`; returns None if the text is no cursor."""
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        found = _PLACE.fullmatch(text)
        if found is None:
            return None
        revision, offset = int(found["revision"] or 0), int(found["offset"] or 0)
        return cls(int(found["lines"]), found["chunk"] or "", revision, offset)


@dataclass(frozen=True, slots=True)
class Piece:
    """All lines of a piece, and the place of its beginning. A member takes `size_bytes` of the final file.

    `text_bytes` is the size of its text.
    """

    begin: Place
    lines: Sequence[Line]
    size_bytes: int = 0
    text_bytes: int = 0

    def after(self, lines: int) -> Place:
        """Returns the place after the first `lines` lines of the piece."""
        return replace(self.begin, lines=lines)


async def final_pieces(blobs: BlobStore, job_id: str, begin: Place) -> AsyncGenerator[Piece]:
    """Yields the members of the final file, from the one at the place on.

    Raises:
        NotFound: the file is gone.
        Conflict: it is in the Archive tier.
        InvalidRequest: no member begins at the place.
        Damaged: the file cannot be read.
    """
    name = f"{revision_prefix(job_id, begin.revision)}{RECORDS}"
    info = await blobs.info(name)
    if info is None:
        raise NotFound(f"The records of job {job_id} are deleted.")
    offset, rest = begin.offset, b""
    while offset < info.size_bytes:
        try:
            with reading(f"the records of job {job_id}"):
                text, size, rest = await _member(blobs, name, offset, rest)
                lines = await asyncio.to_thread(_decode, text)
        except Damaged:
            if offset == begin.offset > 0:
                # the caller has changed the cursor
                raise InvalidRequest("The cursor is not valid.") from None
            raise
        yield Piece(Place(revision=begin.revision, offset=offset), lines, size, len(text))
        offset += size


async def _member(blobs: BlobStore, name: str, offset: int, rest: bytes) -> tuple[bytes, int, bytes]:
    """Reads the member at an offset, of which `rest` is read already; returns its text, its size, and what follows.

    Raises:
        ValueError: it is cut short or too large.
        zlib.error: it is no member.
    """
    engine, text = zlib.decompressobj(wbits=_MEMBER), bytearray()
    size, data = 0, rest
    while not engine.eof:
        data = data or await blobs.get(name, offset=offset + size, length=_RANGE_BYTES)
        if not data:
            raise ValueError("the file ends within a member")
        text += engine.decompress(data, _MOST_MEMBER_BYTES + 1 - len(text))
        if len(text) > _MOST_MEMBER_BYTES:
            raise ValueError("a member is too large")
        size += len(data) - len(engine.unused_data)
        data = b""
    return bytes(text), size, engine.unused_data


def _decode(text: bytes) -> Sequence[Line]:
    return [from_json(line) for line in text.splitlines()]
