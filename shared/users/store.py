"""Stores users and their keys in the table `users`.

    partition {user}   user             the user
                       key-{key}        a key, without its secret
                       used-{key}       when the key was last used, written once an hour at most
    partition ~users   {place}          lists the users, newest first
    partition ~paying-{shard}           lists those of other tiers than free (`metrics/paying.py`)
    partition ~calls                    users by the calls that made them (`repeats.py`)

The rows of a user are one partition, so checking a key takes one query. A key's row is written in one transaction with
the user's row, on the condition that the latter has not changed. So two calls at the same time cannot make a
twenty-first key, and no call can make a key for a user who is disabled.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.errors import AlreadyMade, Changed, Conflict, NotFound
from shared.storage.cells import as_datetime
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Put, Replace, Value
from shared.storage.newest_first import Listing, place_of
from shared.users.api_keys import ApiKey
from shared.users.caller import ADMIN, CallMark, Scope, TierName
from shared.users.metrics.paying import list_if_paying, unlist
from shared.users.repeats import forget_call
from shared.users.user import Account, Status, User

MAX_KEYS = 20
_TABLE = "users"
_USERS = "~users"
_USER, _KEY, _USED = "user", "key-", "used-"
# a transaction has 100 changes at most, and the last deletes the user
_MOST_DELETED = 99
_USE_IS_NOTED_EVERY = timedelta(hours=1)
_BUSY = "The row of the user is too busy."


@dataclass(frozen=True, slots=True)
class UserStore:
    """The users of the app and their keys. Every method may be repeated, and run at the same time."""

    entities: EntityStore

    async def create(self, user: User) -> User:
        """Stores the user unless a user of this id exists; returns the user that is stored."""
        listed = Entity(_USERS, place_of(user.id, user.created_at))
        has_listed = False

        async def make(stored: Entity | None) -> User:
            nonlocal has_listed
            if stored is not None:
                return _user(stored)
            has_listed = True
            # the rows in lists are written first, because a user who is not listed would never be found again
            await self.entities.apply(_TABLE, _USERS, [Put(listed)])
            await list_if_paying(self.entities, user)
            await self.entities.apply(_TABLE, user.id, [Insert(_user_entity(user))])
            return user

        made = await compare_and_swap(lambda: self.entities.get(_TABLE, user.id, _USER), make, busy=_BUSY)
        if has_listed and made.created_at != user.created_at:
            # another call has made the user, after this one had written its rows
            await list_if_paying(self.entities, made)
            await unlist(self.entities, user)
            await self._delete(_USERS, listed.row)
        return made

    async def account(self, user_id: str) -> Account | None:
        """Returns the user with all keys, which takes one query, or None if there is no such user."""
        user: User | None = None
        keys: list[ApiKey] = []
        used: dict[str, datetime] = {}
        async for entity in self.entities.query(_TABLE, user_id):
            if entity.row == _USER:
                user = _user(entity)
            elif entity.row.startswith(_KEY):
                keys.append(_key(entity))
            else:
                used[entity.row.removeprefix(_USED)] = as_datetime(entity.values["at"])
        if user is None:
            return None
        return Account(user, [replace(key, last_used_at=used.get(key.id)) for key in keys])

    async def get(self, user_id: str) -> User | None:
        """Returns the user, or None if there is no such user."""
        entity = await self.entities.get(_TABLE, user_id, _USER)
        return _user(entity) if entity else None

    async def require(self, user_id: str) -> User:
        """Returns the user.

        Raises:
            NotFound: there is no such user.
        """
        user = await self.get(user_id)
        if user is None:
            raise no_such_user(user_id)
        return user

    async def page(self, after: str, size: int) -> Listing[User]:
        """Returns up to `size` users after the place `after`, newest first."""
        found: list[tuple[str, User]] = []
        async for row in self.entities.query(_TABLE, _USERS, after=after):
            user = await self.get(row.row.partition("-")[2])
            # a creation that stopped halfway leaves a place without a user, or a second place for a user
            if user is not None and row.row == place_of(user.id, user.created_at):
                found.append((row.row, user))
            if len(found) > size:
                return Listing([user for _, user in found[:size]], found[size - 1][0])
        return Listing([user for _, user in found], None)

    async def change(self, user_id: str, change: Callable[[User], User]) -> User:
        """Replaces the user by the result of `change`.

        Raises:
            NotFound: there is no such user.
        """

        async def swap(entity: Entity | None) -> User:
            user = change(_require(entity, user_id))
            if entity is not None and user != _user(entity):
                await list_if_paying(self.entities, user)
                await self.entities.apply(_TABLE, user_id, [Replace(_user_entity(user, entity.etag))])
            return user

        return await compare_and_swap(lambda: self.entities.get(_TABLE, user_id, _USER), swap, busy=_BUSY)

    async def add_key(self, user_id: str, key: ApiKey) -> None:
        """Stores a key of an active user.

        Raises:
            NotFound: there is no such user.
            AlreadyMade: an earlier call with the same Idempotency-Key has made a key.
            Conflict: the user is not active, or has 20 keys.
        """

        async def add(entity: Entity | None) -> None:
            user = _require(entity, user_id)
            if user.status is not Status.ACTIVE:
                raise Conflict(f"User {user_id} is {user.status}; only an active user gets keys.")
            rows = [row async for row in self.entities.query(_TABLE, user_id, after=_KEY, before=_KEY + "~")]
            if any(row.row == _KEY + key.id and _key(row).digest == key.digest for row in rows):
                # an earlier try stored it, and its answer was lost
                return
            _refuse_repetition(key, [_key(row) for row in rows])
            if len(rows) >= MAX_KEYS:
                raise Conflict(f"The user has {MAX_KEYS} keys, which is the most; revoke one first.")
            etag = entity.etag if entity else ""
            changes: list[Change] = [Replace(_user_entity(user, etag)), Insert(_key_entity(user_id, key))]
            await self.entities.apply(_TABLE, user_id, changes)

        await compare_and_swap(lambda: self.entities.get(_TABLE, user_id, _USER), add, busy=_BUSY)

    async def revoke_key(self, user_id: str, key_id: str) -> bool:
        """Deletes a key; returns whether it existed."""
        existed = await self._delete(user_id, _KEY + key_id)
        await self._delete(user_id, _USED + key_id)
        return existed

    async def note_use(self, user_id: str, key: ApiKey, now: datetime) -> bool:
        """Stores the time of a key's use, unless a use within the last hour is stored; returns whether it stored it."""
        if key.last_used_at is not None and now - key.last_used_at < _USE_IS_NOTED_EVERY:
            return False
        used = Entity(user_id, _USED + key.id, {"at": now})
        await self.entities.apply(_TABLE, user_id, [Put(used)])
        return True

    async def erase(self, user: User) -> None:
        """Deletes the user and all keys. A user who is made with the same id in the meantime stays."""

        async def delete(rows: Sequence[Entity]) -> None:
            stored = next((row for row in rows if row.row == _USER), None)
            if stored is None or _user(stored).created_at != user.created_at:
                return
            others = [row for row in rows if row is not stored]
            changes = [Delete(row.row) for row in others[:_MOST_DELETED]]
            if len(others) <= _MOST_DELETED:
                changes.append(Delete(_USER, stored.etag))
            await self.entities.apply(_TABLE, user.id, changes)
            if len(others) > _MOST_DELETED:
                raise Changed("There are more rows.")

        # the user's row goes last, because a user without it would never be found again
        await forget_call(self.entities, user.made_by, user.id)
        await unlist(self.entities, user)
        await compare_and_swap(lambda: self._rows(user.id), delete, busy=_BUSY)
        await self._delete(_USERS, place_of(user.id, user.created_at))

    async def _rows(self, user_id: str) -> Sequence[Entity]:
        return [row async for row in self.entities.query(_TABLE, user_id)]

    async def _delete(self, partition: str, row: str) -> bool:
        with contextlib.suppress(Changed):
            await self.entities.apply(_TABLE, partition, [Delete(row)])
            return True
        return False


def no_such_user(user_id: str) -> NotFound:
    """Returns the error that says that there is no such user."""
    if user_id == ADMIN:
        return NotFound("The administrator of the settings is no user, and has no other keys. Name a user.")
    return NotFound(f"There is no user {user_id}.")


def _require(entity: Entity | None, user_id: str) -> User:
    if entity is None:
        raise no_such_user(user_id)
    return _user(entity)


def _user_entity(user: User, etag: str = "") -> Entity:
    values: dict[str, Value] = {
        "name": user.name,
        "tier": user.tier.value,
        "created_at": user.created_at,
        "status": user.status.value,
        "subject": user.subject,
        "keeps_datasets": user.keeps_datasets,
        **_mark_values(user.made_by),
    }
    return Entity(user.id, _USER, values, etag)


def _user(entity: Entity) -> User:
    values = entity.values
    return User(
        id=entity.partition,
        name=str(values["name"]),
        tier=TierName(str(values["tier"])),
        created_at=as_datetime(values["created_at"]),
        status=Status(str(values["status"])),
        subject=str(values["subject"]),
        keeps_datasets=bool(values["keeps_datasets"]),
        made_by=_mark(values),
    )


def _refuse_repetition(key: ApiKey, stored: Iterable[ApiKey]) -> None:
    earlier = next((each for each in stored if key.made_by.repeats(each.made_by)), None)
    if earlier is not None:
        raise AlreadyMade(
            f"An earlier call with this Idempotency-Key has made the key {earlier.id}, whose text is shown only once. "
            "If you do not have it, revoke the key and send the call again.",
            earlier.id,
        )


def _key_entity(user_id: str, key: ApiKey) -> Entity:
    values: dict[str, Value] = {
        "name": key.name,
        "scopes": " ".join(sorted(key.scopes)),
        "digest": key.digest,
        "created_at": key.created_at,
        "granted_by": key.granted_by,
        **_mark_values(key.made_by),
    }
    if key.expires_at is not None:
        values["expires_at"] = key.expires_at
    return Entity(user_id, _KEY + key.id, values)


def _key(entity: Entity) -> ApiKey:
    values = entity.values
    expires_at = values.get("expires_at")
    return ApiKey(
        id=entity.row.removeprefix(_KEY),
        name=str(values["name"]),
        scopes=frozenset(map(Scope, str(values["scopes"]).split())),
        digest=str(values["digest"]),
        created_at=as_datetime(values["created_at"]),
        expires_at=None if expires_at is None else as_datetime(expires_at),
        granted_by=str(values["granted_by"]),
        made_by=_mark(values),
    )


def _mark_values(mark: CallMark) -> dict[str, Value]:
    return {"call": mark.call, "call_values": mark.values}


def _mark(values: Mapping[str, Value]) -> CallMark:
    return CallMark(str(values["call"]), str(values["call_values"]))
