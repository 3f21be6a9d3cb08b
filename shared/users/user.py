"""Defines users and their accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.users.caller import UNMARKED, CallMark, TierName

if TYPE_CHECKING:
    from shared.users.api_keys import ApiKey


class Status(StrEnum):
    """The status of a user. Only an active user may call. Only the nightly run sees a user who is being deleted."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class User:
    """A user, who owns jobs and datasets.

    `subject` identifies the user at the identity provider, as `{provider}|{subject}`. It is empty for users who have
    keys only. If `keeps_datasets`, the datasets stay in storage when the user is deleted.
    `made_by` is the call that made the user.
    """

    id: str
    name: str
    tier: TierName
    created_at: datetime
    status: Status = Status.ACTIVE
    subject: str = ""
    keeps_datasets: bool = False
    made_by: CallMark = UNMARKED


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the user's keys."""

    user: User
    keys: "Sequence[ApiKey]"

    def key(self, key_id: str) -> "ApiKey | None":
        """Returns the key of this id, or None if the user does not have it."""
        return next((key for key in self.keys if key.id == key_id), None)
