"""Handles the messages of the queue `lifecycle`: each is passed to the handler of its kind."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from shared.clock import Deadline
from shared.errors import InvalidRequest, Permanent
from shared.jobs.flow.dropped_message import report_dropped
from shared.lifecycle.messages import Task, TaskSender, read_task
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Again:
    """The result of a handler that is not done: the task that a further message asks for, after a delay."""

    task: Task
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Kind[Wanted: Task]:
    """A kind of task and its handler.

    The handler is safe to run twice, also at the same time, and to die at any line. Before the deadline it has stored
    what it did, and returns None if the task is done, or else what is to be done in a further message.
    """

    task: type[Wanted]
    handle: Callable[[Wanted, Deadline], Awaitable[Again | None]]

    async def run(self, task: Task, deadline: Deadline) -> Again | None:
        """Handles a task of this kind.

        Raises:
            TypeError: it is of another kind.
        """
        if not isinstance(task, self.task):
            raise TypeError(f"expected {self.task.__name__}, found {type(task).__name__}")
        return await self.handle(task, deadline)


class TaskQueue:
    """Handles tasks of all kinds. A message that is no task of a known kind is reported and dropped."""

    def __init__(self, kinds: Iterable[Kind[Any]], sender: TaskSender, telemetry: Telemetry) -> None:
        self._kinds = {kind.task.kind: kind for kind in kinds}
        self._tasks = {name: kind.task for name, kind in self._kinds.items()}
        self._sender = sender
        self._telemetry = telemetry

    async def run(self, text: str | bytes, deadline: Deadline) -> None:
        """Handles a message, and sends a further one if its task is not done.

        Raises:
            Unavailable: storage did not answer; the message should come again.
        """
        task = self._read(text, "continue_lifecycle")
        if task is None:
            return
        again = await self._kinds[task.kind].run(task, deadline)
        if again is not None:
            await self._sender.send(again.task, delay_seconds=again.delay_seconds)

    async def give_up(self, text: str | bytes) -> None:
        """Reports a message that has failed for good. What its task is about is stored: the nightly run finds it."""
        task = self._read(text, "continue_lifecycle_poison")
        if task is None:
            return
        error = Permanent(f"A task of the kind '{task.kind}' failed again and again.")
        _log.warning("%s The nightly run tries it again.", error.detail)
        signals.failure(self._telemetry, error, operation="continue_lifecycle_poison")

    def _read(self, text: str | bytes, operation: str) -> Task | None:
        try:
            return read_task(text, self._tasks)
        except InvalidRequest as error:
            report_dropped(self._telemetry, error, operation)
            return None
