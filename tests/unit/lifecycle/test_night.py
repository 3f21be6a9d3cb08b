from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.clock import Deadline
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.lifecycle.aging.run import AgeDatasets
from shared.lifecycle.messages import TaskSender, read_task
from shared.lifecycle.night import Night, NightParts, NightTask, Part
from shared.lifecycle.task_queue import Again
from shared.lifecycle.working_blobs import ClearWork
from shared.storage.memory.queues import MemoryQueues
from tests.unit.manual_clock import ManualClock

KINDS = {task.kind: task for task in (AgeDatasets, ClearWork, NightTask)}


class Slow:
    """Stands for the services of a night. A call takes a second; the third one is shorter, and is done in time."""

    def __init__(self, clock):
        self._clock = clock
        self.calls = 0

    async def run(self, _):
        self.calls += 1
        self._clock.advance(1.0 if self.calls < 3 else 0.1)

    async def resume(self, deadline):
        await self.run(deadline)

    async def delete_unused(self, deadline):
        await self.run(deadline)

    async def erase(self, deadline):
        await self.run(deadline)
        return self.calls >= 3

    async def erase_useless(self, deadline):
        return await self.erase(deadline)


def night_at(moment):
    clock, queues = ManualClock(moment), MemoryQueues()
    parts: list[Any] = [Slow(clock) for _ in Part]
    return Night(TaskSender(queues), NightParts(*parts), clock), queues, clock


async def test_a_night_is_begun_by_messages_only_and_the_run_over_datasets_is_that_of_the_day():
    night, queues, _ = night_at(datetime(2026, 11, 29, 2, tzinfo=UTC))
    await night.begin()
    tasks = [read_task(text, KINDS) for text in queues.take(LIFECYCLE_QUEUE)]
    assert tasks == [*map(NightTask, Part), ClearWork(), AgeDatasets(date(2026, 11, 29))]
    assert night.parts.erasure.calls == 0


@pytest.mark.parametrize("part", [Part.USERS, Part.COUNTS, Part.AUDIT, Part.HOSTS])
async def test_a_part_that_is_not_done_in_time_goes_on_with_a_further_message(part):
    night, _, clock = night_at(datetime(2026, 11, 29, tzinfo=UTC))
    task, slices = NightTask(part), 1
    while (again := await night.handle(task, Deadline.after(clock, 0.5))) is not None:
        assert again == Again(NightTask(part, slices))
        task, slices = again.task, slices + 1
    assert slices == 3


@pytest.mark.parametrize("part", [Part.DELETIONS, Part.LISTS])
async def test_a_part_that_would_begin_again_has_one_message_a_night(part):
    night, _, clock = night_at(datetime(2026, 11, 29, tzinfo=UTC))
    assert await night.handle(NightTask(part), Deadline.after(clock, 0.5)) is None


async def test_a_part_that_never_ends_stops_until_the_next_night():
    night, _, clock = night_at(datetime(2026, 11, 29, tzinfo=UTC))
    assert await night.handle(NightTask(Part.USERS, 300), Deadline.after(clock, 0.5)) is None
