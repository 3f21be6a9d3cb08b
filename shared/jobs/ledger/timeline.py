"""Says which steps of a job ran when, from rows that the steps write anyway."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.archiving.writing.part_ledger import PartLedger, PlanProgress
from shared.jobs.job.job import Job
from shared.jobs.job.states import Step
from shared.jobs.ledger.activity import Activity
from shared.jobs.ledger.job_data import JobData

_MOST_PLANS = 20


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the steps of a job ran.

    Attributes:
        steps: The states that the job entered, in order.
        activity: When candidates were fetched and judged.
        plans: The plans of datasets, the earliest first: one for each revision that has begun to write its dataset.
    """

    steps: Sequence[Step]
    activity: Activity
    plans: Sequence[PlanProgress]


class Timelines:
    """Reads the timelines of jobs: eight small rows, and one for each plan."""

    def __init__(self, data: JobData) -> None:
        self._ledger = data.ledger
        self._parts = PartLedger(data.storage.entities)

    async def read(self, job: Job) -> Timeline:
        """Returns the timeline of a job. Once its working blobs are deleted, it has the states only."""
        if not job.history:
            # it has no rows, and its id may be that of another job if its message was refused
            return Timeline(job.steps, Activity(), ())
        plans: list[PlanProgress] = []
        async for plan in self._parts.plans(job.id):
            plans.append(plan)
            if len(plans) == _MOST_PLANS:
                break
        plans.sort(key=lambda plan: plan.planned_at)
        return Timeline(job.steps, await self._ledger.activity(job.id), plans)
