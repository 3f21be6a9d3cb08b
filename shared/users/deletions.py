"""Lists the users who are to be deleted, in the partition `~deleting` of the table `users`, for the nightly run.

The row is written before the user is marked, because a marked user without a row would never be deleted.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.errors import Changed, Conflict
from shared.storage.cells import as_datetime
from shared.storage.entities import Delete, Entity, EntityStore, Put
from shared.users.store import UserStore
from shared.users.user import Status, User

_TABLE = "users"
_DELETING = "~deleting"
_ABANDONED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deletions:
    """The users who are to be deleted. Every method may be repeated, and run at the same time."""

    entities: EntityStore
    users: UserStore

    async def begin(self, user_id: str, now: datetime, *, keeps_datasets: bool) -> User:
        """Marks a user for deletion; returns the marked user.

        Raises:
            NotFound: there is no such user.
            Conflict: the user is being deleted, with the other choice for the datasets.
        """

        def mark(user: User) -> User:
            if user.status is Status.DELETING and user.keeps_datasets != keeps_datasets:
                raise Conflict(
                    f"User {user_id} is being deleted already, with the other choice for the datasets."
                )
            return replace(user, status=Status.DELETING, keeps_datasets=keeps_datasets)

        mark(await self.users.require(user_id))
        await self.entities.apply(_TABLE, _DELETING, [Put(Entity(_DELETING, user_id, {"at": now}))])
        return await self.users.change(user_id, mark)

    async def pending(self, now: datetime) -> AsyncIterator[tuple[User, datetime]]:
        """Yields the users who are marked, and since when.

        Rows of others are deleted after a day, when no call can need them.
        """
        async for row in self.entities.query(_TABLE, _DELETING):
            user, since = await self.users.get(row.row), as_datetime(row.values["at"])
            if user is not None and user.status is Status.DELETING:
                yield user, since
            elif now - since > _ABANDONED_AFTER:
                await self._delete(row)

    async def finish(self, user: User) -> None:
        """Deletes the user's row and keys, and finally the row by which the user is found here.

        A user who is made with the same id in the meantime stays, and so does a mark of that user.
        """
        row = await self.entities.get(_TABLE, _DELETING, user.id)
        await self.users.erase(user)
        if row is not None and await self.users.get(user.id) is None:
            await self._delete(row)

    async def _delete(self, row: Entity) -> None:
        with contextlib.suppress(Changed):
            await self.entities.apply(_TABLE, _DELETING, [Delete(row.row, row.etag)])
