"""Makes, changes and deletes users and their keys. Each change is recorded in the audit trail."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.clock import Clock
from shared.errors import Conflict, FieldError, Forbidden, InvalidRequest, NotFound
from shared.users.access import Access
from shared.users.api_keys import (
    KEY_ID_LENGTH,
    SECRET_BYTES,
    USER_ID_LENGTH,
    ApiKey,
    PresentedKey,
    new_id,
    read_key,
    write_key,
)
from shared.users.audit import Action, Actor, AuditTrail, Outcome
from shared.users.caller import Caller, CallMark, Scope, TierName
from shared.users.deletions import Deletions
from shared.users.principal import Principal
from shared.users.repeats import claim_user_id, mark_of
from shared.users.store import UserStore, no_such_user
from shared.users.user import Account, Status, User


@dataclass(frozen=True, slots=True)
class UserChange:
    """The new values of a user. None leaves a value as it is."""

    name: str | None = None
    tier: TierName | None = None
    status: Status | None = None

    def of(self, user: User) -> User:
        """Returns the changed user.

        Raises:
            Conflict: the user is being deleted.
        """
        if user.status is Status.DELETING:
            raise Conflict(f"User {user.id} is being deleted.")
        return replace(
            user,
            name=self.name or user.name,
            tier=self.tier or user.tier,
            status=self.status or user.status,
        )

    @property
    def detail(self) -> str:
        """The change as the audit trail has it, which is without the name."""
        values = {"tier": self.tier, "status": self.status}
        return ", ".join(
            [
                *(f"{name}={value}" for name, value in values.items() if value),
                *(["name"] if self.name else []),
            ]
        )


@dataclass(frozen=True, slots=True)
class NewUser:
    """The values of a new user, who may be a person who signs in, and the Idempotency-Key of the call."""

    name: str
    tier: TierName
    principal: Principal | None = None
    idempotency_key: str | None = None

    @property
    def subject(self) -> str:
        """The identity of the person, or an empty text."""
        return self.principal.identity if self.principal else ""

    def mark(self, actor: Actor) -> CallMark:
        """Returns the mark of the call that makes the user."""
        values = {"name": self.name, "tier": self.tier, "subject": self.subject}
        return mark_of(actor.caller.user_id, self.idempotency_key, values)


@dataclass(frozen=True, slots=True)
class NewKey:
    """The values of a new key, and the Idempotency-Key of the call."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    idempotency_key: str | None = None

    def mark(self, actor: Actor) -> CallMark:
        """Returns the mark of the call that makes the key."""
        expires_at = self.expires_at.isoformat() if self.expires_at else None
        values = {"name": self.name, "scopes": sorted(self.scopes), "expires_at": expires_at}
        return mark_of(actor.caller.user_id, self.idempotency_key, values)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users and their keys. A change counts on this instance at once, and on others after 15 seconds at the latest.

    Who makes a change is confirmed in storage first. Any method raises `Unauthenticated` or `Forbidden` if the actor's
    key was revoked or has lost its scopes since the call was admitted (`Access.confirm`).
    """

    users: UserStore
    deletions: Deletions
    access: Access
    audit: AuditTrail
    clock: Clock
    random: Callable[[int], bytes] = secrets.token_bytes

    async def create(self, actor: Actor, new: NewUser) -> tuple[User, bool]:
        """Makes a user: with an id of its own or, for a person who signs in, with the id of that person.

        Returns:
            The user, and whether an earlier call with the same Idempotency-Key has made it.

        Raises:
            Conflict: the person has a user already, or the Idempotency-Key was used with other values.
        """
        await self.access.confirm(actor.caller)
        mark = new.mark(actor)
        user_id = await self._new_user_id(new, mark)
        user = User(user_id, new.name, new.tier, self.clock.now(), subject=new.subject, made_by=mark)
        async with self.audit.record(actor, Action.CREATE_USER, user_id, f"tier={new.tier}") as attempt:
            stored = await self.users.create(user)
            self.access.forget(user_id)
            if stored == user:
                return user, False
            if not mark.repeats(stored.made_by):
                raise Conflict(f"The person has a user already, {user_id}, which is {stored.status}.")
            attempt.outcome = Outcome.REPEATED
        return stored, True

    async def _new_user_id(self, new: NewUser, mark: CallMark) -> str:
        """Returns the id of a new user: that of the person, or the one that the call has, or another."""
        if new.principal is not None:
            return new.principal.user_id
        user_id = new_id(self.random(USER_ID_LENGTH))
        return await claim_user_id(self.users.entities, mark, user_id) if mark.call else user_id

    async def account(self, user_id: str) -> Account:
        """Returns a user with all keys.

        Raises:
            NotFound: there is no such user.
        """
        account = await self.users.account(user_id)
        if account is None:
            raise no_such_user(user_id)
        return account

    async def change(self, actor: Actor, user_id: str, change: UserChange) -> User:
        """Changes a user.

        Raises:
            NotFound: there is no such user.
            Conflict: the user is being deleted.
        """
        await self.access.confirm(actor.caller)
        change.of(await self.users.require(user_id))
        async with self.audit.record(actor, Action.CHANGE_USER, user_id, change.detail):
            try:
                return await self.users.change(user_id, change.of)
            finally:
                self.access.forget(user_id)

    async def delete(self, actor: Actor, user_id: str, *, keeps_datasets: bool) -> User:
        """Marks a user for deletion. From now on the user cannot call, and the nightly run deletes the user.

        Raises:
            NotFound: there is no such user.
            Conflict: the user is being deleted, with the other choice for the datasets.
        """
        await self.access.confirm(actor.caller)
        await self.users.require(user_id)
        detail = f"datasets={'keep' if keeps_datasets else 'delete'}"
        async with self.audit.record(actor, Action.DELETE_USER, user_id, detail):
            try:
                return await self.deletions.begin(user_id, self.clock.now(), keeps_datasets=keeps_datasets)
            finally:
                self.access.forget(user_id)

    async def add_key(self, actor: Actor, user_id: str, new: NewKey) -> tuple[ApiKey, str]:
        """Makes a key; returns it and its text, which is not stored.

        Raises:
            NotFound: there is no such user.
            AlreadyMade: an earlier call with the same Idempotency-Key has made a key.
            Conflict: the user is not active, or has 20 keys, or the Idempotency-Key was used with other values.
            Forbidden: the key would have scopes that its maker lacks, or would expire after it.
            InvalidRequest: the key would have expired already.
        """
        _check_scopes(actor, new.scopes)
        await self.access.confirm(actor.caller)
        now = self.clock.now()
        if new.expires_at is not None and new.expires_at <= now:
            raise InvalidRequest(
                "The body is not valid.", (FieldError("expires_at", "must be in the future"),)
            )
        last = actor.caller.key_expires_at
        if last is not None and (new.expires_at is None or new.expires_at > last):
            latest = f"{last.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            raise Forbidden(
                f"A key makes no keys that expire after itself; give an expires_at of {latest} or before."
            )
        await self.users.require(user_id)
        key_id = new_id(self.random(KEY_ID_LENGTH))
        text = write_key(user_id, key_id, self.random(SECRET_BYTES))
        key = ApiKey(
            key_id,
            new.name,
            new.scopes,
            _read(text).digest,
            now,
            new.expires_at,
            granted_by=_granted_by(actor.caller, user_id),
            made_by=new.mark(actor),
        )
        detail = f"scopes={'+'.join(sorted(new.scopes))}"
        async with self.audit.record(actor, Action.CREATE_KEY, f"{user_id}/{key_id}", detail):
            await self.users.add_key(user_id, key)
            self.access.forget(user_id)
        return key, text

    async def revoke_key(self, actor: Actor, user_id: str, key_id: str) -> ApiKey:
        """Deletes a key; returns what it was.

        Raises:
            NotFound: there is no such user, or it has no such key.
            Forbidden: the key has scopes that the actor lacks.
        """
        await self.access.confirm(actor.caller)
        key = (await self.account(user_id)).key(key_id)
        if key is None:
            raise NotFound(f"User {user_id} has no key {key_id}.")
        _check_scopes(actor, key.scopes)
        async with self.audit.record(actor, Action.REVOKE_KEY, f"{user_id}/{key_id}"):
            await self.users.revoke_key(user_id, key_id)
            self.access.forget(user_id)
        return key


def _check_scopes(actor: Actor, scopes: frozenset[Scope]) -> None:
    lacking = sorted(scopes - actor.caller.scopes)
    if lacking:
        raise Forbidden(
            f"Your key neither makes nor revokes keys with scopes that it lacks: {', '.join(lacking)}."
        )


def _granted_by(caller: Caller, user_id: str) -> str:
    """Returns the user behind a new key: another user who makes it, or the one behind the caller's own key."""
    return caller.user_id if caller.user_id != user_id else caller.granted_by or user_id


def _read(text: str) -> PresentedKey:
    presented = read_key(text)
    if presented is None:
        raise ValueError("the key that was written cannot be read")
    return presented
