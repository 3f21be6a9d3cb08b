"""Defines a job: one request for a dataset, and its state."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared.errors import Conflict
from shared.jobs.job.states import MOST_STEPS, TRANSITIONS, State, Step
from shared.telemetry.correlation import NO_ORIGIN, Origin
from shared.users.caller import UNMARKED, CallMark


class WebhookState(StrEnum):
    """Whether the job's end is announced to its webhook. NONE if the spec has no webhook.

    PENDING until there is a delivery of the end, and ANNOUNCED from then on: the delivery knows what became of it.
    LOST if no delivery could be made.
    """

    NONE = "none"
    PENDING = "pending"
    ANNOUNCED = "announced"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a stable code for programs, and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh of the job's dataset does.

    Attributes:
        began: The revision that it began as. A retry goes on with it in a later revision.
        base: The revision of the dataset that it starts from.
        check: Whether hosts are asked whether known images have changed.
        remove_gone: Whether images leave the dataset that their sources no longer list, or their hosts no longer have.
        call: The mark of the call that asked for it.
    """

    began: int
    base: int
    check: bool = False
    remove_gone: bool = False
    call: CallMark = UNMARKED


@dataclass(frozen=True, slots=True)
class Job:
    """The job record.

    Attributes:
        webhook: Whether the end of this revision is announced to the webhook.
        enqueued: Whether the message was sent that the state calls for: the one that starts the archive step, or the
            one that has the end announced.
        nudges: How often the watchdog has sent the job on since its last progress.
        revision: 1, and one more with each retry.
        round: How often discovery was continued because too few candidates were kept (`shared.jobs.flow.rounds`).
        message_id: The id of the queue message that the job came in; empty if it came by HTTP.
        requested_id: The `job_id` that a refused message asked for; empty if there is none.
        origin: The call or the message that began this revision.
        retried_at: When this revision began; None for the first.
        reservation: The token of this revision's reservation; empty if its owner has no quota.
        max_images: How many images its dataset may have, which is what was reserved; None if there is no limit.
        tier_limits: Whether the spec may ask for more images than that, so the tier of the owner sets the limit.
        images: How many images its dataset has, which may be that of an earlier revision.
        deleting_since: When its deletion began, which cannot be undone; None for all other jobs.
        keeps_dataset: Whether its deletion leaves its dataset.
        refresh: The refresh that this revision belongs to; None if the job was never refreshed.
        history: The states that it entered after its creation, the last `MOST_STEPS` of them.
        etag: The stored version that this value was read from; empty before the first write.
    """

    id: str
    user_id: str
    name: str
    state: State
    created_at: datetime
    updated_at: datetime
    webhook: WebhookState = WebhookState.NONE
    failure: Failure | None = None
    revision: int = 1
    enqueued: bool = False
    nudges: int = 0
    origin: Origin = NO_ORIGIN
    retried_at: datetime | None = None
    round: int = 0
    message_id: str = ""
    requested_id: str = ""
    reservation: str = ""
    max_images: int | None = None
    tier_limits: bool = False
    images: int = 0
    deleting_since: datetime | None = None
    keeps_dataset: bool = False
    refresh: Refresh | None = None
    history: tuple[Step, ...] = ()
    etag: str = ""

    @property
    def duration_seconds(self) -> float:
        """How long this revision has taken, up to the last change."""
        return (self.updated_at - (self.retried_at or self.created_at)).total_seconds()

    @property
    def limit_of_tier(self) -> int | None:
        """How many images the dataset may have, if the tier of the owner sets the limit and not the spec."""
        return self.max_images if self.tier_limits else None

    def moved(self, state: State, now: datetime, failure: Failure | None = None) -> Self:
        """Returns the job in its next state.

        Raises:
            Conflict: the table of transitions has no such step.
        """
        if state not in TRANSITIONS[self.state]:
            raise Conflict(f"The job is {self.state} and cannot become {state}.")
        history = (*self.history, Step(self.revision, state, now))[-MOST_STEPS:]
        return replace(
            self, state=state, updated_at=now, failure=failure, nudges=0, enqueued=False, history=history
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """The states that the job entered, in order, with the one in which it was created unless that is forgotten."""
        if len(self.history) == MOST_STEPS:
            return self.history
        first = State.QUEUED if self.history else self.state
        return (Step(1, first, self.created_at), *self.history)

    def retried(self, now: datetime, origin: Origin) -> Self:
        """Returns the job at the beginning of its next revision.

        Raises:
            Conflict: it has not ended.
        """
        wanted = self.webhook is not WebhookState.NONE
        webhook = WebhookState.PENDING if wanted else WebhookState.NONE
        again = replace(self, revision=self.revision + 1, webhook=webhook, origin=origin, retried_at=now)
        return again.moved(State.QUEUED, now)

    def refreshed(self, refresh: Refresh, now: datetime, origin: Origin) -> Self:
        """Returns the job at the beginning of a refresh, which is its next revision.

        Raises:
            Conflict: it has not ended.
        """
        return replace(self.retried(now, origin), round=0, refresh=refresh)

    def webhook_is_due(self, revision: int) -> bool:
        """Returns whether the end of this revision must still be announced to the webhook."""
        ended = self.state.terminal and self.revision == revision
        return ended and self.webhook is WebhookState.PENDING

    def superseded_by(self, stored: Self | None) -> bool:
        """Returns whether this revision has ended, according to the stored job, so it needs no more work."""
        return stored is None or stored.state.terminal or stored.revision != self.revision
