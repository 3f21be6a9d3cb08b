"""Decides which step a dataset is due for: a move to a cheaper tier, or its deletion.

The functions are pure. A policy has an age for each step, in whole days since the dataset was last used. It is put
together from the app's settings, the tier of the owner, and the dataset's own retention.

A blob that leaves the Cool, Cold or Archive tier before 30, 90 or 180 days costs the rest of that time
(https://learn.microsoft.com/azure/storage/blobs/access-tiers-overview, "early deletion penalty"). That is exactly what
it would cost to leave the blob where it is. So an early move never saves anything, and a policy makes none:

- A dataset moves on only when the time of its tier is over.
- A dataset does not enter a tier that its policy wants it to leave again before the time of that tier is over.

A deletion does not wait for the time of the tier. Waiting would cost the same, and whoever asks for a deletion after
some days relies on these days.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final

from shared.costs.storage import EARLY_DELETION_DAYS
from shared.storage.blobs import Tier
from shared.users.tiers import Tier as UserTier


class LastTier(StrEnum):
    """The tier in which datasets end up that are not used."""

    ARCHIVE = "archive"
    """The Archive tier, whose blobs must be rehydrated before they can be read."""
    ONLINE = "online"
    """The Cold tier, whose blobs can be read at once."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The age in days at which a dataset takes each step. A step without an age is never taken.

    Ages need not ascend. Of all steps that are due, the one that leads furthest down is taken.
    """

    cool_after_days: int | None = None
    cold_after_days: int | None = None
    archive_after_days: int | None = None
    delete_after_days: int | None = None

    def days_until(self, tier: Tier) -> int | None:
        """Returns the age at which a dataset moves to the tier, or None if it never does."""
        ages = {
            Tier.COOL: self.cool_after_days,
            Tier.COLD: self.cold_after_days,
            Tier.ARCHIVE: self.archive_after_days,
        }
        return ages.get(tier)


DEFAULT_POLICY: Final = Policy(cool_after_days=30, archive_after_days=90)
"""The policy of an app whose settings say nothing."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of all datasets: the one of the settings, and what the tiers of users change in it."""

    of_settings: Policy = DEFAULT_POLICY
    last_tier: LastTier = LastTier.ARCHIVE

    def policy_of(self, owner: UserTier | None, retention_days: int | None) -> Policy:
        """Returns the policy of a dataset.

        Args:
            owner: The tier of the owner, or None if the owner has no tier.
            retention_days: The age at which the dataset is deleted, if its owner has chosen one.
        """
        policy = self.of_settings
        if owner is not None:
            policy = Policy(
                _first(owner.cool_after_days, policy.cool_after_days),
                _first(owner.cold_after_days, policy.cold_after_days),
                _first(owner.archive_after_days, policy.archive_after_days),
                _first(owner.delete_after_days, policy.delete_after_days),
            )
        if self.last_tier is LastTier.ONLINE:
            ages = [policy.cold_after_days, policy.archive_after_days]
            cold = min((age for age in ages if age is not None), default=None)
            policy = replace(policy, cold_after_days=cold, archive_after_days=None)
        return replace(policy, delete_after_days=_first(retention_days, policy.delete_after_days))


@dataclass(frozen=True, slots=True)
class Aging:
    """What a policy needs to know about a dataset.

    Attributes:
        tier: The tier of the dataset's files.
        tier_changed_at: When the files came to that tier.
        last_used_at: The latest of the times when its files were written or moved to the Hot tier, when it was last
            downloaded or read by a job, and until when it stays online.
        legal_hold: Whether the dataset must not be deleted.
        is_on_its_way: Whether it is on its way to another tier because somebody has asked for it.
    """

    tier: Tier
    tier_changed_at: datetime
    last_used_at: datetime
    legal_hold: bool = False
    is_on_its_way: bool = False


class Action(StrEnum):
    """The kinds of steps."""

    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """A step that a dataset is due for. `tier` is the one that it moves to, or None for a deletion.

    `age_days` is how many whole days ago the dataset was last used. `early_days` is how many days are missing from the
    time that its present tier costs at least. It is 0 for moves.
    """

    action: Action
    tier: Tier | None
    age_days: int
    early_days: int = 0


def run_moment(day: date) -> datetime:
    """Returns the moment for which the run of a day decides: the beginning of the day (UTC).

    So the plan for a day and the run of that day decide the same, whenever they happen, and no age is shortened.
    """
    return datetime.combine(day, time.min, UTC)


def due_step(dataset: Aging, policy: Policy, moment: datetime) -> Step | None:
    """Returns the step that the dataset is due for at this moment, or None.

    A dataset that is in use until later than the moment has a negative age, so no step is due.
    """
    if dataset.is_on_its_way:
        return None
    age = (moment - dataset.last_used_at).days
    missing = EARLY_DELETION_DAYS[dataset.tier] - (moment - dataset.tier_changed_at).days
    delete_after = None if dataset.legal_hold else policy.delete_after_days
    if delete_after is not None and age >= delete_after:
        return Step(Action.DELETE, None, age, max(0, missing))
    tier = _lowest_tier(replace(policy, delete_after_days=delete_after), age)
    if tier is None or missing > 0 or not tier.is_colder_than(dataset.tier):
        return None
    return Step(Action.MOVE, tier, age)


def _lowest_tier(policy: Policy, age: int) -> Tier | None:
    """Returns the lowest tier that a dataset of this age belongs in, or None if that is the tier it began in."""
    leaves_at = policy.delete_after_days
    for tier in reversed(Tier):
        after = policy.days_until(tier)
        if after is None:
            continue
        enters_at = max(age, after)
        if leaves_at is not None and leaves_at - enters_at < EARLY_DELETION_DAYS[tier]:
            continue
        if age >= after:
            return tier
        leaves_at = after
    return None


def _first(chosen: int | None, default: int | None) -> int | None:
    return default if chosen is None else chosen
