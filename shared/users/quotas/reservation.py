"""Defines the reservation of a job: the images that it may keep, and the row that stores it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.storage.cells import as_datetime
from shared.storage.entities import Entity, Value

_HELD = "held-"


@dataclass(frozen=True, slots=True)
class Wish:
    """The images that a job asks for. Images that an earlier revision kept are not included: they are counted already.

    `token` is a new one, made by `token_at`. It is not used if the job has a reservation. `takes_fewer` says whether
    the job also begins with as many images as the month leaves.
    """

    user_id: str
    job_id: str
    token: str
    images: int
    kept_before: int = 0
    takes_fewer: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """The reservation of a job. `touched_at` is when it was last asked for. `version` changes with each such time."""

    user_id: str
    job_id: str
    token: str
    month: str
    images: int
    kept_before: int
    touched_at: datetime
    version: str = ""


def token_at(moment: datetime, nonce: str) -> str:
    """Returns a new token, by which reservations are listed in the order of their time."""
    return f"{sortable(moment)}-{nonce}"


def sortable(moment: datetime) -> str:
    """Returns a text for the moment, which sorts as the time does."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S.%f}"


def to_entity(held: Reservation) -> Entity:
    """Returns the row of a reservation."""
    values: dict[str, Value] = {
        "token": held.token,
        "month": held.month,
        "images": held.images,
        "kept_before": held.kept_before,
        "touched_at": held.touched_at,
    }
    return Entity(held.user_id, row_of(held.job_id), values, held.version)


def from_entity(row: Entity) -> Reservation:
    """Reverses `to_entity`."""
    values = row.values
    return Reservation(
        user_id=row.partition,
        job_id=row.row.removeprefix(_HELD),
        token=str(values["token"]),
        month=str(values["month"]),
        images=int(str(values["images"])),
        kept_before=int(str(values["kept_before"])),
        touched_at=as_datetime(values["touched_at"]),
        version=row.etag,
    )


def row_of(job_id: str) -> str:
    """Returns the key of the row of a job's reservation."""
    return _HELD + job_id
