"""Models of what a job may do, and of what it takes and costs."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from functions.http.declared import Model

if TYPE_CHECKING:
    from shared.costs.prices import Prices
    from shared.jobs.flow.quotas import Allowance
    from shared.jobs.submission.estimate import Estimate, Item


class PriceBasis(Model):
    """The prices behind a cost: their currency, the region, and the day on which they were looked up."""

    currency: str
    region: str
    date: date

    @classmethod
    def of(cls, prices: "Prices") -> Self:
        """Returns the answer for prices."""
        return cls(currency=prices.currency, region=prices.region, date=prices.date)


class AllowanceAnswer(Model):
    """What the caller's tier leaves for the job: how many images it may keep, and what would be left before it.

    With `limited_by_tier`, the job ends with `images_max` images at most, though its spec asks for more or does not say
    how many. `images_left_this_month` counts up to `resets_at`, and `jobs_left` are those at the same time.
    """

    images_max: int
    limited_by_tier: bool
    images_per_job: int
    images_left_this_month: int
    resets_at: datetime
    jobs_left: int

    @classmethod
    def of(cls, allowance: "Allowance") -> Self:
        """Returns the answer for an allowance."""
        tier, usage = allowance.tier, allowance.usage
        used = usage.images_kept + usage.images_reserved
        return cls(
            images_max=allowance.images,
            limited_by_tier=allowance.tier_limits,
            images_per_job=tier.images_per_job,
            images_left_this_month=max(0, tier.images_per_month - used),
            resets_at=usage.resets_at,
            jobs_left=max(0, tier.jobs_at_once - usage.jobs_open),
        )


class EstimatedItem(Model):
    """An amount, its cost in the currency of the prices, and what both assume. `cost` is null if nothing is charged."""

    amount: float
    cost: float | None
    assumption: str

    @classmethod
    def of(cls, item: "Item") -> Self:
        """Returns the answer for an item. Amounts are exact to a thousandth, and costs to a millionth."""
        cost = round(item.cost, 6) if item.cost is not None else None
        return cls(amount=round(item.amount, 3), cost=cost, assumption=item.assumption)


class EstimateAnswer(Model):
    """What the job takes, and what that costs with the deployment's prices.

    `job_cost` is the cost of the job itself: `executions`, `execution_gb_seconds` and `storage_transactions`. Keeping
    the dataset costs `storage_gb_month` every month, and each download `download_gb`.
    """

    prices: PriceBasis
    images: int
    candidates: int
    size_bytes: EstimatedItem
    duration_seconds: EstimatedItem
    executions: EstimatedItem
    execution_gb_seconds: EstimatedItem
    storage_transactions: EstimatedItem
    storage_gb_month: EstimatedItem
    download_gb: EstimatedItem
    job_cost: float

    @classmethod
    def of(cls, estimate: "Estimate") -> Self:
        """Returns the answer for an estimate."""
        return cls(
            prices=PriceBasis.of(estimate.prices),
            images=estimate.images,
            candidates=estimate.candidates,
            size_bytes=EstimatedItem.of(estimate.size),
            duration_seconds=EstimatedItem.of(estimate.duration),
            executions=EstimatedItem.of(estimate.executions),
            execution_gb_seconds=EstimatedItem.of(estimate.execution_time),
            storage_transactions=EstimatedItem.of(estimate.transactions),
            storage_gb_month=EstimatedItem.of(estimate.storage_month),
            download_gb=EstimatedItem.of(estimate.download),
            job_cost=round(estimate.job_cost, 6),
        )
