"""Writes and reads queue messages. No other module knows their format.

The app's own messages carry ids, a version, a `traceparent` and a correlation id. Producers may put a whole spec on
`crawl-jobs`, and `{"job_id": …, "images": […]}` on `dataset-archives`. Both may also have a `traceparent` and a
`correlation_id`. `message_json` decodes the forms that producers' tools send.
"""

import json
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated

from pydantic import Field, Strict, TypeAdapter, ValidationError

from shared.errors import FieldError, InvalidRequest
from shared.ids import PlainId, is_plain_id
from shared.jobs.job.chunk_ids import CHUNK_ID
from shared.jobs.job.job import Job
from shared.jobs.job.message_json import decode_json
from shared.telemetry.correlation import NO_ORIGIN, Origin, origin_within
from shared.text.labels import Label

JOBS_QUEUE = "crawl-jobs"
CHUNKS_QUEUE = "crawl-chunks"
ARCHIVES_QUEUE = "dataset-archives"
WEBHOOKS_QUEUE = "webhooks"
# its messages are those of `shared.lifecycle.messages`
LIFECYCLE_QUEUE = "lifecycle"

type _Version = Annotated[int, Strict(), Field(ge=1, le=1)]
type _Carried = Annotated[str, Field(max_length=100)]


class ForgedMessage(InvalidRequest):
    """The message has the fields of the app's own messages, but ids that the app never makes."""


@dataclass(frozen=True, slots=True)
class JobMessage:
    """Asks for the next step of a job. The queue decides which one: discovery, the archive step, or the webhook call.

    `revision` is that of the job when the message was sent, so a poison message does not fail a later revision. `part`
    names one part of a large archive, by plan and number: "0123456789ab/7".
    """

    user_id: PlainId
    job_id: PlainId
    traceparent: _Carried = ""
    correlation_id: _Carried = ""
    revision: Annotated[int, Strict(), Field(ge=1, lt=1 << 31)] = 1
    v: _Version = 1
    part: Annotated[str, Field(pattern=r"^([0-9a-f]{12}/[0-9]{1,4})?$")] = ""


@dataclass(frozen=True, slots=True)
class ChunkMessage:
    """Asks for a chunk of a job to be crawled."""

    user_id: PlainId
    job_id: PlainId
    chunk: Annotated[str, Field(pattern=f"^{CHUNK_ID}$", max_length=300)]
    traceparent: _Carried = ""
    correlation_id: _Carried = ""
    v: _Version = 1


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """Asks for one attempt of a delivery to a webhook. `attempt` is the number of the planned attempt."""

    user_id: PlainId
    job_id: PlainId
    delivery: PlainId
    attempt: Annotated[int, Strict(), Field(ge=1, lt=1 << 31)]
    traceparent: _Carried = ""
    correlation_id: _Carried = ""
    v: _Version = 1


type Message = JobMessage | ChunkMessage | DeliveryMessage

_ORIGIN = ("traceparent", "correlation_id")
_JOB_FIELDS = {field.name for field in fields(JobMessage)}


# these are made on first use, because making them takes time during a cold start
@cache
def _job() -> TypeAdapter[JobMessage]:
    return TypeAdapter(JobMessage)


@cache
def _chunk() -> TypeAdapter[ChunkMessage]:
    return TypeAdapter(ChunkMessage)


@cache
def _delivery() -> TypeAdapter[DeliveryMessage]:
    return TypeAdapter(DeliveryMessage)


@cache
def _name() -> TypeAdapter[str]:
    return TypeAdapter(Label)


def encode(message: Message) -> str:
    """Returns the message as ASCII text."""
    if isinstance(message, JobMessage):
        return json.dumps(_job().dump_python(message))
    if isinstance(message, DeliveryMessage):
        return json.dumps(_delivery().dump_python(message))
    return json.dumps(_chunk().dump_python(message))


def message_of(job: Job, *, part: str = "") -> str:
    """Returns the text of the message for the job's next step, or for one part of its archive."""
    origin = origin_within(job.origin)
    ids = job.user_id, job.id
    return encode(JobMessage(*ids, origin.traceparent, origin.correlation_id, job.revision, part=part))


def chunk_message_of(job: Job, chunk: str) -> str:
    """Returns the text of the message for crawling a chunk."""
    origin = origin_within(job.origin)
    return encode(ChunkMessage(job.user_id, job.id, chunk, origin.traceparent, origin.correlation_id))


def read_job_message(data: object) -> JobMessage | None:
    """Returns the app's own message, or None if the data is something else, such as a producer's message.

    Raises:
        ForgedMessage: it has a `user_id` and no other fields than the app's messages, but their values are not valid.
    """
    if not isinstance(data, dict) or "user_id" not in data or not data.keys() <= _JOB_FIELDS:
        return None
    try:
        return _job().validate_python(data)
    except ValidationError:
        raise ForgedMessage("The message has no valid ids of a job.") from None


def read_webhook_message(data: object) -> JobMessage | DeliveryMessage:
    """Returns the message of a job that has ended, or of a delivery.

    Raises:
        ForgedMessage: it is not a valid message of the app.
    """
    if isinstance(data, dict) and "delivery" in data:
        try:
            return _delivery().validate_python(data)
        except ValidationError:
            raise ForgedMessage("The message has no valid ids of a delivery.") from None
    message = read_job_message(data)
    if message is None or message.part:
        raise ForgedMessage("The message has no valid ids of a job that has ended.")
    return message


def read_chunk_message(data: object) -> ChunkMessage:
    """Returns the message of a chunk.

    Raises:
        ForgedMessage: it is not a valid message of the app.
    """
    try:
        return _chunk().validate_python(data)
    except ValidationError:
        raise ForgedMessage("The message has no valid ids of a job and its chunk.") from None


def names_in(data: object) -> tuple[str | None, str | None]:
    """Returns the `job_id` and the `name` that a producer's message asks for.

    Each is None if it is missing or not valid.
    """
    if not isinstance(data, dict):
        return None, None
    job_id = data.get("job_id")
    try:
        name = _name().validate_python(data.get("name"))
    except ValidationError:
        name = None
    return job_id if isinstance(job_id, str) and is_plain_id(job_id) else None, name


def split_spec(data: object) -> tuple[str | None, object]:
    """Returns the `job_id` that a producer's spec asks for, or None, and the spec without it.

    Raises:
        InvalidRequest: the id is not a string.
    """
    if not isinstance(data, dict):
        return None, data
    job_id = data.get("job_id")
    if "job_id" in data and not isinstance(job_id, str):
        raise InvalidRequest("The spec is not valid.", (FieldError("job_id", "must be a string"),))
    beside = {"job_id", *_ORIGIN}
    return job_id, {key: value for key, value in data.items() if key not in beside}


def without_origin(data: object) -> object:
    """Returns a producer's message without its `traceparent` and `correlation_id`."""
    if not isinstance(data, dict):
        return data
    return {key: value for key, value in data.items() if key not in _ORIGIN}


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of any message that telemetry needs before it is handled. Missing and wrong values are empty."""

    origin: Origin = NO_ORIGIN
    job_id: str = ""
    message_id: str = ""


def read_envelope(text: str | bytes, message_id: str = "") -> Envelope:
    """Returns the envelope of a message of the app or of a producer. It never raises: the handler reports errors."""
    try:
        data = decode_json(text)
    except InvalidRequest:
        return Envelope(message_id=message_id)
    if not isinstance(data, dict):
        return Envelope(message_id=message_id)
    traceparent, correlation_id = (
        found if isinstance(found := data.get(name), str) else "" for name in _ORIGIN
    )
    return Envelope(Origin(traceparent, correlation_id), names_in(data)[0] or "", message_id)
