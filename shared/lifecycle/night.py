"""Begins the work of a night: the timer only sends tasks, and the queue does the work in slices."""

from dataclasses import dataclass, replace
from datetime import UTC
from enum import StrEnum
from typing import ClassVar, Final

from shared.clock import Clock, Deadline
from shared.crawling.fetching.host_rows import HostRows
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.lifecycle.aging.run import AgeDatasets
from shared.lifecycle.deletion import Deletion
from shared.lifecycle.erasure import Erasure
from shared.lifecycle.messages import Task, TaskSender
from shared.lifecycle.task_queue import Again, Kind
from shared.lifecycle.working_blobs import ClearWork
from shared.users.audit import OldActions
from shared.users.limits.past_days import PastDays

# a day has 360 slices of four minutes
_MOST_SLICES: Final = 300


class Part(StrEnum):
    """The parts of the work of a night that have no task of their own kind."""

    USERS = "users"
    """Deletes users who are marked for deletion."""
    DELETIONS = "deletions"
    """Sends those tasks again that delete jobs and datasets, in case they were lost."""
    LISTS = "lists"
    """Deletes lists that no spec has named for long."""
    COUNTS = "counts"
    """Erases the counts of calls of past days."""
    AUDIT = "audit"
    """Erases old rows of the audit trail."""
    HOSTS = "hosts"
    """Deletes rows of hosts that processes left when they died."""


@dataclass(frozen=True, slots=True)
class NightTask(Task):
    """The task to do a part of the work of a night. `slices` is how many messages have worked on it before."""

    kind: ClassVar[str] = "night"
    part: Part
    slices: int = 0


@dataclass(frozen=True, slots=True)
class NightParts:
    """The services that do the parts."""

    erasure: Erasure
    deletion: Deletion
    lists: UploadedLists
    past_days: PastDays
    old_actions: OldActions
    hosts: HostRows


@dataclass(frozen=True, slots=True)
class Night:
    """Begins the work of a night. It may begin twice: every task may be done twice, also at the same time."""

    sender: TaskSender
    parts: NightParts
    clock: Clock

    async def begin(self) -> None:
        """Sends the tasks of the night.

        Raises:
            Unavailable: storage did not answer. Some tasks may be sent.
        """
        day = self.clock.now().astimezone(UTC).date()
        for task in (*map(NightTask, Part), ClearWork(), AgeDatasets(day)):
            await self.sender.send(task)

    @property
    def kind(self) -> Kind[NightTask]:
        """The kind of task that it handles."""
        return Kind(NightTask, self.handle)

    async def handle(self, task: NightTask, deadline: Deadline) -> Again | None:
        """Does a part of the work until the deadline passes; returns the further task if it is not done.

        What is not done in one night is done in the next one.

        Raises:
            Unavailable: storage did not answer.
        """
        if await self._do(task.part, deadline) or task.slices >= _MOST_SLICES:
            return None
        return Again(replace(task, slices=task.slices + 1))

    async def _do(self, part: Part, deadline: Deadline) -> bool:
        """Returns whether the part is done. A part that would begin again from its beginning has one slice a night."""
        match part:
            case Part.USERS:
                await self.parts.erasure.run(deadline)
                return not deadline.passed
            case Part.DELETIONS:
                await self.parts.deletion.resume(deadline)
            case Part.LISTS:
                await self.parts.lists.delete_unused(deadline)
            case Part.COUNTS:
                return await self.parts.past_days.erase(deadline)
            case Part.AUDIT:
                return await self.parts.old_actions.erase(deadline)
            case Part.HOSTS:
                return await self.parts.hosts.erase_useless(deadline)
        return True
