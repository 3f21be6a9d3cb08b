"""What is written piece by piece is what was given."""

from hypothesis import given
from hypothesis import strategies as st

from shared.storage.memory_blobs import MemoryBlobs
from shared.storage.writer import BlobWriter


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 40))
async def test_pieces_of_any_size_stand_where_their_offsets_say(pieces, block_bytes):
    blobs = MemoryBlobs()
    writer = BlobWriter(blobs, blobs, "out", block_bytes)
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
