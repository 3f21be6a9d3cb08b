"""Says what the next run will do, and what that saves: the steps that all datasets are due for on its day."""

from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date

from shared.clock import Clock, Deadline
from shared.datasets.all_datasets import AllDatasets, Place
from shared.errors import Damaged
from shared.lifecycle.aging.due_steps import DueStep, LifecycleRules
from shared.lifecycle.aging.policy import Action
from shared.lifecycle.aging.run_rows import Runs
from shared.storage.blobs import Tier


@dataclass(slots=True)
class Total:
    """All steps of one kind: the number of datasets, their size, and the sums of what the steps save and cost."""

    action: Action
    origin: Tier
    target: Tier | None
    datasets: int = 0
    size_bytes: int = 0
    saving_month: float = 0.0
    cost: float = 0.0

    def add(self, due: DueStep) -> None:
        """Adds a step."""
        self.datasets += 1
        self.size_bytes += due.size_bytes
        self.saving_month += due.saving_month
        self.cost += due.cost


@dataclass(slots=True)
class Plan:
    """A part of the plan for a day: what was read of it.

    Attributes:
        items: The first steps, in order of user and dataset.
        totals: The steps of all datasets that were read, by kind.
        seen: How many datasets were read that are not being deleted. `damaged` counts rows that cannot be read.
        complete: Whether all datasets behind the beginning were read.
        more_after: The place behind which there are further items, or None if there are none.
    """

    day: date
    items: list[DueStep] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    seen: int = 0
    damaged: int = 0
    complete: bool = False
    more_after: Place | None = None


@dataclass(frozen=True, slots=True)
class Planner:
    """Reads plans. Nothing is stored: each plan is made of the datasets as they are recorded at that moment."""

    datasets: AllDatasets
    rules: LifecycleRules
    runs: Runs
    clock: Clock

    async def read(
        self, size: int, deadline: Deadline, *, after: Place | None = None, day: date | None = None
    ) -> Plan:
        """Returns the plan for a day: up to `size` items, and the totals.

        Without `after`, it goes on for the totals after the last item, until all datasets are read or the deadline
        passes. With `after`, it returns the items behind that place, and stops when it has them.

        Args:
            size: How many items there may be.
            deadline: When to stop reading.
            after: Where to begin, or None for the beginning.
            day: The day of the run, or None for the next one.

        Raises:
            Unavailable: storage did not answer.
        """
        day = day or await self.runs.next_day(self.clock.now())
        plan, due, totals = Plan(day), self.rules.on(day), dict[tuple[Tier, Tier | None], Total]()
        place = after or Place()
        async with aclosing(self.datasets.rows(place)) as rows:
            async for row in rows:
                if deadline.passed or (after is not None and len(plan.items) == size):
                    break
                place = row.place
                try:
                    dataset = row.read()
                except Damaged:
                    plan.damaged += 1
                    continue
                if dataset is None or dataset.keeping.deleting_since is not None:
                    continue
                plan.seen += 1
                step = await due.of(dataset)
                if step is None:
                    continue
                _add(totals, step)
                if len(plan.items) < size:
                    plan.items.append(step)
                elif plan.more_after is None:
                    last = plan.items[-1].dataset
                    plan.more_after = Place(last.user_id, last.id)
            else:
                plan.complete = True
        if not plan.complete and plan.more_after is None:
            plan.more_after = place
        plan.totals = sorted(totals.values(), key=_order)
        return plan


def _add(totals: dict[tuple[Tier, Tier | None], Total], due: DueStep) -> None:
    key = (due.dataset.tier, due.step.tier)
    if key not in totals:
        totals[key] = Total(due.step.action, *key)
    totals[key].add(due)


def _order(total: Total) -> tuple[int, int]:
    tiers = list(Tier)
    return tiers.index(total.origin), len(tiers) if total.target is None else tiers.index(total.target)
