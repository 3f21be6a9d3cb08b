"""Writers of the same row lose no change, and give up after a hundred attempts."""

import asyncio

import pytest

from shared.errors import AlreadyExists, Changed, NotFound, Unavailable
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, Insert, Replace
from shared.storage.memory.entities import MemoryEntities


class Waits:
    """Counts the pauses without waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


async def test_writers_at_the_same_time_lose_no_change() -> None:
    entities, waits = MemoryEntities(), Waits()

    async def read() -> Entity | None:
        found = await entities.get("t", "p", "r")
        await asyncio.sleep(0)
        return found

    async def add(stored: Entity | None) -> int:
        count = int(str(stored.values["count"])) + 1 if stored else 1
        row = Entity("p", "r", {"count": count}, stored.etag if stored else "")
        await entities.apply("t", "p", [Replace(row) if stored else Insert(row)])
        return count

    calls = [compare_and_swap(read, add, busy="busy", sleep=waits) for _ in range(20)]
    assert sorted(await asyncio.gather(*calls)) == list(range(1, 21))
    assert waits.seconds
    assert all(0 < seconds <= 0.1 for seconds in waits.seconds)


async def test_a_row_that_the_caller_has_read_is_not_read_again() -> None:
    reads: list[int] = []

    async def read() -> int:
        reads.append(1)
        return 2

    async def change(stored: int) -> int:
        if stored == 1:
            raise Changed("It is 2 by now.")
        return stored

    assert await compare_and_swap(read, change, busy="busy", known=5) == 5
    assert reads == []
    assert await compare_and_swap(read, change, busy="busy", known=1, sleep=Waits()) == 2
    assert reads == [1]


@pytest.mark.parametrize("lost", [Changed, AlreadyExists])
async def test_a_row_that_stays_too_busy_is_unavailable_with_the_text_of_the_caller(
    lost: type[Changed | AlreadyExists],
) -> None:
    waits = Waits()

    async def read() -> int:
        return 1

    async def change(_: int) -> None:
        raise lost("Somebody else was first.")

    with pytest.raises(Unavailable, match=r"^The thing is too busy\.$"):
        await compare_and_swap(read, change, busy="The thing is too busy.", sleep=waits)
    assert len(waits.seconds) == 100


async def test_other_errors_and_errors_of_reading_reach_the_caller() -> None:
    async def read() -> int:
        raise Changed("Another run has it.")

    async def change(stored: int) -> None:
        raise Changed("lost") if stored == 1 else NotFound("It is gone.")

    with pytest.raises(NotFound):
        await compare_and_swap(read, change, busy="busy", known=2, sleep=Waits())
    with pytest.raises(Changed, match=r"^Another run has it\.$"):
        await compare_and_swap(read, change, busy="busy", known=1, sleep=Waits())
