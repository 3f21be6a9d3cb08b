"""Models of the answers on the lifecycle of datasets: what the next run over all of them will do."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Self

from functions.http.declared import Model
from functions.http.models.estimate import PriceBasis
from functions.http.models.keeping import AnyTier

if TYPE_CHECKING:
    from shared.costs.prices import Prices
    from shared.lifecycle.aging.due_steps import DueStep
    from shared.lifecycle.aging.plan import Plan, Total
    from shared.lifecycle.aging.run_rows import Run

PLAN = "/api/v1/lifecycle/plan"
_DIGITS = 6

type StepAction = Literal["move", "delete"]


class PlannedStep(Model):
    """What the run does with one dataset: it moves the files from the tier `origin` to `target`, or deletes them.

    `age_days` is how long the dataset was not used. `saving_month` is how much less storage costs in a month, `cost`
    what the step itself costs: operations, and for a deletion the rest of the tier's shortest time.
    """

    user_id: str
    dataset_id: str
    name: str
    action: StepAction
    origin: AnyTier
    target: AnyTier | None
    age_days: int
    files: int
    size_bytes: int
    saving_month: float
    cost: float

    @classmethod
    def of(cls, due: "DueStep") -> Self:
        """Returns the answer for a step."""
        dataset, step = due.dataset, due.step
        return cls(
            user_id=dataset.user_id,
            dataset_id=dataset.id,
            name=dataset.name,
            action=step.action.value,
            origin=dataset.tier.value,
            target=step.tier.value if step.tier else None,
            age_days=step.age_days,
            files=len(due.blobs),
            size_bytes=due.size_bytes,
            saving_month=round(due.saving_month, _DIGITS),
            cost=round(due.cost, _DIGITS),
        )


class PlannedTotal(Model):
    """All steps of one kind: from one tier to another one, or the deletions of datasets in one tier."""

    action: StepAction
    origin: AnyTier
    target: AnyTier | None
    datasets: int
    size_bytes: int
    saving_month: float
    cost: float

    @classmethod
    def of(cls, total: "Total") -> Self:
        """Returns the answer for a total."""
        return cls(
            action=total.action.value,
            origin=total.origin.value,
            target=total.target.value if total.target else None,
            datasets=total.datasets,
            size_bytes=total.size_bytes,
            saving_month=round(total.saving_month, _DIGITS),
            cost=round(total.cost, _DIGITS),
        )


class PlannedTotals(Model):
    """The totals of the plan. Unless they are `complete`, there was no time to read all datasets.

    `datasets` is how many were read, and `unreadable` how many could not be read.
    """

    complete: bool
    datasets: int
    unreadable: int
    steps: list[PlannedTotal]
    saving_month: float
    cost: float

    @classmethod
    def of(cls, plan: "Plan") -> Self:
        """Returns the totals of a plan."""
        return cls(
            complete=plan.complete,
            datasets=plan.seen,
            unreadable=plan.damaged,
            steps=[PlannedTotal.of(total) for total in plan.totals],
            saving_month=round(sum(total.saving_month for total in plan.totals), _DIGITS),
            cost=round(sum(total.cost for total in plan.totals), _DIGITS),
        )


class RunAnswer(Model):
    """What a run has done so far, in numbers of datasets. `finished_at` is null while it has not ended.

    `archived` are those of `moved` that came to the Archive tier. What `failed` is tried again by the next run.
    """

    date: date
    started_at: datetime
    finished_at: datetime | None
    seen: int
    moved: int
    archived: int
    deleted: int
    failed: int

    @classmethod
    def of(cls, run: "Run") -> Self:
        """Returns the answer for a run."""
        counts = run.counts
        return cls(
            date=run.day,
            started_at=run.started_at,
            finished_at=run.finished_at,
            seen=counts.seen,
            moved=counts.moved,
            archived=counts.archived,
            deleted=counts.deleted,
            failed=counts.failed,
        )


class LifecyclePlan(Model):
    """What the run of a date (UTC) will do, in order of user and dataset.

    Saving and cost are in the currency of the prices. `totals` are null on all pages but the first one. `next` is the
    path of the next page. `last_run` is the run of today or of yesterday.
    """

    date: date
    prices: PriceBasis
    totals: PlannedTotals | None
    items: list[PlannedStep]
    next: str | None
    last_run: RunAnswer | None

    @classmethod
    def of(
        cls, plan: "Plan", prices: "Prices", last_run: "Run | None", *, has_totals: bool, more: str | None
    ) -> Self:
        """Returns the answer for a plan. `more` is the path of the next page."""
        return cls(
            date=plan.day,
            prices=PriceBasis.of(prices),
            totals=PlannedTotals.of(plan) if has_totals else None,
            items=[PlannedStep.of(due) for due in plan.items],
            next=more,
            last_run=RunAnswer.of(last_run) if last_run else None,
        )
