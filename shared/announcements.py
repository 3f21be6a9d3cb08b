"""Defines the events that the app announces to the webhooks of its users. `shared.jobs.webhooks` delivers them.

It stands in a low layer, so that jobs, datasets and the lifecycle can all announce.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

type EventType = Literal["job.completed", "job.failed", "job.cancelled", "dataset.rehydrated"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event, and the webhook that is to receive it.

    Attributes:
        user_id: The owner. The call is signed with the owner's secret.
        job_id: The job that the event concerns, or the dataset: both have the same id. The delivery is listed there.
        type: What happened.
        key: Distinguishes the events of one type of one job, for example the revision. Two announcements with the same
            user, job, type and key are one event with one `webhook-id`.
        at: When it happened.
        url: The URL of the webhook, which may hold a secret.
        data: What the receiver gets as `data`: JSON of at most 16,000 bytes, without links that open files.
    """

    user_id: str
    job_id: str
    type: EventType
    key: str
    at: datetime
    url: str = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)


class Announcer(Protocol):
    """Announces events to webhooks."""

    async def announce(self, announcement: Announcement) -> str:
        """Stores a delivery of the event, and then enqueues its first call; returns the `webhook-id`.

        It may be repeated: an event has one delivery. The call of the webhook itself is made later, from a queue. No
        call is made if the receiver has answered 410 to an earlier event of the job.

        Raises:
            Permanent: `data` is too large.
            Unavailable: storage did not answer. The caller should repeat the announcement.
        """
        ...
