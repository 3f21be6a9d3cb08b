"""Stores deliveries in the table `deliveries`.

    partition {user}~{job}   {delivery}      a delivery
                             ~{place}        lists the deliveries, newest first
                             -disabled       says that the receiver has answered 410
    partition ~due           {time}-{id}     a planned attempt, written before the delivery that plans it
    partition ~secret-{user} secrets         the signing secrets of a user (`signing_secrets.py`)

Every planned attempt has a row in `~due`, so an attempt whose message is lost is found. Rows of attempts that are no
longer planned may be left behind when a run dies. They have no effect, and the watchdog deletes them.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import AlreadyExists, Changed, NotFound
from shared.jobs.webhooks.delivery import Delivery
from shared.jobs.webhooks.delivery_rows import (
    DUE,
    Due,
    delivery_from_entity,
    delivery_to_entity,
    due_from_entity,
    due_key,
    due_to_entity,
    partition_of,
)
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Delete, Entity, EntityStore, Insert, Put, Replace
from shared.storage.newest_first import Listing, Span, mark, newest_first, place_of

TABLE = "deliveries"
# no path names this row, since ids begin with a letter or a digit
_DISABLED = "-disabled"


@dataclass(frozen=True, slots=True)
class DeliveryStore:
    """The deliveries of all users. Every method may be repeated, and run at the same time."""

    entities: EntityStore

    async def create(self, delivery: Delivery) -> Delivery:
        """Stores a delivery with its planned attempt, unless there is one of its id; returns the stored delivery."""
        await self._put_due(delivery)
        partition = partition_of(delivery.user_id, delivery.job_id)
        listed = mark(partition, place_of(delivery.id, delivery.created_at))
        try:
            etag, _ = await self.entities.apply(
                TABLE, partition, [Insert(delivery_to_entity(delivery)), listed]
            )
        except AlreadyExists:
            stored = await self.require(delivery.user_id, delivery.job_id, delivery.id)
            await self._put_due(stored)
            return stored
        return replace(delivery, etag=etag)

    async def get(self, user_id: str, job_id: str, delivery_id: str) -> Delivery | None:
        """Returns the delivery, or None if the job has no delivery of that id."""
        entity = await self.entities.get(TABLE, partition_of(user_id, job_id), delivery_id)
        return delivery_from_entity(entity) if entity else None

    async def require(self, user_id: str, job_id: str, delivery_id: str) -> Delivery:
        """Returns the delivery.

        Raises:
            NotFound: the job has no delivery of that id.
        """
        delivery = await self.get(user_id, job_id, delivery_id)
        if delivery is None:
            raise NotFound(f"The job has no delivery {delivery_id}.")
        return delivery

    async def save(self, delivery: Delivery, before: Delivery) -> Delivery:
        """Replaces `before`, which is stored, by `delivery`; returns it with its new version.

        Raises:
            Changed: another call has changed the delivery since it was read, or it is deleted.
        """
        await self._put_due(delivery)
        partition = partition_of(delivery.user_id, delivery.job_id)
        (etag,) = await self.entities.apply(TABLE, partition, [Replace(delivery_to_entity(delivery))])
        if before.due_at is not None and before.due_at != delivery.due_at:
            await self._delete(DUE, due_key(before.due_at, before.id))
        return replace(delivery, etag=etag)

    async def swap[Result](
        self, delivery: Delivery, change: Callable[[Delivery], Awaitable[Result]]
    ) -> Result:
        """Changes the stored delivery by compare-and-swap; returns what `change` returns.

        `change` is called with `delivery`, and after each conflict again with the stored delivery.

        Raises:
            NotFound: it is deleted.
            Unavailable: its row is too busy.
        """
        return await compare_and_swap(
            lambda: self.require(delivery.user_id, delivery.job_id, delivery.id),
            change,
            busy="The delivery's row is too busy.",
            known=delivery,
        )

    async def page(self, user_id: str, job_id: str, after: str = "", size: int = 20) -> Listing[Delivery]:
        """Returns up to `size` deliveries of a job after the place `after`, newest first."""
        partition = partition_of(user_id, job_id)
        return await newest_first(
            self.entities, TABLE, partition, delivery_from_entity, Span(after, size=size)
        )

    async def overdue(self, moment: datetime) -> AsyncIterator[Due]:
        """Yields the planned attempts that were due before the moment, the longest overdue first."""
        async for entity in self.entities.query(TABLE, DUE, before=due_key(moment)):
            yield due_from_entity(entity)

    async def postpone(self, due: Due, moment: datetime) -> None:
        """Has a planned attempt checked again at the moment, and counts a nudge."""
        await self.entities.apply(
            TABLE, DUE, [Put(due_to_entity(replace(due, at=moment, nudges=due.nudges + 1)))]
        )
        await self.forget(due)

    async def forget(self, due: Due) -> None:
        """Deletes the index row of an attempt that is no longer planned."""
        await self._delete(DUE, due_key(due.at, due.delivery_id))

    async def disable(self, user_id: str, job_id: str, now: datetime) -> None:
        """Notes that the receiver wants no more events of the job."""
        partition = partition_of(user_id, job_id)
        await self.entities.apply(TABLE, partition, [Put(Entity(partition, _DISABLED, {"at": now}))])

    async def enable(self, user_id: str, job_id: str) -> None:
        """Lets the job's webhook be called again."""
        await self._delete(partition_of(user_id, job_id), _DISABLED)

    async def is_disabled(self, user_id: str, job_id: str) -> bool:
        """Returns whether the receiver wants no more events of the job."""
        return await self.entities.get(TABLE, partition_of(user_id, job_id), _DISABLED) is not None

    async def erase(self, user_id: str, job_id: str) -> None:
        """Deletes all deliveries of a job, and so ends their attempts."""
        await self.entities.erase(TABLE, partition_of(user_id, job_id))

    async def _put_due(self, delivery: Delivery) -> None:
        if delivery.due_at is None:
            return
        due = Due(delivery.due_at, delivery.user_id, delivery.job_id, delivery.id, delivery.planned)
        await self.entities.apply(TABLE, DUE, [Put(due_to_entity(due))])

    async def _delete(self, partition: str, row: str) -> None:
        with contextlib.suppress(Changed):
            await self.entities.apply(TABLE, partition, [Delete(row)])
