"""A job: one request for a dataset, and how far it is."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared.errors import Conflict
from shared.jobs.job.states import TRANSITIONS, State
from shared.telemetry.correlation import NO_ORIGIN, Origin


class WebhookState(StrEnum):
    """The state of the call that tells the job's owner of its end; NONE where no call is wanted."""

    NONE = "none"
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """What became of the call that tells the job's owner of its end.

    `status`, `error` and `at` are those of the last try: the HTTP status, None where there was no answer; what was
    wrong, empty where nothing was; and the time. It is PENDING between tries, too.
    """

    state: WebhookState = WebhookState.NONE
    tries: int = 0
    status: int | None = None
    error: str = ""
    at: datetime | None = None

    def given_up(self, now: datetime) -> Self:
        """The webhook once nobody calls it any more; the error of the last try says why."""
        error = self.error or "No try came to its end."
        return replace(self, state=WebhookState.FAILED, error=error, at=self.at or now)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a stable code for programs, a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """The job record. `etag` is the stored version that this value was read from, empty before the first write.

    `revision` counts the job's runs from its queue to its end: 1, and one more with each retry. `enqueued`
    says that the message that the state calls for was sent: the one that starts the archive, or the one that has the
    webhook called once the job has ended. `round` counts how often discovery went on because too few
    candidates were kept (`shared.jobs.flow.rounds`). `message_id` is the id of the queue message that it came in, and
    `requested_id` the `job_id` that a refused message asked for; empty where there is none. `origin` is the call or the
    message that began this revision. `retried_at` is when it began, None for the first.
    """

    id: str
    user_id: str
    name: str
    state: State
    created_at: datetime
    updated_at: datetime
    webhook: Webhook = Webhook()
    failure: Failure | None = None
    revision: int = 1
    enqueued: bool = False
    nudges: int = 0
    origin: Origin = NO_ORIGIN
    retried_at: datetime | None = None
    round: int = 0
    message_id: str = ""
    requested_id: str = ""
    etag: str = ""

    @property
    def duration_seconds(self) -> float:
        """How long this revision has taken, up to the last change."""
        return (self.updated_at - (self.retried_at or self.created_at)).total_seconds()

    def moved(self, state: State, now: datetime, failure: Failure | None = None) -> Self:
        """The job in its next state.

        Raises:
            Conflict: the table of transitions has no such step.
        """
        if state not in TRANSITIONS[self.state]:
            raise Conflict(f"The job is {self.state} and cannot become {state}.")
        return replace(self, state=state, updated_at=now, failure=failure, nudges=0, enqueued=False)

    def retried(self, now: datetime, origin: Origin) -> Self:
        """The job at the beginning of its next revision.

        Raises:
            Conflict: it has not ended.
        """
        wanted = self.webhook.state is not WebhookState.NONE
        webhook = Webhook(WebhookState.PENDING) if wanted else Webhook()
        again = replace(self, revision=self.revision + 1, webhook=webhook, origin=origin, retried_at=now)
        return again.moved(State.QUEUED, now)

    def webhook_is_due(self, revision: int) -> bool:
        """Whether the owner is still to be told of the end of this revision."""
        ended = self.state.terminal and self.revision == revision
        return ended and self.webhook.state is WebhookState.PENDING

    def superseded_by(self, stored: Self | None) -> bool:
        """Whether what is stored has ended this revision of the job, so that nothing is left to be done for it."""
        return stored is None or stored.state.terminal or stored.revision != self.revision
