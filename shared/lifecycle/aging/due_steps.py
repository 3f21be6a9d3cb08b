"""Says which step each dataset is due for on a day, and what it saves.

The plan shows these steps, and the run takes them. So both have the same.
"""

from dataclasses import dataclass, field
from datetime import date

from shared.costs.prices import Prices
from shared.costs.storage import EARLY_DELETION_DAYS, early_deletion, move, saving_month, storage_month
from shared.datasets.dataset import Dataset
from shared.datasets.files import moves
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.lifecycle.aging.policy import Aging, Policies, Step, due_step, run_moment
from shared.storage.blobs import Tier
from shared.users.tiers import Tier as UserTier

_MOST_OWNERS = 1000


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step that a dataset is due for.

    `blobs` are the files that move, or whose tier says what a deletion costs, and `size_bytes` is their size.
    `saving_month` is how much less storage costs in a month, and `cost` what the step itself costs, in the currency of
    the prices.
    """

    dataset: Dataset
    step: Step
    blobs: tuple[str, ...]
    size_bytes: int
    saving_month: float
    cost: float


@dataclass(slots=True)
class DueSteps:
    """The steps that datasets are due for on one day. It remembers the tiers of some owners, so it is used for a while.

    A dataset that is being deleted, or is recorded without any files, is due for nothing.
    """

    day: date
    limits: OwnerLimits
    policies: Policies
    prices: Prices
    _owners: dict[str, UserTier | None] = field(default_factory=dict)

    async def of(self, dataset: Dataset) -> DueStep | None:
        """Returns the step that the dataset is due for, or None.

        Raises:
            Unavailable: storage did not answer.
        """
        blobs = tuple(filter(moves, dataset.blobs))
        if dataset.keeping.deleting_since is not None or not blobs:
            return None
        owner = await self._tier_of_owner(dataset.user_id)
        policy = self.policies.policy_of(owner, dataset.keeping.retention_days)
        step = due_step(_aging(dataset), policy, run_moment(self.day))
        if step is None:
            return None
        size, origin, target = size_of(dataset, blobs), dataset.tier, step.tier
        if target is None:
            saving = storage_month(self.prices, {origin: size})
            days_in_tier = EARLY_DELETION_DAYS[origin] - step.early_days
            cost = early_deletion(self.prices, size, origin, days_in_tier)
        else:
            saving = saving_month(self.prices, size, origin, target)
            cost = move(self.prices, size, len(blobs), origin, target, EARLY_DELETION_DAYS[origin])
        return DueStep(dataset, step, blobs, size, saving, cost)

    async def _tier_of_owner(self, user_id: str) -> UserTier | None:
        if user_id not in self._owners:
            found = await self.limits.tier_of_owner(user_id)
            if len(self._owners) >= _MOST_OWNERS:
                self._owners.clear()
            self._owners[user_id] = found
        return self._owners[user_id]


@dataclass(frozen=True, slots=True)
class LifecycleRules:
    """All that decides about steps: the tiers of owners, the policies and the prices."""

    limits: OwnerLimits
    policies: Policies
    prices: Prices

    def on(self, day: date) -> DueSteps:
        """Returns the steps that are due on a day."""
        return DueSteps(day, self.limits, self.policies, self.prices)


def size_of(dataset: Dataset, blobs: tuple[str, ...]) -> int:
    """Returns the size of some of a dataset's files in bytes, or of all its files if their sizes are not recorded."""
    checksums = dataset.checksums
    if not all(blob in checksums for blob in blobs):
        return dataset.size_bytes
    return sum(checksums[blob].size_bytes for blob in blobs)


def _aging(dataset: Dataset) -> Aging:
    keeping, since = dataset.keeping, dataset.tier_since
    # no policy moves a dataset to the Hot tier: its files were written then, or somebody wanted it there
    uses = [dataset.created_at, since if dataset.tier is Tier.HOT else None]
    uses += [keeping.last_download_at, keeping.last_job_at, keeping.online_until]
    return Aging(
        dataset.tier,
        since,
        max(use for use in uses if use is not None),
        legal_hold=keeping.legal_hold,
        is_on_its_way=keeping.chain is not None,
    )
