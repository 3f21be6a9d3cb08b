"""Stores the secrets that sign webhooks, in the form of Standard Webhooks: `whsec_` and the base64 of 32 random bytes.

A user has one current secret. After a rotation, the old one signs beside it for a time that the user chooses. The app
must sign with the secrets, so they are stored as they are. They are never part of a log line, a signal or an error.
"""

import base64
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import Conflict
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Entity, EntityStore, Insert, Replace

PREFIX: Final = "whsec_"
MAX_OLD_SECRETS: Final = 3
DEFAULT_OVERLAP: Final = timedelta(hours=24)
# the specification allows 24 to 64
_SECRET_BYTES = 32
_TABLE = "deliveries"
_ROW = "secrets"


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """One secret. `valid_until` is when an old secret stops signing; None for the current one."""

    text: str = field(repr=False)
    created_at: datetime
    valid_until: datetime | None = None

    @property
    def key(self) -> bytes:
        """The bytes that sign."""
        return base64.b64decode(self.text.removeprefix(PREFIX))


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The secrets of a user that sign now: the current one, and the old ones that are still valid, newest first."""

    current: SigningSecret
    old: tuple[SigningSecret, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """The secrets of all users. Every method may run at the same time."""

    entities: EntityStore
    clock: Clock
    random: Callable[[int], bytes] = secrets.token_bytes

    async def find(self, user_id: str) -> SigningKeys | None:
        """Returns the user's secrets that sign now, or None if the user has none."""
        entity = await self._stored(user_id)
        return self._valid(_keys(entity)) if entity else None

    async def ensure(self, user_id: str) -> SigningKeys:
        """Returns the user's secrets that sign now. A first one is made if the user has none."""

        async def make(stored: Entity | None) -> SigningKeys:
            if stored is not None:
                return self._valid(_keys(stored))
            made = SigningKeys(self._new())
            await self.entities.apply(_TABLE, _partition(user_id), [Insert(_entity(user_id, made))])
            return made

        return await self._swap(user_id, make)

    async def rotate(self, user_id: str, overlap: timedelta = DEFAULT_OVERLAP) -> SigningKeys:
        """Makes a new secret. The current one signs beside it for the time `overlap`; without overlap, no old one does.

        Raises:
            Conflict: three old secrets still sign, and the overlap is not zero.
        """

        async def rotate(stored: Entity | None) -> SigningKeys:
            if stored is None:
                made = SigningKeys(self._new())
                await self.entities.apply(_TABLE, _partition(user_id), [Insert(_entity(user_id, made))])
                return made
            before = self._valid(_keys(stored))
            made = SigningKeys(self._new(), self._old(before, overlap))
            await self.entities.apply(
                _TABLE, _partition(user_id), [Replace(_entity(user_id, made, stored.etag))]
            )
            return made

        return await self._swap(user_id, rotate)

    async def erase(self, user_id: str) -> None:
        """Deletes the secrets of a user. Idempotent."""
        await self.entities.erase(_TABLE, _partition(user_id))

    def _new(self) -> SigningSecret:
        text = PREFIX + base64.b64encode(self.random(_SECRET_BYTES)).decode()
        return SigningSecret(text, self.clock.now())

    def _old(self, before: SigningKeys, overlap: timedelta) -> tuple[SigningSecret, ...]:
        if not overlap:
            return ()
        if len(before.old) >= MAX_OLD_SECRETS:
            raise Conflict(
                f"{MAX_OLD_SECRETS} old secrets still sign beside the current one; wait until one has ended, or rotate "
                "without an overlap."
            )
        current = before.current
        return SigningSecret(current.text, current.created_at, self.clock.now() + overlap), *before.old

    def _valid(self, keys: SigningKeys) -> SigningKeys:
        now = self.clock.now()
        old = (each for each in keys.old if each.valid_until is not None and now < each.valid_until)
        return SigningKeys(keys.current, tuple(old))

    async def _stored(self, user_id: str) -> Entity | None:
        return await self.entities.get(_TABLE, _partition(user_id), _ROW)

    async def _swap[Result](
        self, user_id: str, change: Callable[[Entity | None], Awaitable[Result]]
    ) -> Result:
        busy = "The row of the signing secrets is too busy."
        return await compare_and_swap(lambda: self._stored(user_id), change, busy=busy)


def _partition(user_id: str) -> str:
    return f"~secret-{user_id}"


def _entity(user_id: str, keys: SigningKeys, etag: str = "") -> Entity:
    rows = [
        (each.text, each.created_at.isoformat(), each.valid_until.isoformat() if each.valid_until else None)
        for each in (keys.current, *keys.old)
    ]
    return Entity(_partition(user_id), _ROW, {"secrets": json.dumps(rows)}, etag)


def _keys(entity: Entity) -> SigningKeys:
    current, *old = (
        SigningSecret(text, datetime.fromisoformat(created), datetime.fromisoformat(until) if until else None)
        for text, created, until in json.loads(str(entity.values["secrets"]))
    )
    return SigningKeys(current, tuple(old))
