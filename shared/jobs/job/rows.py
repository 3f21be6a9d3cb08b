"""Converts jobs to table rows and back, and the rows of `~work`, the index of jobs that have working blobs.

The rows of `~deleting` list what is being deleted (`shared.jobs.job.deletions`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from shared.jobs.job.job import Failure, Job, Refresh, WebhookState
from shared.jobs.job.states import State, Step
from shared.storage.entities import Entity, Value
from shared.telemetry.correlation import Origin
from shared.text.plain_text import one_line

WORK = "~work"
DELETING = "~deleting"
_MAX_DETAIL = 4000
_refresh = TypeAdapter(Refresh)


@dataclass(frozen=True, slots=True)
class Work:
    """The index row of a job that has working blobs.

    Attributes:
        job_id: The job.
        user_id: Its owner.
        since: When the job was created.
        finished_at: When it ended; None while it has not ended.
        revision: The job's revision that ended then, or has not ended.
        clearing: Whether the deletion of the working blobs has begun, so the job cannot be retried.
        etag: The version of the stored row.
    """

    job_id: str
    user_id: str
    since: datetime
    finished_at: datetime | None
    revision: int = 1
    clearing: bool = False
    etag: str = ""

    def serves(self, job: Job) -> bool:
        """Returns whether the job can be retried with these blobs. They may be of another user's job of the same id."""
        return not self.clearing and self.user_id == job.user_id

    def is_of(self, job: Job) -> bool:
        """Returns whether this is the row of the job's revision."""
        row = self.user_id, self.since, self.revision
        return row == (job.user_id, job.created_at, job.revision)


def unfinished(job: Job) -> Work:
    """Returns the index row of a job that has not ended."""
    return Work(job.id, job.user_id, job.created_at, None, job.revision)


def job_to_entity(job: Job) -> Entity:
    """Returns the row of a job."""
    values: dict[str, Value] = {
        "name": job.name,
        "webhook": str(job.webhook),
        "state": str(job.state),
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "revision": job.revision,
        "enqueued": job.enqueued,
        "nudges": job.nudges,
        "traceparent": job.origin.traceparent,
        "correlation_id": job.origin.correlation_id,
        "round": job.round,
        "message_id": job.message_id,
        "requested_id": job.requested_id,
        "reservation": job.reservation,
        "tier_limits": job.tier_limits,
        "images": job.images,
        "history": _history_text(job.history),
    }
    if job.refresh is not None:
        values["refresh"] = _refresh.dump_json(job.refresh).decode()
    if job.max_images is not None:
        values["max_images"] = job.max_images
    if job.retried_at is not None:
        values["retried_at"] = job.retried_at
    if job.deleting_since is not None:
        values |= {"deleting_since": job.deleting_since, "keeps_dataset": job.keeps_dataset}
    if job.failure is not None:
        values |= {
            "failure_code": job.failure.code,
            "failure_detail": one_line(job.failure.detail, _MAX_DETAIL),
        }
    return Entity(job.user_id, job.id, values, job.etag)


def job_from_entity(entity: Entity) -> Job:
    """Reverses `job_to_entity`."""
    values = entity.values
    code = values.get("failure_code")
    return Job(
        id=entity.row,
        user_id=entity.partition,
        name=str(values["name"]),
        state=State(str(values["state"])),
        created_at=_moment(values["created_at"]),
        updated_at=_moment(values["updated_at"]),
        webhook=WebhookState(str(values["webhook"])),
        failure=Failure(str(code), str(values.get("failure_detail", ""))) if code else None,
        revision=int(str(values.get("revision", 1))),
        enqueued=bool(values.get("enqueued", False)),
        nudges=int(str(values.get("nudges", 0))),
        origin=Origin(str(values.get("traceparent", "")), str(values.get("correlation_id", ""))),
        retried_at=_moment(values["retried_at"]) if "retried_at" in values else None,
        round=int(str(values.get("round", 0))),
        message_id=str(values.get("message_id", "")),
        requested_id=str(values.get("requested_id", "")),
        reservation=str(values.get("reservation", "")),
        max_images=int(str(values["max_images"])) if "max_images" in values else None,
        tier_limits=bool(values.get("tier_limits", False)),
        images=int(str(values.get("images", 0))),
        deleting_since=_moment(values["deleting_since"]) if "deleting_since" in values else None,
        keeps_dataset=bool(values.get("keeps_dataset", False)),
        refresh=_refresh.validate_json(str(values["refresh"])) if "refresh" in values else None,
        history=_history_of(str(values.get("history", ""))),
        etag=entity.etag,
    )


def _history_text(history: Sequence[Step]) -> str:
    """Returns the history as JSON of less than 4 kB."""
    steps = [(step.revision, str(step.state), step.at.isoformat()) for step in history]
    return json.dumps(steps, separators=(",", ":")) if steps else ""


def _history_of(text: str) -> tuple[Step, ...]:
    steps = json.loads(text) if text else []
    return tuple(Step(revision, State(state), datetime.fromisoformat(at)) for revision, state, at in steps)


def work_to_entity(work: Work) -> Entity:
    """Returns the row of an index entry."""
    values: dict[str, Value] = {
        "user_id": work.user_id,
        "since": work.since,
        "revision": work.revision,
        "clearing": work.clearing,
    }
    if work.finished_at is not None:
        values["finished_at"] = work.finished_at
    return Entity(WORK, work.job_id, values, work.etag)


def work_from_entity(entity: Entity) -> Work:
    """Reverses `work_to_entity`."""
    finished = entity.values.get("finished_at")
    return Work(
        job_id=entity.row,
        user_id=str(entity.values["user_id"]),
        since=_moment(entity.values["since"]),
        finished_at=_moment(finished) if finished is not None else None,
        revision=int(str(entity.values["revision"])),
        clearing=bool(entity.values.get("clearing", False)),
        etag=entity.etag,
    )


def _moment(value: Value) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"expected a datetime, found {type(value).__name__}")
    return value
