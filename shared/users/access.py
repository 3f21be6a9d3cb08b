"""Finds out who calls, by the API key of the call."""

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.clock import Clock
from shared.errors import Forbidden, Retryable, Unauthenticated
from shared.users.api_keys import ApiKey, PresentedKey, read_key
from shared.users.caller import ADMIN, Caller, Scope
from shared.users.store import UserStore
from shared.users.user import Account, Status

_UNKNOWN = "This API key is not known."
_FRESH_SECONDS = 15.0
_MAX_CACHED = 4096
_MOST_GIVERS = 20


@dataclass(slots=True)
class _Cached:
    account: asyncio.Future[Account | None]
    read_at: float


@dataclass(frozen=True, slots=True)
class Access:
    """Checks the keys of callers.

    `admin_keys` are those of the app's settings; there may be two while one is replaced by the other. Keys of users are
    in storage. An instance remembers for 15 seconds what it read there, so a revoked key is refused 15 seconds later at
    the latest. It remembers at most 4,096 users. Calls that need the same user at the same time share one read.
    """

    users: UserStore
    admin_keys: Sequence[str]
    clock: Clock
    _cache: OrderedDict[str, _Cached] = field(default_factory=OrderedDict)

    async def identify(self, api_key: str | None) -> Caller:
        """Returns the caller who has the key. Secrets are compared in constant time.

        A key of another form, or with a wrong checksum, is refused without reading storage.

        Raises:
            Unauthenticated: there is no key, nobody has it, it has expired, or its user is not active.
            Unavailable: storage did not answer.
        """
        if not api_key:
            raise Unauthenticated("Send your API key in the header X-API-Key.")
        if self._is_admin_key(api_key):
            return Caller.admin()
        presented = read_key(api_key)
        if presented is None:
            raise Unauthenticated(_UNKNOWN)
        account = await self.account(presented.user_id)
        now = self.clock.now()
        key = _valid_key(account, presented, now)
        if account is None or key is None:
            raise Unauthenticated(_UNKNOWN)
        await self._note_use(account, key, now)
        scopes = key.scopes
        if Scope.ADMIN in scopes and not await self._has_administrator(key, now):
            scopes -= {Scope.ADMIN}
        return Caller(account.user.id, account.user.tier, scopes, key.id, key.expires_at, key.granted_by)

    async def confirm(self, caller: Caller) -> None:
        """Checks that an identified caller still has the key and its scopes, in storage and not in the memory.

        It is for changes that would outlast the key: a key that was revoked a moment ago must not make another one.

        Raises:
            Unauthenticated: the key was revoked or has expired, or its user is not active.
            Forbidden: the key has lost the scope `admin`.
            Unavailable: storage did not answer.
        """
        if caller.user_id == ADMIN:
            return
        self.forget(caller.user_id)
        account, now = await self.account(caller.user_id), self.clock.now()
        if account is None or account.user.status is not Status.ACTIVE:
            raise Unauthenticated(_UNKNOWN)
        if not caller.key_id:
            # a person who has signed in
            return
        key = account.key(caller.key_id)
        if key is None or not key.is_valid(now):
            raise Unauthenticated(_UNKNOWN)
        if Scope.ADMIN in caller.scopes and not await self._has_administrator(key, now, again=True):
            raise Forbidden("Your key does not allow administration any more.")

    async def _has_administrator(self, key: ApiKey, now: datetime, *, again: bool = False) -> bool:
        """Returns whether the scope `admin` of a key comes from the settings, through users who still have it.

        So nobody keeps that scope through keys made for other users. Those users are looked up, twenty at most, and
        `again` says to read them although this instance remembers them.
        """
        seen: set[str] = set()
        givers = [key.granted_by]
        while givers:
            if ADMIN in givers:
                return True
            giver = givers.pop()
            if giver in seen:
                continue
            if len(seen) == _MOST_GIVERS:
                return False
            seen.add(giver)
            if again:
                self.forget(giver)
            account = await self.account(giver)
            if account is not None and account.user.status is Status.ACTIVE:
                valid = [each for each in account.keys if Scope.ADMIN in each.scopes and each.is_valid(now)]
                givers += [each.granted_by for each in valid]
        return False

    def must_look_up(self, api_key: str) -> bool:
        """Returns whether `identify` would read the table of users to judge this key."""
        presented = None if self._is_admin_key(api_key) else read_key(api_key)
        return presented is not None and self._cached(presented.user_id) is None

    async def account(self, user_id: str) -> Account | None:
        """Returns a user with all keys, as they were at most 15 seconds ago, or None if there is no such user.

        Raises:
            Unavailable: storage did not answer.
        """
        cached = self._cached(user_id)
        if cached is None:
            reading = asyncio.ensure_future(self.users.account(user_id))
            cached = self._cache[user_id] = _Cached(reading, self.clock.monotonic())
            self._cache.move_to_end(user_id)
            while len(self._cache) > _MAX_CACHED:
                self._cache.popitem(last=False)
        # a caller that disconnects must not cancel the read of the others
        return await asyncio.shield(cached.account)

    def _cached(self, user_id: str) -> _Cached | None:
        cached = self._cache.get(user_id)
        if cached is None or _failed(cached.account):
            return None
        return cached if self.clock.monotonic() - cached.read_at < _FRESH_SECONDS else None

    def forget(self, user_id: str) -> None:
        """Makes this instance read the user again at the next call, because the user or a key has changed."""
        self._cache.pop(user_id, None)

    def _is_admin_key(self, api_key: str) -> bool:
        # digests have the same length; a header may have bytes that are not UTF-8
        given = hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).digest()
        matches = [
            hmac.compare_digest(given, hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())
            for key in self.admin_keys
        ]
        return any(matches)

    async def _note_use(self, account: Account, key: ApiKey, now: datetime) -> None:
        try:
            if await self.users.note_use(account.user.id, key, now):
                self.forget(account.user.id)
        except Retryable:
            # a call is not refused because the time of its key's use could not be stored
            return


def _failed(reading: asyncio.Future[Account | None]) -> bool:
    return reading.done() and (reading.cancelled() or reading.exception() is not None)


def _valid_key(account: Account | None, presented: PresentedKey, now: datetime) -> ApiKey | None:
    """Returns the user's key that was presented, or None if it is not valid now."""
    if account is None or account.user.status is not Status.ACTIVE:
        return None
    key = account.key(presented.key_id)
    return key if key is not None and key.matches(presented) and key.is_valid(now) else None
