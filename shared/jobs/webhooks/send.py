"""Handles the messages of the queue `webhooks`.

A message either says that a job has ended, so the end is announced, or asks for one attempt of a delivery. The
attempts follow a schedule of the app's own. A failed call is recorded, and the next attempt is planned with a message
of its own that comes when it is due. The host delivers a message again only if a run dies or storage does not answer.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable

from shared.clock import Clock
from shared.errors import InvalidRequest, NotFound, Permanent
from shared.jobs.flow.dropped_message import report_dropped
from shared.jobs.job.message_json import decode_json
from shared.jobs.job.messages import DeliveryMessage, JobMessage, read_webhook_message
from shared.jobs.webhooks.announce import Deliveries
from shared.jobs.webhooks.call import WebhookCaller
from shared.jobs.webhooks.delivery import DISABLED, Attempt, Delivery, DeliveryState, Outcome, Verdict
from shared.jobs.webhooks.ends import AnnouncedEnds
from shared.runtime import Runtime
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_log = logging.getLogger(__name__)
_NO_END = "The attempt did not come to its end."
# a message that comes so much too early waits again; clocks of machines differ by less
_EARLY_SECONDS = 60.0
# the host runs four messages of the queue at a time, and receivers that hang must leave some of them to other users
_CALLS_PER_USER = 2
_BUSY_SECONDS = 15.0


class SendWebhook:
    """Handles the messages of `webhooks`. Safe to run twice, at the same time, and to die at any line.

    The receiver is called at least once: if a run dies between the call and the record of its outcome, the next run
    calls again, with the same `webhook-id`.
    """

    def __init__(
        self,
        ends: AnnouncedEnds,
        deliveries: Deliveries,
        caller: WebhookCaller,
        runtime: Runtime,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ends = ends
        self._deliveries = deliveries
        self._store = deliveries.store
        self._caller = caller
        self._clock: Clock = runtime.clock
        self._telemetry: Telemetry = runtime.telemetry
        self._chance = chance
        self._calls: Counter[str] = Counter()

    async def run(self, text: str | bytes) -> None:
        """Announces the end of a job, or makes the attempt and records its outcome.

        Raises:
            Unavailable: storage did not answer; the message should come again.
        """
        message = self._read(text, "send_webhook")
        if isinstance(message, JobMessage):
            await self._ends.announce(message)
        if not isinstance(message, DeliveryMessage):
            return
        delivery = await self._planned(message)
        if delivery is not None:
            await self._make(delivery)

    async def _make(self, delivery: Delivery) -> None:
        """Makes the planned attempt now, or has it made later."""
        early_seconds = (delivery.due_at - self._clock.now()).total_seconds() if delivery.due_at else 0.0
        if early_seconds > _EARLY_SECONDS:
            await self._deliveries.plan(delivery)
        elif self._calls[delivery.user_id] >= _CALLS_PER_USER:
            await self._deliveries.plan(delivery, at_least_seconds=_BUSY_SECONDS)
        else:
            await self._record(delivery, await self._attempt(delivery))

    async def give_up(self, text: str | bytes) -> None:
        """Records an attempt that has failed, since no delivery of its message came to its end."""
        message = self._read(text, "send_webhook_poison")
        if not isinstance(message, DeliveryMessage):
            # the watchdog has the end of a job announced later
            return
        delivery = await self._planned(message)
        if delivery is not None:
            await self._record(delivery, Outcome(Attempt(self._clock.now(), None, _NO_END), Verdict.AGAIN))

    async def _attempt(self, delivery: Delivery) -> Outcome:
        self._calls[delivery.user_id] += 1
        try:
            if await self._store.is_disabled(delivery.user_id, delivery.job_id):
                return Outcome(Attempt(self._clock.now(), None, DISABLED), Verdict.FINAL)
            return await self._caller.call(delivery)
        finally:
            self._calls[delivery.user_id] -= 1
            # forgets users whose count is zero
            self._calls = +self._calls

    def _read(self, text: str | bytes, operation: str) -> JobMessage | DeliveryMessage | None:
        try:
            return read_webhook_message(decode_json(text))
        except InvalidRequest as error:
            report_dropped(self._telemetry, error, operation)
            return None

    async def _planned(self, message: DeliveryMessage) -> Delivery | None:
        """Returns the delivery whose planned attempt the message asks for; None if that is made.

        The run that made it may have died before it sent the next message, so that is sent again.
        """
        delivery = await self._store.get(message.user_id, message.job_id, message.delivery)
        if delivery is None or delivery.is_planned(message.attempt):
            return delivery
        if delivery.is_planned(message.attempt + 1):
            await self._deliveries.plan(delivery)
        return None

    async def _record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Saves the outcome, and plans the next attempt if there is one.

        Nothing is saved if another run has saved this attempt, or the owner has the event delivered again. A success
        counts all the same, unless there was one before.
        """
        if outcome.verdict is Verdict.GONE:
            await self._store.disable(delivery.user_id, delivery.job_id, self._clock.now())
        chance = self._chance()

        async def record(stored: Delivery) -> Delivery | None:
            arrived = outcome.verdict is Verdict.DELIVERED and stored.state is not DeliveryState.DELIVERED
            if not (arrived or stored.is_planned(delivery.planned)):
                return None
            return await self._store.save(stored.after(outcome, chance), stored)

        try:
            recorded = await self._store.swap(delivery, record)
        except NotFound:
            # it was deleted during the call
            return
        if recorded is None:
            return
        await self._deliveries.plan(recorded)
        if recorded.state is DeliveryState.FAILED:
            self.report(recorded)

    def report(self, delivery: Delivery) -> None:
        """Reports a delivery that has failed for good."""
        _log.warning(
            "The webhook of job %s failed in attempt %d: %s",
            delivery.job_id,
            delivery.attempt_count,
            delivery.error,
        )
        error = Permanent(delivery.error)
        signals.failure(self._telemetry, error, operation="webhook", job_id=delivery.job_id)
