"""Checks the lists of a user soon after a link to store one has ended.

Storage does not limit the size of what a link stores: its holder may even copy a blob of terabytes from elsewhere in
Azure. The nightly run deletes it. But storage is charged for by the hour, so what no list may be is deleted earlier.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from shared.clock import Deadline
from shared.ids import PlainId
from shared.jobs.submission.uploaded_lists import LINK_SECONDS, UploadedLists
from shared.lifecycle.messages import Task, TaskSender
from shared.lifecycle.task_queue import Again, Kind

_DELAY_SECONDS: Final = LINK_SECONDS + 60


@dataclass(frozen=True, slots=True)
class CheckLists(Task):
    """Asks for a check of a user's lists."""

    kind: ClassVar[str] = "check_lists"
    user_id: PlainId


@dataclass(frozen=True, slots=True)
class ListChecks:
    """Checks lists by messages. A message that is lost is made up for by the nightly run."""

    lists: UploadedLists
    sender: TaskSender

    async def follow_link(self, user_id: str) -> None:
        """Has the user's lists checked when a link that was given just now has ended.

        Raises:
            Unavailable: storage did not answer. The check may take place.
        """
        await self.sender.send(CheckLists(user_id), delay_seconds=_DELAY_SECONDS)

    @property
    def kind(self) -> Kind[CheckLists]:
        """The kind of task that it handles."""
        return Kind(CheckLists, self.run)

    async def run(self, task: CheckLists, deadline: Deadline) -> Again | None:
        """Deletes what no list may be. This is the handler of the task.

        Raises:
            Unavailable: storage did not answer; the task should be run again.
        """
        del deadline
        await self.lists.delete_unwanted(task.user_id)
        return None
