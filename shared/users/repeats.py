"""Recognises calls that are repeated with the same Idempotency-Key.

What a call makes remembers the call in its own row, and is compared with what a later call asks for. A call that makes
a user has another row, which gives the user's id to every repetition:

    table users   partition ~calls   {call}   the id of the user

Both are forgotten when the user is deleted. So the same key then makes a user with another id, who does not get what
the deleted one has left in storage.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping

from shared.errors import Changed
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Delete, Entity, EntityStore, Insert
from shared.users.caller import UNMARKED, CallMark

_TABLE = "users"
_CALLS = "~calls"


def mark_of(caller_id: str, idempotency_key: str | None, values: Mapping[str, object]) -> CallMark:
    """Returns the mark of a call that makes a resource from these JSON values.

    The same Idempotency-Key gives another mark for another caller.
    """
    if idempotency_key is None:
        return UNMARKED
    # the ids of callers have no such character, and neither has the name of a provider in the identity of a person
    call = f"{caller_id}/{idempotency_key}"
    return CallMark(_digest(call), _digest(json.dumps(values, sort_keys=True)))


async def claim_user_id(entities: EntityStore, mark: CallMark, user_id: str) -> str:
    """Gives the call this user id, unless it has one already; returns the id that it has."""

    async def claim(stored: Entity | None) -> str:
        if stored is not None:
            return str(stored.values["user_id"])
        await entities.apply(_TABLE, _CALLS, [Insert(Entity(_CALLS, mark.call, {"user_id": user_id}))])
        return user_id

    busy = "The Idempotency-Key is being used by others; try again."
    return await compare_and_swap(lambda: entities.get(_TABLE, _CALLS, mark.call), claim, busy=busy)


async def forget_call(entities: EntityStore, mark: CallMark, user_id: str) -> None:
    """Forgets which call made a user who is deleted next."""
    stored = await entities.get(_TABLE, _CALLS, mark.call) if mark.call else None
    if stored is not None and stored.values["user_id"] == user_id:
        with contextlib.suppress(Changed):
            await entities.apply(_TABLE, _CALLS, [Delete(stored.row, stored.etag)])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
