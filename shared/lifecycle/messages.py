"""Writes and reads the messages of the queue `lifecycle`, on which long work goes on in slices of bounded time.

A message is JSON: the `kind` of its task, the fields of that kind, a `traceparent`, a correlation id and a version.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from shared.jobs.job.message_json import decode_json
from shared.jobs.job.messages import LIFECYCLE_QUEUE, ForgedMessage
from shared.storage.queues import QueueSender
from shared.telemetry.correlation import current_origin

_VERSION = 1
_ENVELOPE = frozenset({"kind", "v", "traceparent", "correlation_id"})


@dataclass(frozen=True, slots=True)
class Task:
    """The base of what messages ask for.

    Each kind is a frozen dataclass with a `kind` of its own, and with a few small fields: ids, cursors and times. The
    names of the envelope (`kind`, `v`, `traceparent`, `correlation_id`) are taken. Telemetry
    takes from the field `job_id` which job the message is about.
    """

    kind: ClassVar[str]


_adapters: dict[type[Task], TypeAdapter[Task]] = {}


def _adapter(kind: type[Task]) -> TypeAdapter[Task]:
    """Returns the adapter of a kind. It is made on first use, because making it takes time during a cold start."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def encode_task(task: Task) -> str:
    """Returns the message that asks for the task, as ASCII text. It belongs to the current operation's trace."""
    origin = current_origin()
    values: dict[str, Any] = _adapter(type(task)).dump_python(task, mode="json")
    envelope = {"kind": task.kind, "v": _VERSION}
    trace = {"traceparent": origin.traceparent, "correlation_id": origin.correlation_id}
    return json.dumps({**envelope, **values, **trace})


def read_task(text: str | bytes, kinds: Mapping[str, type[Task]]) -> Task:
    """Returns the task that a message asks for. Types are strict: a number is not taken for a text, nor the reverse.

    Raises:
        InvalidRequest: the message is not JSON.
        ForgedMessage: it is not a message of the app, or its kind or version is not known.
    """
    data = decode_json(text)
    if not isinstance(data, dict) or (type(data.get("v")), data.get("v")) != (int, _VERSION):
        raise ForgedMessage("The message is not one of the app's own.")
    named = data.get("kind")
    kind = kinds.get(named) if isinstance(named, str) else None
    if kind is None:
        raise ForgedMessage("The message has no known kind.")
    values = {name: value for name, value in data.items() if name not in _ENVELOPE}
    if not values.keys() <= {field.name for field in fields(kind)}:
        raise ForgedMessage(f"The message has fields that the kind '{kind.kind}' does not have.")
    try:
        return _adapter(kind).validate_json(json.dumps(values), strict=True)
    except ValidationError:
        raise ForgedMessage(f"The message has no valid fields of the kind '{kind.kind}'.") from None


@dataclass(frozen=True, slots=True)
class TaskSender:
    """Sends tasks. Whoever sends one stores first what the task is about, because a message may get lost."""

    queues: QueueSender

    async def send(self, task: Task, *, delay_seconds: float = 0.0) -> None:
        """Sends a task, which is handled at least once, after a delay of up to seven days.

        Raises:
            Unavailable: storage did not answer. The message may be sent.
        """
        await self.queues.send(LIFECYCLE_QUEUE, encode_task(task), delay_seconds=delay_seconds)
