"""Defines callers, what their calls may do, and how a call is recognised when it is repeated."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from shared.errors import Conflict

ADMIN: Final = "admin"
"""The user who has the keys of the app's settings. This user has no row."""
PRINCIPAL_HEADER: Final = "X-MS-CLIENT-PRINCIPAL"
"""The header in which App Service authentication names a person who has signed in (`principal.py`)."""


class Scope(StrEnum):
    """The actions that a key allows: reading, changing what belongs to its user, or administering the app."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


class TierName(StrEnum):
    """The tiers of users."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user on whose behalf a call runs, and what the call may do.

    `granted_by` is that of the key, or empty without a key.
    """

    user_id: str
    tier: TierName = TierName.FREE
    scopes: frozenset[Scope] = frozenset()
    key_id: str = ""
    key_expires_at: datetime | None = None
    granted_by: str = ""

    @classmethod
    def anonymous(cls) -> Self:
        """The caller of public endpoints, who owns nothing."""
        return cls("")

    @classmethod
    def admin(cls) -> Self:
        """The holder of a key of the app's settings, who may do everything."""
        return cls(ADMIN, TierName.ENTERPRISE, frozenset(Scope))


@dataclass(frozen=True, slots=True)
class CallMark:
    """Says which call made something. `call` and `values` are SHA-256 digests, or empty without an Idempotency-Key."""

    call: str = ""
    values: str = ""

    def repeats(self, earlier: "CallMark") -> bool:
        """Returns whether this call is a repetition of the earlier one.

        Raises:
            Conflict: it has the same Idempotency-Key, but other values.
        """
        if not self.call or self.call != earlier.call:
            return False
        if self.values != earlier.values:
            raise Conflict("The Idempotency-Key was used with another body.")
        return True


UNMARKED: Final = CallMark()
"""The mark of calls without an Idempotency-Key."""
