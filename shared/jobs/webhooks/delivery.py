"""Defines a delivery: one event for one webhook, and the attempts to send it."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from shared.announcements import Announcement
from shared.errors import Conflict
from shared.jobs.webhooks.back_off import ATTEMPTS, wait_seconds
from shared.telemetry.correlation import NO_ORIGIN, Origin

MAX_ATTEMPTS_SHOWN = 20
MAX_REDELIVERIES_A_DAY = 10
DISABLED = "The receiver has answered 410, so the job's webhook is disabled."
_ID_CHARACTERS = 32


class DeliveryState(StrEnum):
    """The state of a delivery. It is PENDING while another attempt is planned."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Verdict(StrEnum):
    """What an attempt means for its delivery. GONE says that the receiver wants no more events of the job."""

    DELIVERED = "delivered"
    AGAIN = "again"
    FINAL = "final"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a webhook.

    Attributes:
        at: When the call was made.
        status: The status of the answer; None if there was none.
        error: What was wrong; empty if nothing was.
    """

    at: datetime
    status: int | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt, and what follows. `retry_after_seconds` is the time that the receiver asks to wait, if it does."""

    attempt: Attempt
    verdict: Verdict
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook.

    Attributes:
        id: The `webhook-id`, which all attempts have.
        user_id: The owner, whose secret signs the attempts.
        job_id: The job that the event concerns, or the dataset, which has the same id.
        type: The type of the event, such as "job.completed".
        url: The URL of the webhook, which may hold a secret; empty if it could not be read.
        payload: The body of every attempt.
        created_at: When the delivery was made.
        state: Whether the event has arrived.
        attempts: The last twenty attempts, the oldest first.
        attempt_count: How many attempts were made in all.
        planned: The number of the planned attempt, which its message names. Each plan has a number of its own, so a
            message of an earlier plan has no effect.
        due_at: When the planned attempt is to be made; None if none is planned.
        step: How many attempts of the schedule are made, since the delivery was made or last redelivered.
        redelivered_on: The day (UTC) of the last redelivery; None if there was none.
        redeliveries: How many there were on that day.
        error: Why it failed, or why the last attempt did; empty if it did not.
        origin: The operation that announced the event.
        etag: The version that was read; empty before the first write.
    """

    id: str
    user_id: str
    job_id: str
    type: str
    url: str = field(repr=False)
    payload: bytes = field(repr=False)
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    attempts: tuple[Attempt, ...] = ()
    attempt_count: int = 0
    planned: int = 1
    due_at: datetime | None = None
    step: int = 0
    redelivered_on: date | None = None
    redeliveries: int = 0
    error: str = ""
    origin: Origin = NO_ORIGIN
    etag: str = ""

    def is_planned(self, number: int) -> bool:
        """Returns whether this attempt is the planned one."""
        return self.state is DeliveryState.PENDING and self.planned == number

    def after(self, outcome: Outcome, chance: float) -> Self:
        """Returns the delivery after an attempt. `chance`, from 0 to 1, spreads the next attempt."""
        attempt = outcome.attempt
        made = replace(
            self,
            attempts=(*self.attempts, attempt)[-MAX_ATTEMPTS_SHOWN:],
            attempt_count=self.attempt_count + 1,
            error=attempt.error,
        )
        if outcome.verdict is Verdict.DELIVERED:
            return replace(made, state=DeliveryState.DELIVERED, due_at=None)
        step = self.step + 1
        if outcome.verdict is not Verdict.AGAIN or step >= ATTEMPTS:
            return made.failed(attempt.error)
        wait = timedelta(seconds=wait_seconds(step, chance, outcome.retry_after_seconds))
        return replace(made, planned=self.planned + 1, due_at=attempt.at + wait, step=step)

    def failed(self, error: str) -> Self:
        """Returns the delivery as failed. No attempt is planned any more."""
        return replace(self, state=DeliveryState.FAILED, due_at=None, error=error)

    def redelivered(self, now: datetime) -> Self:
        """Returns the delivery at the beginning of its schedule, with an attempt that is due now.

        Raises:
            Conflict: it was redelivered ten times on this day.
        """
        day = now.astimezone(UTC).date()
        before = self.redeliveries if self.redelivered_on == day else 0
        if before >= MAX_REDELIVERIES_A_DAY:
            raise Conflict(
                f"An event is sent again {MAX_REDELIVERIES_A_DAY} times a day at most. Try again tomorrow (UTC)."
            )
        return replace(
            self,
            state=DeliveryState.PENDING,
            planned=self.planned + 1,
            due_at=now,
            step=0,
            redelivered_on=day,
            redeliveries=before + 1,
        )


def delivery_id(user_id: str, job_id: str, event_type: str, key: str) -> str:
    """Returns the id of the delivery of an event. Equal arguments give equal ids."""
    named = f"{user_id}\n{job_id}\n{event_type}\n{key}"
    return f"msg_{hashlib.sha256(named.encode()).hexdigest()[:_ID_CHARACTERS]}"


def id_of(announcement: Announcement) -> str:
    """Returns the id of the delivery of an announced event."""
    return delivery_id(announcement.user_id, announcement.job_id, announcement.type, announcement.key)
