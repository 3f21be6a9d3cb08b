"""Takes the steps that datasets are due for, once a day: the datasets of all users, in slices, through a queue.

A slice reads some hundred datasets, takes their steps, and adds what it did to the row of the run in one write with the
place where the run goes on (`run_rows.py`). It does so again until its time is over, and a further message continues. A
slice that is killed is done again from the last place. It finds by its own time in the rows what the run has done
already, and so it counts each dataset once.

A failure of one dataset does not stop the others. It is reported, and the next run tries again.
"""

from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile
from typing import ClassVar, Final

from shared.clock import Deadline
from shared.concurrency import process_concurrently
from shared.datasets.all_datasets import AllDatasets, DatasetRow
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Conflict, Damaged, NotFound, Permanent
from shared.lifecycle.aging.due_steps import DueStep, DueSteps, LifecycleRules
from shared.lifecycle.aging.mover import Mover, OutOfTimeError, tier_of_move, without_move_of
from shared.lifecycle.aging.policy import run_moment
from shared.lifecycle.aging.run_rows import Counts, Run, Runs
from shared.lifecycle.deletion import Deletion
from shared.lifecycle.messages import Task
from shared.lifecycle.moves.requests import MoveRequests
from shared.lifecycle.task_queue import Again, Kind
from shared.runtime import Runtime
from shared.storage.blobs import Tier
from shared.telemetry import signals

_ROWS_AT_A_TIME: Final = 200
_DATASETS_AT_A_TIME: Final = 8
_MOST_REPORTS: Final = 100
_LEAST_SECONDS: Final = 5.0
_MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class AgeDatasets(Task):
    """The task to go on with the run of a day."""

    kind: ClassVar[str] = "age_datasets"
    day: date


@dataclass(frozen=True, slots=True)
class DatasetParts:
    """The services that read, move and delete datasets."""

    all: AllDatasets
    catalog: Catalog
    mover: Mover
    deletion: Deletion
    requested_moves: MoveRequests


@dataclass(slots=True)
class _Slice:
    """What holds for one slice. `reports_left` is how many more failures it reports, so that they are no flood."""

    due: DueSteps
    deadline: Deadline
    reports_left: int = _MOST_REPORTS


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one dataset: what is to be counted, and the dataset if it is being deleted."""

    counts: Counts
    deleting: Dataset | None = None


class AgingRun:
    """The run of a day. Slices of it may be handled twice, also at the same time."""

    def __init__(self, runs: Runs, rules: LifecycleRules, datasets: DatasetParts, runtime: Runtime) -> None:
        self._runs = runs
        self._rules = rules
        self._datasets = datasets
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry

    @property
    def kind(self) -> Kind[AgeDatasets]:
        """The kind of task that it handles."""
        return Kind(AgeDatasets, self.handle)

    async def handle(self, task: AgeDatasets, deadline: Deadline) -> Again | None:
        """Goes on with the run until the deadline passes; returns the further task, or None if the run is finished.

        Raises:
            Permanent: the day has not begun.
            Unavailable: storage did not answer when the datasets were listed, or when the run's row was written.
        """
        now = self._clock.now()
        if run_moment(task.day) > now:
            raise Permanent(f"The day {task.day} of a lifecycle run has not begun.")
        run = await self._runs.begin(task.day, now)
        if run.finished_at is not None:
            return None
        await self._send_deletions_again(run)
        part = _Slice(self._rules.on(task.day), deadline)
        rows: list[DatasetRow] = []
        async with aclosing(self._datasets.all.rows(run.after)) as found:
            async for row in found:
                rows.append(row)
                if len(rows) < _ROWS_AT_A_TIME:
                    continue
                further = await self._advance(run, rows, part)
                if further is None or deadline.passed:
                    return Again(task)
                run, rows = further, []
        further = await self._advance(run, rows, part)
        if further is None or (rows and further.after != rows[-1].place):
            return Again(task)
        finished = await self._runs.finish(further, self._clock.now())
        if finished:
            signals.datasets_archived(self._telemetry, count=further.counts.archived)
        return None

    async def _send_deletions_again(self, run: Run) -> None:
        """Sends the deletions of the last datasets that the run has done, because a process may have died before it."""
        if run.before == run.after:
            return
        async with aclosing(self._datasets.all.rows(run.before)) as rows:
            async for row in rows:
                if row.place > run.after:
                    return
                with suppress(Damaged):
                    dataset = row.read()
                    if dataset is not None and dataset.keeping.deleting_since is not None:
                        await self._datasets.deletion.send(dataset.user_id, dataset.id)

    async def _advance(self, run: Run, rows: Sequence[DatasetRow], part: _Slice) -> Run | None:
        """Takes the steps of the rows, and records that; returns the run as it goes on.

        The run goes on behind the last row before the first one that there was no time for. It is None if another slice
        was faster.
        """
        outcomes: list[_Outcome | None] = [None] * len(rows)
        # some time for the first dataset in any case, so that every slice makes progress
        least = Deadline.after(self._clock, max(_LEAST_SECONDS, part.deadline.remaining_seconds))

        async def work(number: int) -> None:
            until = least if number == 0 else part.deadline
            if not until.passed:
                outcomes[number] = await self._age(rows[number], run, part, until)

        await process_concurrently(range(len(rows)), work, _DATASETS_AT_A_TIME)
        done = list(takewhile(bool, outcomes))
        counts, deleting = Counts(), list[Dataset]()
        for outcome in filter(None, done):
            counts = counts.plus(outcome.counts)
            deleting += [outcome.deleting] if outcome.deleting else []
        after = rows[len(done) - 1].place if done else run.after
        further = await self._runs.advance(run, after, counts)
        # only now, because a dataset that is deleted could not be counted any more
        for dataset in deleting if further is not None else ():
            await self._datasets.deletion.send(dataset.user_id, dataset.id)
        return further

    async def _age(self, row: DatasetRow, run: Run, part: _Slice, until: Deadline) -> _Outcome | None:
        """Takes the step of one dataset; returns what became of it, or None if there was not enough time."""
        try:
            dataset = row.read()
            if dataset is None:
                return _Outcome(Counts())
            outcome = await self._take(dataset, run, part.due, until)
        except OutOfTimeError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever fails with one dataset, those behind it must not wait for it
            if part.reports_left:
                part.reports_left -= 1
                signals.failure(self._telemetry, error, operation="age_dataset", dataset=row.place.dataset_id)
            outcome = _Outcome(Counts(failed=1))
        return replace(outcome, counts=outcome.counts.plus(Counts(seen=1)))

    async def _take(self, dataset: Dataset, run: Run, due: DueSteps, deadline: Deadline) -> _Outcome:
        resting = without_move_of(dataset, run.started_at)
        if resting.keeping.chain is not None and dataset.keeping.deleting_since is None:
            await self._datasets.requested_moves.resume(dataset)
            return _done_before(dataset, run)
        if await due.of(resting) is None:
            return _done_before(dataset, run)
        # the row was read some time ago: somebody may use the dataset by now
        current = await self._datasets.catalog.get(dataset.user_id, dataset.id)
        if current is None:
            return _Outcome(Counts())
        step = await due.of(without_move_of(current, run.started_at))
        if step is None:
            return _Outcome(Counts())
        if step.step.tier is None:
            return await self._begin_deletion(step.dataset, run)
        # the policy may have changed since another slice began to move the files
        tier = tier_of_move(current, run.started_at) or step.step.tier
        return await self._move(step, tier, run, deadline)

    async def _begin_deletion(self, dataset: Dataset, run: Run) -> _Outcome:
        try:
            marked = await self._datasets.deletion.mark_dataset(
                dataset.user_id, dataset.id, run.started_at, only_as=dataset
            )
        except (NotFound, Conflict):
            # it was deleted, changed or used just now, or its job is being retried
            return _Outcome(Counts())
        return _done_before(marked, run)

    async def _move(self, due: DueStep, tier: Tier, run: Run, deadline: Deadline) -> _Outcome:
        dataset = due.dataset
        recorded = await self._datasets.mover.move(dataset, due.blobs, tier, run.started_at, deadline)
        if recorded and tier is Tier.ARCHIVE:
            signals.dataset_archived(
                self._telemetry,
                dataset=dataset.id,
                age_days=due.step.age_days,
                size_mb=due.size_bytes / _MB,
            )
        current = await self._datasets.catalog.get(dataset.user_id, dataset.id, also_deleting=True)
        return _done_before(current, run) if current is not None else _Outcome(Counts())


def _done_before(dataset: Dataset, run: Run) -> _Outcome:
    """Returns what this run has done to a dataset, in this slice or in one that was killed.

    A dataset whose deletion began earlier is among those to delete, in case its deletion was interrupted.
    """
    keeping = dataset.keeping
    if keeping.deleting_since is not None:
        return _Outcome(Counts(deleted=int(keeping.deleting_since == run.started_at)), dataset)
    if keeping.tier_changed_at == run.started_at:
        return _Outcome(Counts(moved=1, archived=int(dataset.tier is Tier.ARCHIVE)))
    return _Outcome(Counts())
