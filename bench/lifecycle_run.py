"""`python -m bench.lifecycle_run fill|plan|run FILE [NUMBER]`: simulated datasets in a file, their plan and their run.

The app is wired as usual, except for storage and the clock, which stands still at one night. `fill` makes datasets, and
`run` goes on where an earlier process was killed. It prints a line when it begins. The last line is JSON.
"""

import asyncio
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import override

from bench.disk_storage import DiskBlobs, DiskEntities, DiskQueues, open_file
from bench.usage import high_water_mb
from shared.clock import Deadline, SystemClock
from shared.datasets.dataset import Dataset
from shared.datasets.keeping import Keeping
from shared.datasets.rows import to_entity
from shared.lifecycle.aging.run import AgeDatasets
from shared.lifecycle.aging.run_rows import Runs
from shared.settings import Settings
from shared.storage.blobs import Tier
from shared.storage.entities import Change, Entity, Put
from shared.storage.newest_first import mark, place_of
from shared.telemetry.recording import RecordingTelemetry
from shared.wiring import App

BEGUN = "begun"
_NIGHT = datetime(2026, 11, 29, 2, tzinfo=UTC)
_SLICE_SECONDS = 20.0
_DAY = timedelta(days=1)
_USERS = 50
# one in a hundred datasets has a retention that is over
_DELETED = 0.01
_ROWS_AT_A_TIME = 90


class _Clock(SystemClock):
    @override
    def now(self) -> datetime:
        return _NIGHT


class _Simulation:
    """An app whose storage is in a file."""

    def __init__(self, path: Path) -> None:
        self._connection = open_file(path)
        self._entities, self._queues = DiskEntities(self._connection), DiskQueues(self._connection)
        self._app = App(Settings())
        # values in the instance's dict take precedence over the cached properties that would make them
        vars(self._app).update(
            clock=_Clock(),
            telemetry=RecordingTelemetry(),
            entities=self._entities,
            blobs=DiskBlobs(self._connection),
            queues=self._queues,
        )

    async def fill(self, number: int) -> dict[str, object]:
        """Records datasets that were made on each of 400 days; three in four are due for a step."""
        chance, waiting = random.Random(1), dict[str, list[Change]]()  # noqa: S311 - simulates datasets, keeps no secret
        for dataset in _datasets(number, chance):
            names = (dataset.blobs[0], dataset.records_blob)
            for name, tier in zip(names, (dataset.tier, Tier.HOT), strict=True):
                self._connection.execute("insert into blobs values (?, ?)", (name, tier.value))
            listed = mark(dataset.user_id, place_of(dataset.id, dataset.created_at))
            await self._put(waiting, dataset.user_id, [Put(to_entity(dataset)), listed])
            owner = Entity("~owners", dataset.id, {"user_id": dataset.user_id})
            await self._put(waiting, "~owners", [Put(owner)])
        for partition, changes in waiting.items():
            await self._entities.apply("datasets", partition, changes)
        return {"datasets": number}

    async def _put(self, waiting: dict[str, list[Change]], partition: str, changes: list[Change]) -> None:
        found = waiting.setdefault(partition, [])
        found += changes
        if len(found) > _ROWS_AT_A_TIME:
            await self._entities.apply("datasets", partition, waiting.pop(partition))

    async def plan(self) -> dict[str, object]:
        """Reads the whole plan page by page, as the HTTP function does, and returns its steps as a digest."""
        began, planner, clock = time.perf_counter(), self._app.lifecycle_planner, self._app.clock
        plan = await planner.read(100, Deadline.after(clock, 3600))
        totals, first_page_seconds = plan.totals, time.perf_counter() - began
        digest, steps = hashlib.sha256(), 0
        while True:
            for due in plan.items:
                tier = due.step.tier.value if due.step.tier else "-"
                digest.update(f"{due.dataset.user_id}/{due.dataset.id} {tier}\n".encode())
            steps += len(plan.items)
            if plan.more_after is None:
                break
            plan = await planner.read(100, Deadline.after(clock, 3600), after=plan.more_after)
        if steps != sum(total.datasets for total in totals):
            raise RuntimeError(f"the pages have {steps} steps, the totals others")
        return {"seconds": first_page_seconds, "steps": steps, "digest": digest.hexdigest()}

    async def run(self) -> dict[str, object]:
        """Runs slice after slice until the run is finished, and then handles the deletions that it has sent."""
        print(BEGUN, flush=True)
        began, task, slices = time.perf_counter(), AgeDatasets(_NIGHT.date()), 1
        run, clock = self._app.aging_run, self._app.clock
        while await run.handle(task, Deadline.after(clock, _SLICE_SECONDS)) is not None:
            slices += 1
        seconds = time.perf_counter() - began
        while (message := self._queues.first()) is not None:
            number, text = message
            await self._app.task_queue.run(text, Deadline.after(clock, _SLICE_SECONDS))
            self._queues.delete(number)
        done = await Runs(self._entities).get(task.day)
        if done is None:
            raise RuntimeError("the run has no row")
        return {"seconds": seconds, "slices": slices, "counts": repr(done.counts)}


def _datasets(number: int, chance: random.Random) -> Iterator[Dataset]:
    for at in range(number):
        dataset_id = f"{chance.getrandbits(96):024x}"
        made_at = _NIGHT - chance.randint(0, 399) * _DAY - timedelta(hours=1)
        age = (_NIGHT - made_at).days
        in_cool = age > 60 and at % 4 == 0
        keeping = Keeping(
            tier_changed_at=made_at + 30 * _DAY if in_cool else made_at,
            last_download_at=_NIGHT - age // 2 * _DAY if at % 10 == 0 else None,
            retention_days=1 if chance.random() < _DELETED else None,
            legal_hold=at % 1000 == 0,
        )
        folder = f"datasets/job_{dataset_id}/"
        yield Dataset(
            id=dataset_id,
            user_id=f"user{at % _USERS}",
            name=f"pictures of {at}",
            created_at=made_at,
            image_count=1000,
            size_bytes=70_000_000,
            format="zip",
            tier=Tier.COOL if in_cool else Tier.HOT,
            blobs=(f"{folder}dataset.zip",),
            records_blob=f"{folder}records.jsonl.gz",
            counts={label: {"kept": 500, "duplicate": 20} for label in ("cat", "dog")},
            splits={"train": 1000},
            keeping=keeping,
        )


async def _main(command: str, path: Path, *numbers: str) -> None:
    simulation = _Simulation(path)
    if command == "fill":
        found = await simulation.fill(int(numbers[0]))
    else:
        found = await (simulation.plan() if command == "plan" else simulation.run())
    print(json.dumps({**found, "peak_mb": high_water_mb()}))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
