"""Users as the app knows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.users.api_keys import ApiKey
from shared.users.caller import TierName


class Status(StrEnum):
    """Whether a user may call. A user who is being deleted is gone for all callers but the clean-up."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has jobs and datasets.

    `subject` is who the user is at the identity provider, as `{provider}|{subject}`; it is empty for users who have
    keys only. `keeps_datasets` says of a user who is being deleted that the datasets stay in storage.
    """

    id: str
    name: str
    tier: TierName
    created_at: datetime
    status: Status = Status.ACTIVE
    subject: str = ""
    keeps_datasets: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the user's keys."""

    user: User
    keys: Sequence[ApiKey]

    def key(self, key_id: str) -> ApiKey | None:
        """The key of this id."""
        return next((key for key in self.keys if key.id == key_id), None)
