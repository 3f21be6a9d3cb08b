"""Lists the users whose tier has a price, so that nobody has to read all users to find them.

    table users   partition ~paying-{shard}   {user}   the user has or had another tier than free; when it was made

The row is written before the user gets the tier, and it is deleted only with the user: not if a user who is made again
with the same id has written it in the meantime. So every user of such a tier is in the list. Whoever reads the list
looks up the users, because some of them have the tier free by now, and some rows may be left of users who are deleted.
"""

import contextlib
from collections.abc import AsyncIterator

from shared.errors import Changed
from shared.storage.entities import Delete, Entity, EntityStore, Put
from shared.users.caller import TierName
from shared.users.metrics.shards import shard_of
from shared.users.user import User

_TABLE = "users"


async def list_if_paying(entities: EntityStore, user: User) -> None:
    """Lists a user who is about to be stored, unless the tier is free. Idempotent."""
    if user.tier is not TierName.FREE:
        partition = _partition(shard_of(user.id))
        row = Entity(partition, user.id, {"created_at": user.created_at})
        await entities.apply(_TABLE, partition, [Put(row)])


async def unlist(entities: EntityStore, user: User) -> None:
    """Takes a user who is deleted next off the list. The row of another user of this id stays."""
    partition = _partition(shard_of(user.id))
    row = await entities.get(_TABLE, partition, user.id)
    if row is not None and row.values["created_at"] == user.created_at:
        with contextlib.suppress(Changed):
            await entities.apply(_TABLE, partition, [Delete(row.row, row.etag)])


async def listed_users(entities: EntityStore, shard: int, after: str) -> AsyncIterator[str]:
    """Yields the ids of a shard's listed users in order, from the one behind `after`."""
    async for row in entities.query(_TABLE, _partition(shard), after=after):
        yield row.row


def _partition(shard: int) -> str:
    return f"~paying-{shard:02}"
