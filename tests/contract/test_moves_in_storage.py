"""Datasets go down the tiers and come back in real storage, with their records and cards readable all the time."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.clock import Deadline
from shared.datasets.dataset import Dataset
from shared.datasets.keeping import Keeping
from shared.errors import Conflict
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.lifecycle.moves.requests import WantedRehydration
from shared.settings import Settings
from shared.storage.blobs import Priority, Tier
from shared.storage.memory.queues import MemoryQueues
from shared.storage.storage import Blobs
from shared.wiring import App
from tests.unit.datasets.made import MADE_AT, made
from tests.unit.manual_clock import ManualClock

USER = "ann"
WEEK = WantedRehydration(Tier.COOL, Priority.HIGH, 7)


@dataclass(slots=True)
class World:
    """A dataset of three shards in storage, and a clock for the app. Memory takes hours, and Azurite no time."""

    app: App
    blobs: Blobs
    queues: MemoryQueues
    clock: ManualClock
    dataset: Dataset

    async def run(self) -> None:
        """Handles all messages, an hour after another."""
        while messages := self.queues.take(LIFECYCLE_QUEUE):
            for message in messages:
                await self.app.task_queue.run(message, Deadline.after(self.clock, 240))
            self.clock.advance(3600)

    async def stored(self) -> Dataset:
        return await self.app.catalog.require(USER, self.dataset.id)

    async def tiers(self) -> set[Tier | None]:
        infos = [info async for info in self.blobs.list(f"datasets/job_{self.dataset.id}/shards/")]
        return {info.tier for info in infos}

    async def archive(self) -> None:
        await self.app.move_requests.move(USER, self.dataset.id, Tier.ARCHIVE, even_if_in_use=True)
        await self.run()


@pytest.fixture
async def world(blobs, entities, unique) -> World:
    clock = ManualClock(MADE_AT)
    if hasattr(blobs, "_clock"):
        blobs._clock = clock
    app = App(Settings())
    app.clock = clock
    queues = MemoryQueues()
    vars(app).update(blobs=blobs, entities=entities, queues=queues)
    folder = f"datasets/job_{unique}/"
    names = (*(f"{folder}shards/{number:05}.tar" for number in range(3)), f"{folder}README.md")
    dataset = made(unique, USER, blobs=names, format="webdataset", webhook_url="https://example.org/hook")
    for name in (*names, dataset.records_blob):
        await blobs.put(name, name.encode())
    await app.catalog.put(dataset)
    return World(app, blobs, queues, clock, dataset)


async def test_a_dataset_is_archived_and_comes_back(world: World) -> None:
    await world.archive()
    assert (await world.tiers(), (await world.stored()).tier) == ({Tier.ARCHIVE}, Tier.ARCHIVE)
    with pytest.raises(Conflict):
        await world.blobs.get(world.dataset.blobs[0])

    await world.app.move_requests.rehydrate(USER, world.dataset.id, WEEK)
    await world.run()
    found = await world.stored()
    assert (await world.tiers(), found.tier) == ({Tier.COOL}, Tier.COOL)
    assert found.keeping.online_until is not None
    assert found.keeping.tier_changed_at is not None
    assert found.keeping.online_until - found.keeping.tier_changed_at == timedelta(days=7)
    assert await world.blobs.get(world.dataset.blobs[0]) == world.dataset.blobs[0].encode()


async def test_the_records_and_the_card_have_links_while_the_shards_are_archived(world: World) -> None:
    await world.archive()
    download = await world.app.downloads.download(USER, world.dataset.id)
    assert {file.name for file in download.files if file.link} == {"README.md"}
    assert download.records is not None
    assert download.records.link is not None
    assert (await world.stored()).keeping.last_download_at is None


async def test_the_end_of_a_rehydration_is_one_delivery_to_the_webhook(world: World) -> None:
    await world.archive()
    await asyncio.gather(*(world.app.move_requests.rehydrate(USER, world.dataset.id, WEEK) for _ in range(3)))
    await world.run()
    deliveries = await world.app.deliveries.store.page(USER, world.dataset.id)
    assert [delivery.type for delivery in deliveries.items] == ["dataset.rehydrated"]


async def test_a_message_that_was_lost_is_sent_again_from_what_is_stored(world: World) -> None:
    await world.archive()
    await world.app.move_requests.rehydrate(USER, world.dataset.id, WEEK)
    world.queues.take(LIFECYCLE_QUEUE)
    assert await world.app.move_requests.resume(await world.stored())
    await world.run()
    assert (await world.stored()).tier is Tier.COOL
    assert not await world.app.move_requests.resume(await world.stored())


async def test_twenty_changes_at_the_same_time_are_all_recorded(world: World) -> None:
    def one_more(dataset: Dataset) -> Dataset:
        keeping = Keeping(retention_days=(dataset.keeping.retention_days or 0) + 1)
        return replace(dataset, keeping=keeping)

    await asyncio.gather(*(world.app.catalog.keep(USER, world.dataset.id, one_more) for _ in range(20)))
    assert (await world.stored()).keeping.retention_days == 20
