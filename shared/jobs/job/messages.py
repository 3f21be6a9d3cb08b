"""Queue messages: the one place that writes and reads them.

Messages of the app itself carry ids, a version, and the span and the correlation id of what sent them. Producers may
put a whole spec on `crawl-jobs`, and `{"job_id": …, "images": […]}` on `dataset-archives`, both also with a
`traceparent` and a `correlation_id`. `message_json` reads the forms that their tools send.
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

type _Version = Annotated[int, Strict(), Field(ge=1, le=1)]
type _Carried = Annotated[str, Field(max_length=100)]


class ForgedMessage(InvalidRequest):
    """The message has the fields of the app's own messages, but ids that the app never gives."""


@dataclass(frozen=True, slots=True)
class JobMessage:
    """Go on with this job: discover on `crawl-jobs`, archive on `dataset-archives`, tell its owner on `webhooks`.

    `revision` is the job's when the message was sent: one that turns to poison fails no later revision.
    `part` names one part of a large archive, as plan and number: "0123456789ab/7".
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
    """Crawl this chunk of this job."""

    user_id: PlainId
    job_id: PlainId
    chunk: Annotated[str, Field(pattern=f"^{CHUNK_ID}$", max_length=300)]
    traceparent: _Carried = ""
    correlation_id: _Carried = ""
    v: _Version = 1


type Message = JobMessage | ChunkMessage

_ORIGIN = ("traceparent", "correlation_id")
_JOB_FIELDS = {field.name for field in fields(JobMessage)}


# these are made when they are first used, since making them takes a part of a cold start
@cache
def _job() -> TypeAdapter[JobMessage]:
    return TypeAdapter(JobMessage)


@cache
def _chunk() -> TypeAdapter[ChunkMessage]:
    return TypeAdapter(ChunkMessage)


@cache
def _name() -> TypeAdapter[str]:
    return TypeAdapter(Label)


def encode(message: Message) -> str:
    """The message's text, ASCII."""
    if isinstance(message, JobMessage):
        return json.dumps(_job().dump_python(message))
    return json.dumps(_chunk().dump_python(message))


def message_of(job: Job, *, part: str = "") -> str:
    """The text of the message that makes a job go on, or one part of its archive."""
    origin = origin_within(job.origin)
    ids = job.user_id, job.id
    return encode(JobMessage(*ids, origin.traceparent, origin.correlation_id, job.revision, part=part))


def chunk_message_of(job: Job, chunk: str) -> str:
    """The text of the message that has a chunk of a job crawled."""
    origin = origin_within(job.origin)
    return encode(ChunkMessage(job.user_id, job.id, chunk, origin.traceparent, origin.correlation_id))


def read_job_message(data: object) -> JobMessage | None:
    """The app's own message, or None where the data is something else (a producer's).

    Raises:
        ForgedMessage: it has a `user_id` and only fields of the app's messages, but not their values.
    """
    if not isinstance(data, dict) or "user_id" not in data or not data.keys() <= _JOB_FIELDS:
        return None
    try:
        return _job().validate_python(data)
    except ValidationError:
        raise ForgedMessage("The message has no valid ids of a job.") from None


def read_webhook_message(data: object) -> JobMessage:
    """The app's own message.

    Raises:
        ForgedMessage: it is something else.
    """
    message = read_job_message(data)
    if message is None or message.part:
        raise ForgedMessage("The message has no valid ids of a job that has ended.")
    return message


def read_chunk_message(data: object) -> ChunkMessage:
    """The app's own message.

    Raises:
        ForgedMessage: it is something else.
    """
    try:
        return _chunk().validate_python(data)
    except ValidationError:
        raise ForgedMessage("The message has no valid ids of a job and its chunk.") from None


def names_in(data: object) -> tuple[str | None, str | None]:
    """The `job_id` and the `name` that a producer's message asks for; None where they are absent or not valid."""
    if not isinstance(data, dict):
        return None, None
    job_id = data.get("job_id")
    try:
        name = _name().validate_python(data.get("name"))
    except ValidationError:
        name = None
    return job_id if isinstance(job_id, str) and is_plain_id(job_id) else None, name


def split_spec(data: object) -> tuple[str | None, object]:
    """The `job_id` that a producer's spec asks for, None where it asks for none; and the spec itself.

    Raises:
        InvalidRequest: the id is no text.
    """
    if not isinstance(data, dict):
        return None, data
    job_id = data.get("job_id")
    if "job_id" in data and not isinstance(job_id, str):
        raise InvalidRequest("The spec is not valid.", (FieldError("job_id", "must be a string"),))
    beside = {"job_id", *_ORIGIN}
    return job_id, {key: value for key, value in data.items() if key not in beside}


def without_origin(data: object) -> object:
    """What a producer asks for, without what says where the message comes from."""
    if not isinstance(data, dict):
        return data
    return {key: value for key, value in data.items() if key not in _ORIGIN}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What telemetry should know of any message before it is handled. What is absent or not valid is empty."""

    origin: Origin = NO_ORIGIN
    job_id: str = ""
    message_id: str = ""


def read_envelope(text: str | bytes, message_id: str = "") -> Envelope:
    """The envelope of a message of the app or of a producer. It never raises: others report what is wrong."""
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
