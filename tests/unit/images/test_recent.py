"""What was read last is kept, and no more than that."""

import pytest

from shared.errors import Unavailable
from shared.images.recent import MOST, MOST_TEXT_BYTES, Recent


async def test_the_values_that_were_read_last_are_kept():
    recent, reads = Recent[int, int](abs), []

    async def get(key):
        async def read():
            reads.append(key)
            return -key

        assert await recent.get(key, read) == -key

    for key in (*range(MOST), 0, MOST, 0, 1):
        await get(key)
    assert reads == [*range(MOST), MOST, 1]


async def test_an_error_is_not_kept():
    recent = Recent[int, int](abs)

    async def fail():
        raise Unavailable("Storage does not answer.")

    async def read():
        return 7

    with pytest.raises(Unavailable):
        await recent.get(1, fail)
    assert await recent.get(1, read) == 7


async def test_a_large_value_is_not_kept():
    recent = Recent[int, int](abs)

    async def read():
        return MOST_TEXT_BYTES + 1

    async def read_again():
        return 7

    assert await recent.get(1, read) == MOST_TEXT_BYTES + 1
    assert await recent.get(1, read_again) == 7
