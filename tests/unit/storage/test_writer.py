"""A blob that is written piece by piece has all pieces."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.writer import BlobWriter


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 40))
async def test_pieces_of_any_size_are_at_their_offsets(pieces, block_bytes):
    blobs = MemoryBlobs()
    writer = BlobWriter(blobs, "out", block_bytes)
    offsets = [await writer.append(piece) for piece in pieces]
    await writer.close()
    whole = b"".join(pieces)
    assert writer.size == len(whole)
    if not whole:
        assert await blobs.info("out") is None
        return
    assert await blobs.get("out", length=len(whole)) == whole
    for offset, piece in zip(offsets, pieces, strict=True):
        assert whole[offset : offset + len(piece)] == piece


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=20), st.integers(1, 40))
async def test_pieces_that_are_appended_at_the_same_time_are_at_their_offsets(pieces, block_bytes):
    blobs = SlowBlobs()
    writer = BlobWriter(blobs, "out", block_bytes)
    offsets = await asyncio.gather(*(writer.append(piece) for piece in pieces))
    await writer.close()
    whole = await blobs.get("out", length=writer.size) if writer.size else b""
    assert len(whole) == sum(map(len, pieces))
    assert [whole[at : at + len(piece)] for at, piece in zip(offsets, pieces, strict=True)] == pieces
    assert blobs.most <= 2
    assert blobs.sizes == _cut(len(whole), block_bytes)


def _cut(size, block_bytes):
    """Returns the sizes of the blocks. There are none if one request makes the blob."""
    if size < block_bytes:
        return {}
    starts = range(0, size, block_bytes)
    return {number: min(block_bytes, size - start) for number, start in enumerate(starts)}


class SlowBlobs(MemoryBlobs):
    """Records the largest number of blocks that were sent at the same time, and their sizes."""

    def __init__(self):
        super().__init__()
        self.sending = self.most = 0
        self.sizes = {}

    async def stage(self, name, number, data):
        self.sizes[number] = len(data)
        self.sending += 1
        self.most = max(self.most, self.sending)
        await asyncio.sleep(0)
        await super().stage(name, number, data)
        self.sending -= 1
