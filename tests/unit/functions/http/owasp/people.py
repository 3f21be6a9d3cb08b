"""The people of these tests, who call the API with keys of their own."""

from dataclasses import dataclass

from shared.wiring import App
from tests.unit.functions.http.http_calls import Caller


@dataclass(frozen=True, slots=True)
class Person:
    """A user, and calls with a key of the user's that has the scopes read and submit."""

    id: str
    calls: Caller


@dataclass(frozen=True, slots=True)
class People:
    """The app with its administrator and two users."""

    app: App
    admin: Caller
    ann: Person
    bob: Person


async def join(admin: Caller, name: str, *scopes: str) -> Person:
    """Make a user with a key; without scopes, of both scopes that users have."""
    user = await admin.post("users", {"name": name})
    assert user.status == 201, user.body
    user_id = str(user.body["id"])
    return Person(user_id, await another_key(admin, user_id, *scopes))


async def another_key(caller: Caller, user_id: str, *scopes: str, **fields: object) -> Caller:
    """Make a key; returns calls with it."""
    body = {"name": "key", "scopes": list(scopes or ("read", "submit")), **fields}
    made = await caller.post(f"users/{user_id}/keys", body)
    assert made.status == 201, made.body
    return Caller(caller.app, made.body["key"])
