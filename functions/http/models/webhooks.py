"""Models of the bodies and answers on webhooks."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import ConfigDict, Field

from functions.http.declared import Model
from shared.jobs.job.job import Job, WebhookState

if TYPE_CHECKING:
    from shared.jobs.webhooks.delivery import Delivery
    from shared.jobs.webhooks.signing_secrets import SigningKeys

_LOST = "The end of the job could not be announced."

type DeliveryWord = Literal["pending", "delivered", "failed"]


class WebhookAnswer(Model):
    """What became of the report of the job's last end. `next_attempt_at` is null if no attempt is planned."""

    state: DeliveryWord
    attempts: int
    status: int | None
    error: str | None
    at: datetime | None
    next_attempt_at: datetime | None

    @classmethod
    def of(cls, job: Job, delivery: "Delivery | None") -> Self | None:
        """Returns the answer for a job and the delivery of its end, or None if the job has no `webhook_url`."""
        if job.webhook is WebhookState.NONE:
            return None
        if delivery is None:
            lost = job.webhook is not WebhookState.PENDING
            return cls(
                state="failed" if lost else "pending",
                attempts=0,
                status=None,
                error=_LOST if lost else None,
                at=None,
                next_attempt_at=None,
            )
        last = delivery.attempts[-1] if delivery.attempts else None
        return cls(
            state=delivery.state.value,
            attempts=delivery.attempt_count,
            status=last.status if last else None,
            error=delivery.error or None,
            at=last.at if last else None,
            next_attempt_at=delivery.due_at,
        )


class AttemptAnswer(Model):
    """One call of a webhook. `status` is null if there was no answer, and `error` if it succeeded."""

    at: datetime
    status: int | None
    error: str | None


class DeliveryAnswer(Model):
    """One event for a webhook. `id` is the `webhook-id`; `attempts` are the last twenty calls, the oldest first."""

    id: str
    event: str
    state: DeliveryWord
    created_at: datetime
    attempt_count: int
    attempts: list[AttemptAnswer]
    error: str | None
    next_attempt_at: datetime | None
    links: dict[str, str]

    @classmethod
    def of(cls, delivery: "Delivery") -> Self:
        """Returns the answer for a delivery."""
        job = f"/api/v1/jobs/{delivery.job_id}"
        return cls(
            id=delivery.id,
            event=delivery.type,
            state=delivery.state.value,
            created_at=delivery.created_at,
            attempt_count=delivery.attempt_count,
            attempts=[
                AttemptAnswer(at=each.at, status=each.status, error=each.error or None)
                for each in delivery.attempts
            ],
            error=delivery.error or None,
            next_attempt_at=delivery.due_at,
            links={"job": job, "redeliver": f"{job}/deliveries/{delivery.id}/redeliver"},
        )


class DeliveryPage(Model):
    """A page of deliveries, newest first. `next` is the path of the following page, or None on the last page."""

    items: list[DeliveryAnswer]
    next: str | None


class RotateSecretBody(Model):
    """How long the old secret signs beside the new one. With 0, no old secret signs any more."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24

    @property
    def overlap(self) -> timedelta:
        """The time in which the old secret signs, too."""
        return timedelta(hours=self.overlap_hours)


class OldSecretAnswer(Model):
    """When an old secret was made, and until when it signs."""

    created_at: datetime
    valid_until: datetime | None


class WebhookSecretAnswer(Model):
    """The secret that signs a user's webhooks, and the old ones that still sign beside it, without their texts."""

    secret: str
    created_at: datetime
    old: list[OldSecretAnswer]

    @classmethod
    def of(cls, keys: "SigningKeys") -> Self:
        """Returns the answer for the secrets of a user."""
        return cls(
            secret=keys.current.text,
            created_at=keys.current.created_at,
            old=[
                OldSecretAnswer(created_at=each.created_at, valid_until=each.valid_until) for each in keys.old
            ],
        )
