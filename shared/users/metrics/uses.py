"""Reports what users do with the product, and records that they are active."""

from dataclasses import dataclass

from shared.errors import Retryable
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry
from shared.users.caller import ADMIN, Caller, TierName
from shared.users.metrics.activity import Activity
from shared.users.store import UserStore


@dataclass(frozen=True, slots=True)
class Uses:
    """The uses of the product. The administrator is no user, and does not count as active."""

    users: UserStore
    activity: Activity
    telemetry: Telemetry
    environment: str

    async def note(self, caller: Caller, action: str) -> None:
        """Reports an action of a caller, who is active today. This never fails."""
        await self._note(caller.user_id, caller.tier, action)

    async def note_owner(self, user_id: str, action: str) -> None:
        """Reports an action of the user to whom a queue message belongs, as `note` does. This never fails."""
        tier = TierName.FREE
        try:
            user = await self.users.get(user_id) if user_id != ADMIN else None
            tier = user.tier if user else tier
        except Retryable:
            # what the message asks for is done
            pass
        await self._note(user_id, tier, action)

    async def _note(self, user_id: str, tier: TierName, action: str) -> None:
        signals.user_action(
            self.telemetry,
            user_id=user_id,
            user_tier=ADMIN if user_id == ADMIN else tier,
            action=action,
            environment=self.environment,
        )
        if user_id != ADMIN:
            await self.activity.note(user_id)
