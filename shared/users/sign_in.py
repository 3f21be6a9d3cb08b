"""Finds out who calls, by the header with which App Service authentication names a person."""

from dataclasses import dataclass
from typing import Final

from shared.clock import Clock
from shared.errors import Unauthenticated
from shared.text.plain_text import one_line
from shared.users.access import Access
from shared.users.caller import Caller, Scope, TierName
from shared.users.principal import Principal, read_principal
from shared.users.store import UserStore
from shared.users.user import Status, User

SCOPES: Final = frozenset({Scope.READ, Scope.SUBMIT})
"""The scopes of people who have signed in. Administration needs a key."""
_MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class SignIn:
    """Identifies people who have signed in. If it `creates_users`, a new person becomes a user of the tier free."""

    users: UserStore
    access: Access
    clock: Clock
    creates_users: bool

    async def identify(self, header: str) -> Caller:
        """Returns the caller whom the header names. Calls at the same time make one user.

        Raises:
            Unauthenticated: the header is not valid, or the person has no active user.
            Unavailable: storage did not answer.
        """
        principal = read_principal(header)
        account = await self.access.account(principal.user_id)
        user = account.user if account else None
        if user is None and self.creates_users:
            user = await self.users.create(self._new_user(principal))
            self.access.forget(user.id)
        if user is None or user.status is not Status.ACTIVE or user.subject != principal.identity:
            raise Unauthenticated("You are signed in, but you have no active user here.")
        return Caller(user.id, user.tier, SCOPES)

    def _new_user(self, principal: Principal) -> User:
        name = one_line(principal.name, _MAX_NAME_CHARACTERS)
        return User(principal.user_id, name, TierName.FREE, self.clock.now(), subject=principal.identity)
