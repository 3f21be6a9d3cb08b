"""Makes deliveries: of new events, and again of old ones. Each is stored first, and then its message is sent."""

import json
import math
from dataclasses import replace
from typing import override

from shared.announcements import Announcement, Announcer
from shared.clock import Clock
from shared.errors import Conflict, Permanent
from shared.jobs.job.messages import WEBHOOKS_QUEUE, DeliveryMessage, encode
from shared.jobs.webhooks.delivery import DISABLED, Delivery, id_of
from shared.jobs.webhooks.delivery_store import DeliveryStore
from shared.jobs.webhooks.signing_secrets import SigningSecrets
from shared.storage.queues import QueueSender
from shared.telemetry.correlation import current_origin, origin_within

MAX_DATA_BYTES = 16_000


class Deliveries(Announcer):
    """Announces events, and delivers them again on demand."""

    def __init__(
        self, store: DeliveryStore, secrets: SigningSecrets, queues: QueueSender, clock: Clock
    ) -> None:
        self.store = store
        self._secrets = secrets
        self._queues = queues
        self._clock = clock

    @override
    async def announce(self, announcement: Announcement) -> str:
        delivery = self._made(announcement)
        # the first call must find a secret, which its owner may have read by then
        await self._secrets.ensure(delivery.user_id)
        if await self.store.is_disabled(delivery.user_id, delivery.job_id):
            delivery = delivery.failed(DISABLED)
        await self.plan(await self.store.create(delivery))
        return delivery.id

    async def record_failed(self, announcement: Announcement, error: str) -> None:
        """Stores a delivery that has failed without an attempt, so that the owner sees why."""
        await self.store.create(self._made(announcement).failed(error))

    async def plan(self, delivery: Delivery, *, at_least_seconds: float = 0.0) -> None:
        """Sends the message of the planned attempt, if there is one.

        It is delivered when the attempt is due, but not before `at_least_seconds` have passed.
        """
        if delivery.due_at is None:
            return
        # queues count whole seconds, and an attempt must not come before a receiver asks for it
        wait = math.ceil(max(at_least_seconds, (delivery.due_at - self._clock.now()).total_seconds()))
        origin = origin_within(delivery.origin)
        message = DeliveryMessage(
            delivery.user_id,
            delivery.job_id,
            delivery.id,
            delivery.planned,
            origin.traceparent,
            origin.correlation_id,
        )
        await self._queues.send(WEBHOOKS_QUEUE, encode(message), delay_seconds=wait)

    async def redeliver(self, user_id: str, job_id: str, delivery_id: str) -> Delivery:
        """Has the delivery attempted now, and then again by the schedule; returns it.

        Nothing changes if an attempt is due already, so repeated calls make no further attempts. A webhook that was
        disabled by its receiver is called again from now on.

        Raises:
            NotFound: the job has no delivery of that id.
            Conflict: the delivery has no URL, or was redelivered ten times on this day.
        """
        found = await self.store.require(user_id, job_id, delivery_id)
        if not found.url:
            raise Conflict("The webhook's URL is not known, since the job's spec is gone or damaged.")

        async def again(stored: Delivery) -> Delivery:
            now = self._clock.now()
            is_due = stored.due_at is not None and stored.due_at <= now
            wanted = stored if is_due else stored.redelivered(now)
            # first, as the attempt would find the webhook disabled
            await self.store.enable(user_id, job_id)
            await self._secrets.ensure(user_id)
            return stored if is_due else await self.store.save(wanted, stored)

        planned = await self.store.swap(found, again)
        await self.plan(planned)
        return planned

    def _made(self, announcement: Announcement) -> Delivery:
        """Returns the delivery of an event, with an attempt that is due now.

        Raises:
            Permanent: its data is too large.
        """
        data = json.dumps(announcement.data, ensure_ascii=False, separators=(",", ":"))
        if len(data.encode()) > MAX_DATA_BYTES:
            raise Permanent(
                f"The data of the event {announcement.type} has {len(data.encode()):,} bytes; it may have "
                f"{MAX_DATA_BYTES:,}."
            )
        timestamp = announcement.at.isoformat()
        head = json.dumps({"type": announcement.type, "timestamp": timestamp}, separators=(",", ":"))
        now = self._clock.now()
        made = Delivery(
            id=id_of(announcement),
            user_id=announcement.user_id,
            job_id=announcement.job_id,
            type=announcement.type,
            url=announcement.url,
            payload=f'{head[:-1]},"data":{data}}}'.encode(),
            created_at=now,
            origin=current_origin(),
        )
        return replace(made, due_at=now)
