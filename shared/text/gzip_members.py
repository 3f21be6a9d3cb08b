"""Decompresses gzip data from outside (RFC 1952) in small pieces and within limits.

Several members in a row are one stream, and zeros after a member are padding, as in the gzip program (RFC 1952, 2.2).
A few kilobytes can decompress to gigabytes. So the size of the output is limited, and so is its ratio to the input.
The app's own working blobs are not read here (see `packed_lines`).
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

# a piece of this size has rows for some milliseconds of work, so other tasks do not wait long
PIECE_BYTES = 16 << 10
# zlib copies the bytes after a member, for each member; so the parts are small
_PART_BYTES = 16 << 10
# zlib's wbits for gzip
_MEMBER = 31


@dataclass(frozen=True, slots=True)
class GzipLimits:
    """Limits the output to `max_bytes`, and beyond `free_bytes` to `max_ratio` times the input.

    Deflate reaches a ratio of 1,030. Lists and records of images reach 5 to 50.
    """

    max_bytes: int = 2_000_000_000
    max_ratio: int = 200
    free_bytes: int = 16_000_000


class BadGzip(Exception):
    """The stream is not read any further. The text is a predicate that says why, such as "is broken"."""


class GzipMembers:
    """Decompresses a stream part by part. Each piece that it returns has at most `PIECE_BYTES`."""

    def __init__(self, limits: GzipLimits) -> None:
        self._limits = limits
        self._engine = zlib.decompressobj(wbits=_MEMBER)
        self._inside = False
        self._taken = self._given = 0

    def feed(self, part: bytes) -> Iterator[bytes]:
        """Yields the pieces that a part decompresses to. Parts should be small.

        Raises:
            BadGzip: the stream is broken or exceeds a limit. All pieces before the error were yielded.
        """
        self._taken += len(part)
        data, out = part, b""
        while data := data if self._inside else data.lstrip(b"\0"):
            try:
                out += self._engine.decompress(data, PIECE_BYTES - len(out))
            except zlib.error:
                if out:
                    yield self._checked(out)
                raise BadGzip("is not gzip, or is broken" if not self._given else "is broken") from None
            self._inside, data = not self._engine.eof, self._engine.unconsumed_tail
            if self._engine.eof:
                data = self._engine.unused_data
                self._engine = zlib.decompressobj(wbits=_MEMBER)
            if len(out) == PIECE_BYTES:
                yield self._checked(out)
                out = b""
        if out:
            yield self._checked(out)

    def end(self) -> None:
        """Checks that the stream may end here.

        Raises:
            BadGzip: the stream ends within a member.
        """
        if self._inside:
            raise BadGzip("ends too early")

    def _checked(self, out: bytes) -> bytes:
        limits = self._limits
        self._given += len(out)
        if self._given > limits.max_bytes:
            raise BadGzip(f"decompresses to more than {limits.max_bytes:,} bytes")
        if self._given > max(limits.free_bytes, limits.max_ratio * self._taken):
            raise BadGzip(f"decompresses to more than {limits.max_ratio} times its size")
        return out


def unzip(data: bytes, limits: GzipLimits) -> Iterator[bytes]:
    """Yields the pieces that a whole gzip file decompresses to.

    Raises:
        BadGzip: the file is broken or exceeds a limit. All pieces before the error were yielded.
    """
    members = GzipMembers(limits)
    for at in range(0, len(data), _PART_BYTES):
        yield from members.feed(data[at : at + _PART_BYTES])
    members.end()


async def unzip_stream(stream: AsyncIterator[bytes], limits: GzipLimits) -> AsyncIterator[bytes]:
    """Yields the pieces that a stream decompresses to. Other tasks run after each piece and each part.

    Raises:
        BadGzip: the stream is broken or exceeds a limit. All pieces before the error were yielded.
    """
    members = GzipMembers(limits)
    async for data in stream:
        for at in range(0, len(data), _PART_BYTES):
            for piece in members.feed(data[at : at + _PART_BYTES]):
                yield piece
                await asyncio.sleep(0)
            await asyncio.sleep(0)
    members.end()
