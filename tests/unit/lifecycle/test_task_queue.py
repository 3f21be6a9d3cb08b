"""Messages of the queue `lifecycle` are strict, reach the handler of their kind, and go on in further messages."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from shared.clock import Deadline
from shared.errors import Unavailable
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.lifecycle.messages import Task, TaskSender, encode_task
from shared.lifecycle.task_queue import Again, Kind, TaskQueue
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry.correlation import operation
from shared.telemetry.recording import RecordingTelemetry
from tests.unit.manual_clock import ManualClock


@dataclass(frozen=True, slots=True)
class Count(Task):
    kind: ClassVar[str] = "count"
    job_id: str
    number: int = 0
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)


class DelayedQueues(MemoryQueues):
    """Queues that record the delay of each message."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []

    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        self.delays.append(delay_seconds)
        await super().send(queue, body)


class Counting:
    """A queue whose handler counts to three, one number in each message, a minute apart."""

    def __init__(self) -> None:
        self.seen: list[Count] = []
        self.error: Exception | None = None
        self.telemetry, self.queues = RecordingTelemetry(), DelayedQueues()
        self.sender = TaskSender(self.queues)
        self.queue = TaskQueue([Kind(Count, self.handle)], self.sender, self.telemetry)
        self.deadline = Deadline.after(ManualClock(), 240)

    async def handle(self, task: Count, deadline: Deadline) -> Again | None:
        assert deadline is self.deadline
        if self.error is not None:
            raise self.error
        self.seen.append(task)
        return Again(Count(task.job_id, task.number + 1), 60.0) if task.number < 2 else None


@pytest.fixture
def counting() -> Counting:
    return Counting()


async def test_a_task_that_is_not_done_goes_on_in_further_messages(counting: Counting) -> None:
    await counting.sender.send(Count("job1"), delay_seconds=3600)
    while messages := counting.queues.take(LIFECYCLE_QUEUE):
        for text in messages:
            await counting.queue.run(text, counting.deadline)
    assert [task.number for task in counting.seen] == [0, 1, 2]
    assert counting.queues.delays == [3600, 60.0, 60.0]


async def test_a_message_carries_its_kind_and_the_trace_that_sent_it(counting: Counting) -> None:
    with operation("test", correlation_id="ours") as current:
        await counting.sender.send(Count("job1", 7))
    [text] = counting.queues.take(LIFECYCLE_QUEUE)
    assert json.loads(text) == {
        "kind": "count",
        "v": 1,
        "job_id": "job1",
        "number": 7,
        "at": "2026-01-01T00:00:00Z",
        "traceparent": current.origin.traceparent,
        "correlation_id": "ours",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"kind": None},
        {"kind": ["count"]},
        {"v": 2},
        {"v": True},
        {"v": 1.0},
        {"number": "1"},
        {"number": True},
        {"job_id": 7},
        {"at": "soon"},
        {"extra": 1},
    ],
)
async def test_a_message_that_is_not_exactly_right_is_reported_and_dropped(
    counting: Counting, change: dict[str, Any]
) -> None:
    text = json.dumps(json.loads(encode_task(Count("job1"))) | change)
    await counting.queue.run(text, counting.deadline)
    await counting.queue.give_up(text)
    assert counting.seen == []
    failures = counting.telemetry.named("ForgedMessage")
    operations = [failure.properties["operation"] for failure in failures]
    assert operations == ["continue_lifecycle", "continue_lifecycle_poison"]


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "7", '{"kind": "count", "v": 1}'])
async def test_texts_that_are_no_messages_are_dropped(counting: Counting, text: str) -> None:
    await counting.queue.run(text, counting.deadline)
    assert counting.seen == []


async def test_an_error_of_a_handler_reaches_the_host_which_delivers_the_message_again(
    counting: Counting,
) -> None:
    counting.error = Unavailable("Storage does not answer.")
    with pytest.raises(Unavailable):
        await counting.queue.run(encode_task(Count("job1")), counting.deadline)
    assert counting.queues.sent[LIFECYCLE_QUEUE] == []


async def test_a_task_that_failed_for_good_is_reported_with_its_kind(
    counting: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    await counting.queue.give_up(encode_task(Count("job1")))
    [failure] = counting.telemetry.named("Permanent")
    assert failure.properties["operation"] == "continue_lifecycle_poison"
    assert "'count'" in caplog.text
