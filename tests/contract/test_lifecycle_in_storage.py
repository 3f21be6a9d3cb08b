"""Datasets age in every kind of storage, as the plan has said."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.lifecycle.aging.run import AgeDatasets
from shared.settings import Settings
from shared.storage.blobs import Tier
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry.recording import RecordingTelemetry
from shared.wiring import App
from tests.unit.datasets.made import made
from tests.unit.manual_clock import ManualClock

NOW = datetime(2026, 11, 29, 2, tzinfo=UTC)
DAY = timedelta(days=1)


class OwnTables:
    """The tables of one test: those of other tests have other names."""

    def __init__(self, entities: Any, name: str) -> None:
        self._entities = entities
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        found = getattr(self._entities, method)
        return lambda table, *args, **options: found(f"{table}{self._name}", *args, **options)


def app_over(blobs, entities, unique):
    app, queues = App(Settings()), MemoryQueues()
    clock, telemetry = ManualClock(NOW), RecordingTelemetry()
    tables = OwnTables(entities, unique)
    vars(app).update(clock=clock, telemetry=telemetry, blobs=blobs, entities=tables, queues=queues)
    return app, queues


async def tier_of(app, dataset_id):
    info = await app.blobs.info(f"datasets/job_{dataset_id}/dataset.zip")
    return info.tier if info else None


async def test_the_run_does_in_storage_what_the_plan_says(blobs, entities, unique):
    app, queues = app_over(blobs, entities, unique)
    ages = {"new": 5, "old": 40, "older": 100, "done": 51}
    for name, days in ages.items():
        dataset = made(f"{name}-{unique}", f"of-{name}", created_at=NOW - days * DAY)
        for blob in (*dataset.blobs, dataset.records_blob):
            await blobs.put(blob, b"x")
        await app.catalog.put(dataset)
        if name == "done":
            await app.catalog.keep(dataset.user_id, dataset.id, lambda found: _deleted_after(found, 50))
    plan = await app.lifecycle_planner.read(100, app.deadline())
    assert [(item.dataset.user_id, item.step.tier) for item in plan.items] == [
        ("of-done", None),
        ("of-old", Tier.COOL),
        ("of-older", Tier.ARCHIVE),
    ]
    task = AgeDatasets(NOW.date())
    assert await app.aging_run.handle(task, app.deadline()) is None
    for text in queues.take(LIFECYCLE_QUEUE):
        await app.task_queue.run(text, app.deadline())
    tiers = {name: await tier_of(app, f"{name}-{unique}") for name in ages}
    assert (tiers["old"], tiers["older"], tiers["done"]) == (Tier.COOL, Tier.ARCHIVE, None)
    assert tiers["new"] in {Tier.HOT, None}
    assert (await app.catalog.require("of-older", f"older-{unique}")).tier is Tier.ARCHIVE
    assert await app.catalog.get("of-done", f"done-{unique}", also_deleting=True) is None
    assert await blobs.get(f"datasets/job_older-{unique}/records.jsonl.gz") == b"x"
    assert (await app.lifecycle_planner.read(100, app.deadline())).items == []
    # the message comes again
    assert await app.aging_run.handle(task, app.deadline()) is None
    run = await app.lifecycle_planner.runs.get(NOW.date())
    assert (run.counts.seen, run.counts.moved, run.counts.archived, run.counts.deleted) == (4, 2, 1, 1)


def _deleted_after(dataset, days):
    return replace(dataset, keeping=replace(dataset.keeping, retention_days=days))


async def test_a_run_that_is_continued_knows_to_the_microsecond_when_it_began(blobs, entities, unique):
    app, _ = app_over(blobs, entities, unique)
    runs, now = app.lifecycle_planner.runs, NOW + timedelta(microseconds=1_234_567)
    begun = await runs.begin(now.date(), now)
    continued = await runs.begin(now.date(), now + DAY)
    # moves of the run are named after this text
    assert continued.started_at.isoformat() == begun.started_at.isoformat() == now.isoformat()
