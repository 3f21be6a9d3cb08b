"""Decides which user owns the job of a producer's message. A producer needs no API key, only access to the queue."""

from dataclasses import dataclass

from shared.errors import FieldError, InvalidRequest
from shared.ids import is_plain_id
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.users.caller import ADMIN

_FIELD = "user_id"
_NOT_TRUSTED = "must not be given, since the app does not let messages name users (QUEUE_MESSAGES_NAME_USERS)"
_NO_USER = "must be the id of an active user"


@dataclass(frozen=True, slots=True)
class Producers:
    """The owners of producers' messages: `user_id`, or the user that a message names if that is `trusted`."""

    limits: OwnerLimits
    user_id: str = ADMIN
    trusted: bool = False

    async def owner(self, data: object) -> str:
        """Returns the id of the user whose job the message asks for.

        Raises:
            InvalidRequest: the message names a user and must not, or there is no active user of the id.
        """
        if not isinstance(data, dict) or _FIELD not in data:
            if not await self.limits.is_active(self.user_id):
                raise InvalidRequest(f"The user of QUEUE_USER_ID, {self.user_id}, is not an active user.")
            return self.user_id
        if not self.trusted:
            raise InvalidRequest("The message names a user.", (FieldError(_FIELD, _NOT_TRUSTED),))
        named = data[_FIELD]
        if not isinstance(named, str) or not is_plain_id(named) or not await self.limits.is_active(named):
            raise InvalidRequest("The message names no user.", (FieldError(_FIELD, _NO_USER),))
        return named

    async def owner_of_refusal(self, data: object) -> str:
        """Returns the id of the user who sees that the message was refused.

        It is the one whose job the message asks for. If that is nobody, it is the configured user, and if that is no
        active user, the administrator.
        """
        for asked in (data, None):
            try:
                return await self.owner(asked)
            except InvalidRequest:
                continue
        return ADMIN


def without_owner(data: object) -> object:
    """Returns what a producer asks for, without whose job it is."""
    return {key: value for key, value in data.items() if key != _FIELD} if isinstance(data, dict) else data
