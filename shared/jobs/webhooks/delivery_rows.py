"""Converts deliveries to table rows and back, and the rows of `~due`, the index of planned attempts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from shared.jobs.webhooks.delivery import Attempt, Delivery, DeliveryState
from shared.storage.cells import as_bytes, as_datetime
from shared.storage.entities import Entity, Value
from shared.telemetry.correlation import Origin
from shared.text.plain_text import one_line

DUE: Final = "~due"
_MAX_ERROR = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Due:
    """The index row of a planned attempt.

    Attributes:
        at: When the attempt is due, or after a nudge, when it is to be checked again.
        user_id: The owner of the delivery.
        job_id: Its job.
        delivery_id: The delivery.
        planned: The number of the attempt.
        nudges: How often its message was sent again.
    """

    at: datetime
    user_id: str
    job_id: str
    delivery_id: str
    planned: int
    nudges: int = 0


def partition_of(user_id: str, job_id: str) -> str:
    """Returns the partition of the deliveries of a job. Two users may have jobs of one id."""
    return f"{user_id}~{job_id}"


def due_key(at: datetime, delivery_id: str = "") -> str:
    """Returns the row key of a planned attempt. Keys are in order of time."""
    return f"{(at - _EPOCH) // timedelta(milliseconds=1):014d}-{delivery_id}"


def due_to_entity(due: Due) -> Entity:
    """Returns the row of a planned attempt."""
    values: dict[str, Value] = {
        "at": due.at,
        "user_id": due.user_id,
        "job_id": due.job_id,
        "planned": due.planned,
        "nudges": due.nudges,
    }
    return Entity(DUE, due_key(due.at, due.delivery_id), values)


def due_from_entity(entity: Entity) -> Due:
    """Reverses `due_to_entity`."""
    values = entity.values
    return Due(
        at=as_datetime(values["at"]),
        user_id=str(values["user_id"]),
        job_id=str(values["job_id"]),
        delivery_id=entity.row.partition("-")[2],
        planned=int(str(values["planned"])),
        nudges=int(str(values["nudges"])),
    )


def delivery_to_entity(delivery: Delivery) -> Entity:
    """Returns the row of a delivery."""
    values: dict[str, Value] = {
        "user_id": delivery.user_id,
        "job_id": delivery.job_id,
        "type": delivery.type,
        "url": delivery.url,
        "payload": delivery.payload,
        "created_at": delivery.created_at,
        "state": str(delivery.state),
        "attempts": _encoded(delivery.attempts),
        "attempt_count": delivery.attempt_count,
        "planned": delivery.planned,
        "step": delivery.step,
        "redelivered_on": delivery.redelivered_on.isoformat() if delivery.redelivered_on else "",
        "redeliveries": delivery.redeliveries,
        "error": one_line(delivery.error, _MAX_ERROR),
        "traceparent": delivery.origin.traceparent,
        "correlation_id": delivery.origin.correlation_id,
    }
    if delivery.due_at is not None:
        values["due_at"] = delivery.due_at
    return Entity(partition_of(delivery.user_id, delivery.job_id), delivery.id, values, delivery.etag)


def delivery_from_entity(entity: Entity) -> Delivery:
    """Reverses `delivery_to_entity`."""
    values = entity.values
    return Delivery(
        id=entity.row,
        user_id=str(values["user_id"]),
        job_id=str(values["job_id"]),
        type=str(values["type"]),
        url=str(values["url"]),
        payload=as_bytes(values["payload"]),
        created_at=as_datetime(values["created_at"]),
        state=DeliveryState(str(values["state"])),
        attempts=_decoded(str(values["attempts"])),
        attempt_count=int(str(values["attempt_count"])),
        planned=int(str(values["planned"])),
        due_at=as_datetime(values["due_at"]) if "due_at" in values else None,
        step=int(str(values["step"])),
        redelivered_on=date.fromisoformat(day) if (day := str(values["redelivered_on"])) else None,
        redeliveries=int(str(values["redeliveries"])),
        error=str(values["error"]),
        origin=Origin(str(values["traceparent"]), str(values["correlation_id"])),
        etag=entity.etag,
    )


def _encoded(attempts: Sequence[Attempt]) -> str:
    rows = [(each.at.isoformat(), each.status, one_line(each.error, _MAX_ERROR)) for each in attempts]
    return json.dumps(rows, ensure_ascii=False)


def _decoded(text: str) -> tuple[Attempt, ...]:
    return tuple(Attempt(datetime.fromisoformat(at), status, error) for at, status, error in json.loads(text))
