"""How many candidates make a chunk, and so how many calls of storage a job makes."""

import pytest

from shared.jobs.discovery.cutting import CHUNK_CHARACTERS, ChunkSizes, split_evenly


def _cut_list(rows: int, page: int = 1000, most: int = 1024) -> list[int]:
    """Cuts a list as discovery does: after each page, it saves what is enough. The first page has 256 rows."""
    chunks: list[int] = []
    taken = found = 0
    while taken < rows:
        size = min(page if taken else 256, rows - taken)
        taken += size
        found += size
        sizes = ChunkSizes(found, 80 * found, taken, most)
        wanted = sizes.enough if sizes.enough < most else 2 * most
        if found >= wanted:
            chunks += map(len, split_evenly(range(found), sizes.largest))
            found = 0
    last = ChunkSizes(found, 80 * found, taken, most).last
    return chunks + [len(part) for part in split_evenly(range(found), last)]


@pytest.mark.parametrize(
    ("rows", "chunks"),
    [
        (100, [100]),
        (1000, [256, 744]),
        (3000, [256, 1000, 872, 872]),
        (4096, [256, 1000, 946, 947, 947]),
    ],
)
def test_a_small_list_begins_with_a_small_chunk_and_has_few_others(rows: int, chunks: list[int]) -> None:
    assert _cut_list(rows) == chunks


def test_the_last_chunks_of_a_large_list_are_small() -> None:
    chunks = _cut_list(12_000)
    assert sum(chunks) == 12_000
    assert max(chunks) <= 1024 * 3 // 2
    assert max(chunks[-3:]) < 1024


def test_candidates_with_much_text_make_small_chunks() -> None:
    found = 400
    sizes = ChunkSizes(found, 4 * CHUNK_CHARACTERS, 5000, 1024)
    assert (sizes.largest, sizes.enough, sizes.last) == (100, 100, 100)


def test_without_candidates_a_chunk_has_a_size() -> None:
    sizes = ChunkSizes(0, 0, 0, 1024)
    assert min(sizes.largest, sizes.enough, sizes.last) == 1
