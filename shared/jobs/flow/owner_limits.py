"""Looks up which limits the owners of jobs have, by their tiers.

The administrator of the app's settings has no row and no tier, and so no limits but the number of slots in
`RUNNING_JOBS_PER_USER`.
"""

from dataclasses import dataclass

from shared.errors import Forbidden
from shared.users.caller import ADMIN, TierName
from shared.users.store import UserStore
from shared.users.tiers import Tier, Tiers
from shared.users.user import Status

# a slot is a row, and all rows of a user are read at once
_MOST_SLOTS = 1000


@dataclass(frozen=True, slots=True)
class OwnerLimits:
    """The limits of all owners. `admin_jobs` is how many of the administrator's jobs run at a time."""

    users: UserStore
    tiers: Tiers
    admin_jobs: int

    async def is_active(self, user_id: str) -> bool:
        """Returns whether the user may submit jobs."""
        if user_id == ADMIN:
            return True
        user = await self.users.get(user_id)
        return user is not None and user.status is Status.ACTIVE

    async def tier_of(self, user_id: str) -> Tier | None:
        """Returns the tier of a user who wants to run a job; None for the administrator, who has no limits.

        Raises:
            Forbidden: there is no such user, or the user is not active.
        """
        if user_id == ADMIN:
            return None
        user = await self.users.get(user_id)
        if user is None or user.status is not Status.ACTIVE:
            raise Forbidden(f"User {user_id} may not submit jobs: there is no active user of this id.")
        return self.tiers[user.tier]

    async def tier_of_owner(self, user_id: str) -> Tier | None:
        """Returns the tier of a user who owns something, whatever the user's status.

        It is None for the administrator, and for users who are deleted.
        """
        user = await self.users.get(user_id) if user_id != ADMIN else None
        return self.tiers[user.tier] if user else None

    async def jobs_at_once(self, user_id: str) -> int:
        """Returns how many of the user's jobs run at a time: 1,000 at most.

        A user who is deleted has the limit of the tier free.
        """
        if user_id == ADMIN:
            return self.admin_jobs
        user = await self.users.get(user_id)
        return min(_MOST_SLOTS, self.tiers[user.tier if user else TierName.FREE].jobs_at_once)
