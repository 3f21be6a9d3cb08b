"""Users who wait for places get them in turn, and no place is lost when a call is cancelled."""

import asyncio

import pytest

from shared.concurrency import FairPlaces


class Calls:
    """Calls that take a place, note who has it, and hold it until `go_on`."""

    def __init__(self, places: int) -> None:
        self.places = FairPlaces(places)
        self.began: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._ends: list[asyncio.Event] = []

    async def call(self, name: str) -> asyncio.Task[None]:
        async def work() -> None:
            async with self.places.place_for(name[0]):
                self.began.append(name)
                end = asyncio.Event()
                self._ends.append(end)
                await end.wait()

        self.tasks.append(asyncio.create_task(work()))
        await settle()
        return self.tasks[-1]

    async def go_on(self) -> None:
        """Ends the oldest call that holds a place. Then a waiting call can get its place."""
        self._ends.pop(0).set()
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_user_with_one_call_does_not_wait_for_all_calls_of_another_user() -> None:
    calls = Calls(1)
    for name in ("a1", "a2", "a3", "b1", "c1", "c2"):
        await calls.call(name)
    for _ in range(6):
        await calls.go_on()
    assert calls.began == ["a1", "a2", "b1", "c1", "a3", "c2"]
    await asyncio.gather(*calls.tasks)


async def test_a_call_that_is_cancelled_while_it_waits_takes_no_turn_from_its_user() -> None:
    calls = Calls(1)
    for name in ("a1", "b1", "b2", "c1"):
        await calls.call(name)
    calls.tasks[1].cancel()
    await settle()
    for _ in range(3):
        await calls.go_on()
    assert calls.began == ["a1", "b2", "c1"]


async def test_a_place_that_came_when_its_call_was_cancelled_goes_to_the_next_call() -> None:
    calls = Calls(1)
    for name in ("a1", "b1", "c1"):
        await calls.call(name)
    # gives the place to b1, which is cancelled before it runs
    calls.tasks[0].cancel()
    await asyncio.sleep(0)
    calls.tasks[1].cancel()
    await settle()
    assert calls.began == ["a1", "c1"]


@pytest.mark.parametrize("places", [1, 3])
async def test_all_places_are_free_again_after_all_calls(places: int) -> None:
    calls = Calls(places)
    for number in range(7):
        await calls.call(f"a{number}")
    assert len(calls.began) == places
    for task in calls.tasks[1::2]:
        task.cancel()
    await settle()
    while any(not task.done() for task in calls.tasks):
        calls.tasks[next(at for at, task in enumerate(calls.tasks) if not task.done())].cancel()
        await settle()
    for number in range(places):
        await calls.call(f"b{number}")
    assert calls.began[-places:] == [f"b{number}" for number in range(places)]
    for task in calls.tasks:
        task.cancel()
