"""One suite over every BlobStore, BlockStore, TierStore and LinkStore."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import AlreadyExists, Conflict, NotFound
from shared.storage.blobs import BlobAttributes, Priority, Tier

AWKWARD = [
    "plain.txt",
    "with space.txt",
    "per%20cent#hash?.txt",
    "it's/日本/ü.txt",
    "datasets/job_1/a+b&c.zip",
]


@pytest.mark.parametrize("name", AWKWARD)
async def test_a_blob_is_read_under_the_name_that_it_was_put_under(blobs, name):
    await blobs.put(name, b"bytes")
    assert await blobs.get(name) == b"bytes"
    assert [info.name async for info in blobs.list("")] == [name]


async def test_an_empty_blob_is_a_blob(blobs):
    await blobs.put("empty", b"")
    assert await blobs.get("empty") == b""
    info = await blobs.info("empty")
    assert info is not None
    assert info.size_bytes == 0


async def test_a_conditional_put_does_not_change_an_existing_blob(blobs):
    await blobs.put("a", b"first", overwrite=False)
    with pytest.raises(AlreadyExists):
        await blobs.put("a", b"second", overwrite=False)
    assert await blobs.get("a") == b"first"
    await blobs.put("a", b"third")
    assert await blobs.get("a") == b"third"


async def test_one_of_several_concurrent_conditional_puts_wins(blobs):
    await blobs.put("other", b"")  # so that the container exists
    results = await asyncio.gather(
        *(blobs.put("a", bytes([n]), overwrite=False) for n in range(8)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, AlreadyExists) for result in results) == 7
    assert await blobs.get("a") == bytes([results.index(None)])


async def test_a_range_ends_at_the_end_of_the_blob(blobs):
    await blobs.put("a", b"0123456789")
    assert await blobs.get("a", offset=3, length=4) == b"3456"
    assert await blobs.get("a", length=4) == b"0123"
    assert await blobs.get("a", offset=8, length=10) == b"89"
    assert await blobs.get("a", offset=7) == b"789"
    assert await blobs.get("a", offset=0, length=0) == b""


async def test_a_stream_has_pieces_of_limited_size(blobs):
    data = bytes(range(256)) * (10 << 12)  # 10 MiB
    await blobs.put("a", data)
    pieces = [piece async for piece in blobs.stream("a", offset=5)]
    assert max(map(len, pieces)) <= 4 << 20
    assert b"".join(pieces) == data[5:]


async def test_a_range_that_takes_several_requests_is_complete(blobs):
    data = bytes(range(256)) * (80 << 10)  # 20 MiB
    await blobs.put("a", data)
    assert await blobs.get("a", offset=3, length=18 << 20) == data[3 : 3 + (18 << 20)]
    assert await blobs.get("a", offset=1 << 20) == data[1 << 20 :]


async def test_a_missing_blob_is_not_found(blobs):
    with pytest.raises(NotFound):
        await blobs.get("nothing")
    assert await blobs.info("nothing") is None
    await blobs.delete("nothing")
    with pytest.raises(NotFound):
        await blobs.set_tier("nothing", Tier.COOL)


async def test_a_deleted_blob_is_gone(blobs):
    await blobs.put("a", b"x")
    await blobs.delete("a")
    assert await blobs.info("a") is None


async def test_a_list_has_the_blobs_with_its_prefix_in_order_of_name(blobs):
    for name in ["b/2", "a/1", "b/1", "c"]:
        await blobs.put(name, b"x")
    assert [info.name async for info in blobs.list("b/")] == ["b/1", "b/2"]
    assert [info.name async for info in blobs.list("nothing/")] == []


async def test_attributes_are_stored(blobs):
    attributes = BlobAttributes("application/zip", {"image_count": "7"}, {"project": "pixcrawler"}, Tier.COOL)
    before = datetime.now(UTC) - timedelta(seconds=5)
    await blobs.put("a", b"x", attributes)
    info = await blobs.info("a")
    assert info is not None
    assert info.metadata == {"image_count": "7"}
    assert info.tier is Tier.COOL
    assert before < info.created_at <= info.modified_at


async def test_blocks_become_a_blob_in_the_order_of_the_commit(blobs):
    for number in (2, 0, 1):
        await blobs.stage("a", number, f"<{number}>".encode())
    assert await blobs.info("a") is None
    assert dict(await blobs.staged("a")) == {0: 3, 1: 3, 2: 3}
    await blobs.commit("a", [0, 1, 2], BlobAttributes("application/zip", tags={"type": "dataset"}))
    assert await blobs.get("a") == b"<0><1><2>"
    assert dict(await blobs.staged("a")) == {}


async def test_a_number_of_a_block_may_have_eight_bytes(blobs):
    numbers = [2**64 - 1, 7, 2**64 - 65_536, 0]
    for number in numbers:
        await blobs.stage("a", number, f"<{number}>".encode())
    assert set(await blobs.staged("a")) == set(numbers)
    await blobs.commit("a", numbers, BlobAttributes())
    assert await blobs.get("a") == b"".join(f"<{number}>".encode() for number in numbers)


async def test_a_commit_may_be_repeated(blobs):
    await blobs.stage("a", 0, b"zero")
    await blobs.stage("a", 1, b"one")
    attributes = BlobAttributes(metadata={"k": "v"})
    await blobs.commit("a", [0, 1], attributes)
    await blobs.commit("a", [0, 1], attributes)
    await blobs.stage("a", 1, b"one")  # as another run would stage it again
    await blobs.commit("a", [0, 1], attributes)
    assert await blobs.get("a") == b"zeroone"


async def test_a_staged_block_can_be_replaced(blobs):
    await blobs.stage("a", 0, b"old")
    await blobs.stage("a", 0, b"newer")
    await blobs.commit("a", [0], BlobAttributes())
    assert await blobs.get("a") == b"newer"


async def test_a_buffer_may_be_used_again_once_its_block_is_staged(blobs):
    buffer = bytearray(3)
    for number, letter in enumerate(b"xyz"):
        buffer[:] = bytes([letter]) * 3
        await blobs.stage("a", number, memoryview(buffer))
    await blobs.commit("a", [0, 1, 2], BlobAttributes())
    assert await blobs.get("a") == b"xxxyyyzzz"


async def test_a_commit_of_missing_blocks_is_a_conflict(blobs):
    with pytest.raises(Conflict):
        await blobs.commit("a", [0], BlobAttributes())
    await blobs.stage("a", 0, b"x")
    with pytest.raises(Conflict):
        await blobs.commit("a", [0, 1], BlobAttributes())
    assert await blobs.info("a") is None


async def test_an_archived_blob_cannot_be_read(blobs):
    await blobs.put("a", b"x")
    await blobs.set_tier("a", Tier.ARCHIVE)
    info = await blobs.info("a")
    assert info is not None
    assert info.tier is Tier.ARCHIVE
    with pytest.raises(Conflict):
        await blobs.get("a")


@pytest.mark.parametrize("priority", Priority)
async def test_a_blob_leaves_the_archive_tier_at_once_or_says_which_tier_it_is_on_its_way_to(blobs, priority):
    await blobs.put("a", b"x")
    await blobs.set_tier("a", Tier.ARCHIVE)
    for _ in range(2):
        await blobs.set_tier("a", Tier.COOL, priority=priority)
    [listed] = [info async for info in blobs.list("a")]
    assert (listed.tier, listed.rehydrating_to, listed.priority) in {
        (Tier.ARCHIVE, Tier.COOL, priority),
        (Tier.COOL, None, None),
    }
    assert listed.tier is (await blobs.info("a")).tier


async def test_blobs_are_found_by_all_of_their_tags(blobs):
    await blobs.put("a", b"x", BlobAttributes(tags={"project": "pixcrawler", "job_id": "1"}))
    await blobs.put("b", b"x", BlobAttributes(tags={"project": "pixcrawler", "job_id": "2"}))
    await blobs.put("c", b"x")
    assert [name async for name in blobs.find({"project": "pixcrawler", "job_id": "2"})] == ["b"]
    assert sorted([name async for name in blobs.find({"project": "pixcrawler"})]) == ["a", "b"]


async def test_a_link_says_when_it_expires(blobs):
    await blobs.put("a", b"x")
    link = await blobs.sign("a", lifetime_seconds=3600, filename="pets.zip")
    left = (link.expires_at - datetime.now(UTC)).total_seconds()
    assert 3590 < left <= 3600
    assert "pets.zip" in link.url


async def test_a_store_answers_a_ping(blobs):
    await blobs.ping()
