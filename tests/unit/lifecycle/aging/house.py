"""Many datasets of several users in memory, and the runs that age them, which may be killed."""

import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from shared.clock import Deadline
from shared.datasets.all_datasets import AllDatasets, Place
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.keeping import Keeping
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.lifecycle.aging.plan import Plan
from shared.lifecycle.aging.run import AgeDatasets
from shared.lifecycle.aging.run_rows import Run, Runs
from shared.settings import Settings
from shared.storage.blobs import Tier
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import ADMIN, TierName
from shared.users.store import UserStore
from shared.users.tiers import read_tiers
from shared.users.user import User
from shared.wiring import App
from tests.unit.datasets.made import made
from tests.unit.manual_clock import ManualClock

TIERS = read_tiers({"free": {"archive_after_days": 40, "delete_after_days": 400}})
DAY = timedelta(days=1)
FILES = ("shards/00001.tar", "shards/00002.tar", "README.md", "ATTRIBUTION.md", "SHA256SUMS")


class KilledError(BaseException):
    """Stands for the end of the process, which no code can catch."""


class Life:
    """Calls of storage until the process is killed: `calls_left` of them, or any number if it is below 0."""

    def __init__(self, calls_left: int = -1) -> None:
        self.calls_left = calls_left

    def step(self) -> None:
        """Counts a call, or ends the process."""
        if self.calls_left == 0:
            raise KilledError
        self.calls_left -= 1


def mortal[Store](store: Store, life: Life) -> Store:
    """Returns the store as a process sees it that may be killed at each call."""
    return cast("Store", _Mortal(store, life))


class _Mortal:
    def __init__(self, store: object, life: Life) -> None:
        self._store, self._life = store, life

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._store, name)

        async def stream(*args: object, **kwargs: object) -> AsyncGenerator[object]:
            self._life.step()
            async for item in method(*args, **kwargs):
                yield item

        async def call(*args: object, **kwargs: object) -> object:
            self._life.step()
            return await method(*args, **kwargs)

        return stream if name in {"list", "query", "scan"} else call


class AgingHouse:
    """Datasets of several users in memory. Each night, a new process runs."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.telemetry = ManualClock(), RecordingTelemetry()
        self.blobs, self.entities, self.queues = MemoryBlobs(self.clock), MemoryEntities(), MemoryQueues()
        self._settings = Settings(tiers=TIERS, **settings)
        self.catalog, self.runs = Catalog(self.entities, self.blobs), Runs(self.entities)
        self.app = self.process()

    def process(self, life: Life | None = None) -> App:
        """Returns the app of a new process, which lives forever by default."""
        app, life = App(self._settings), life or Life()
        vars(app).update(
            clock=self.clock,
            telemetry=self.telemetry,
            blobs=mortal(self.blobs, life),
            entities=mortal(self.entities, life),
            queues=mortal(self.queues, life),
        )
        return app

    async def add(self, dataset_id: str, user_id: str = ADMIN, **fields: Any) -> Dataset:
        """Records a WebDataset that is made now, with its files."""
        folder = f"datasets/job_{dataset_id}/"
        blobs = tuple(f"{folder}{name}" for name in FILES)
        dataset: Dataset = made(dataset_id, user_id, blobs=blobs, created_at=self.clock.now(), **fields)
        for blob in (*dataset.blobs, dataset.records_blob):
            await self.blobs.put(blob, b"x")
            stays = not blob.endswith(".tar")
            await self.blobs.set_tier(blob, Tier.HOT if stays else dataset.tier)
        await self.catalog.put(dataset)
        return dataset

    async def keep(self, dataset: Dataset, **change: Any) -> None:
        """Changes how a dataset is kept."""

        def changed(found: Dataset) -> Dataset:
            return replace(found, keeping=replace(found.keeping, **change))

        await self.catalog.keep(dataset.user_id, dataset.id, changed)

    async def add_users(self) -> list[str]:
        """Makes a user of each tier; returns the ids of all who own datasets."""
        for tier in TierName:
            await UserStore(self.entities).create(User(f"u-{tier}", tier, tier, self.clock.now()))
        return [*(f"u-{tier}" for tier in TierName), ADMIN, "deleted"]

    async def add_many(self, number: int, seed: int) -> None:
        """Records datasets of all ages and kinds, which were kept in all ways. It takes two years of the clock."""
        rng, owners = random.Random(seed), await self.add_users()
        for at in range(number):
            self.clock.moment += 730 * DAY / number
            tier = rng.choice(list(Tier))
            keeping = Keeping(
                tier_changed_at=self.clock.now() if tier is Tier.HOT else None,
                last_download_at=rng.choice([None, self.clock.now() + rng.randint(0, 300) * DAY]),
                online_until=rng.choice([None, None, self.clock.now() + rng.randint(0, 800) * DAY]),
                legal_hold=rng.random() < 0.2,
                retention_days=rng.choice([None, None, None, rng.randint(10, 500)]),
            )
            fields = {"tier": tier, "keeping": keeping, "size_bytes": rng.randint(1, 1 << 34)}
            await self.add(f"d{at:05}", rng.choice(owners), **fields)

    async def plan(self, size: int = 100_000) -> Plan:
        """Returns the plan for the next run."""
        return await self.app.lifecycle_planner.read(size, self.deadline())

    async def night(self, *, lives: Callable[[], Life] | None = None, seconds: float = 1e9) -> Run:
        """Runs until the run of this day is finished; returns it. With `lives`, each message has a process of its own.

        Then the messages that the run has sent are handled.
        """
        task = AgeDatasets(self.clock.now().date())
        is_done = False
        while not is_done:
            try:
                app = self.process(lives()) if lives else self.app
                again = await app.aging_run.handle(task, Deadline.after(self.clock, seconds))
                is_done = again is None
            except* KilledError:
                # the message comes again
                pass
        for text in self.queues.take(LIFECYCLE_QUEUE):
            await self.app.task_queue.run(text, self.deadline())
        run = await self.runs.get(task.day)
        assert run is not None
        return run

    def deadline(self) -> Deadline:
        """Returns a deadline that does not pass."""
        return Deadline.after(self.clock, 1e9)

    async def state(self) -> dict[str, tuple[Dataset, dict[str, Tier | None]]]:
        """Returns all datasets as they are recorded, with the tiers of their files."""
        found = {}
        async for row in AllDatasets(self.entities).rows(Place()):
            dataset = row.read()
            assert dataset is not None
            tiers = {info.name: info.tier async for info in self.blobs.list(f"datasets/job_{dataset.id}/")}
            since = dataset.keeping.tier_changed_at
            day = since.replace(hour=0, minute=0, second=0, microsecond=0) if since else None
            found[dataset.id] = (
                replace(dataset, keeping=replace(dataset.keeping, tier_changed_at=day)),
                tiers,
            )
        return found

    def events(self) -> Counter[str]:
        """Returns how often each dataset was reported as archived."""
        return Counter(str(event.properties["dataset"]) for event in self.telemetry.named("dataset_archived"))
