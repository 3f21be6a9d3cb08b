"""The nightly run and all that people ask for, at the same time, in processes of their own."""

import asyncio
import random
from datetime import timedelta

import pytest

from shared.errors import Conflict, NotFound
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.lifecycle.aging.run import AgeDatasets
from shared.lifecycle.moves.requests import WantedRehydration
from shared.lifecycle.retention import RetentionChange
from shared.storage.blobs import Priority, Tier
from shared.users.caller import ADMIN
from tests.unit.lifecycle.aging.house import DAY, AgingHouse

HOUR = timedelta(hours=1)
WEEK = WantedRehydration(Tier.HOT, Priority.STANDARD, 7)


class Slow:
    """Storage whose calls take turns in random order."""

    def __init__(self, store, rng):
        self._store, self._rng = store, rng

    def __getattr__(self, name):
        method = getattr(self._store, name)

        async def pause():
            for _ in range(self._rng.choice([0, 0, 1, 2, 5, 20])):
                await asyncio.sleep(0)

        async def call(*args, **kwargs):
            await pause()
            result = await method(*args, **kwargs)
            await pause()
            return result

        async def stream(*args, **kwargs):
            await pause()
            async for item in method(*args, **kwargs):
                yield item

        return stream if name in {"list", "query", "scan"} else call


def slow_process(house, rng):
    app = house.process()
    stores = {"blobs": house.blobs, "entities": house.entities, "queues": house.queues}
    vars(app).update({name: Slow(store, rng) for name, store in stores.items()})
    return app


async def everything_at_once(house, rng):
    """Runs the night twice, and some of what people may ask for; returns what succeeded by name."""
    results = {}

    async def attempt(name, call):
        app = slow_process(house, rng)
        try:
            results[name] = await call(app)
        except (Conflict, NotFound):
            return

    async def handle_messages(app):
        for _ in range(6):
            for text in house.queues.take(LIFECYCLE_QUEUE):
                await app.task_queue.run(text, house.deadline())
            for _ in range(30):
                await asyncio.sleep(0)

    night = AgeDatasets(house.clock.now().date())
    tier = rng.choice([Tier.COLD, Tier.ARCHIVE])
    hold = RetentionChange(legal_hold=True)
    people = {
        "rehydrate": (0.6, lambda app: app.move_requests.rehydrate(ADMIN, "a", WEEK)),
        "download": (0.5, lambda app: app.downloads.download(ADMIN, "a")),
        "move": (0.2, lambda app: app.move_requests.move(ADMIN, "a", tier)),
        "delete": (0.15, lambda app: app.deletion.delete_dataset(ADMIN, "a")),
        "hold": (0.3, lambda app: app.catalog.keep(ADMIN, "a", hold.apply_to)),
    }
    calls = [attempt(name, call) for name, (often, call) in people.items() if rng.random() < often]
    calls += [attempt("", lambda app: app.aging_run.handle(night, house.deadline())) for _ in range(2)]
    calls += [attempt("", handle_messages)]
    rng.shuffle(calls)
    await asyncio.gather(*calls)
    return results


async def let_hours_pass(house, hours):
    for _ in range(hours):
        for text in house.queues.take(LIFECYCLE_QUEUE):
            await house.app.task_queue.run(text, house.deadline())
        house.clock.moment += HOUR


def image_tiers(files):
    return {tier for name, tier in files.items() if name.endswith(".tar")}


@pytest.mark.parametrize("seed", range(60))
async def test_what_people_are_promised_is_kept(seed):
    rng = random.Random(seed)
    house = AgingHouse(**rng.choice([{}, {}, {"delete_after_days": 91}]))
    await house.add("a", tier=rng.choice([Tier.HOT, Tier.HOT, Tier.COOL]))
    house.clock.moment += 91 * DAY
    promised = await everything_at_once(house, rng)
    dataset, files = (await house.state()).get("a", (None, {}))
    is_going = dataset is None or dataset.keeping.deleting_since is not None
    assert not (is_going and "hold" in promised)
    assert is_going or "delete" not in promised
    if is_going:
        return
    moved = promised["move"].keeping.move if "move" in promised else None
    if moved is None or moved.tier is not Tier.ARCHIVE:
        if "rehydrate" in promised and promised["rehydrate"].keeping.online_until:
            assert Tier.ARCHIVE not in image_tiers(files)
        links = [file for file in promised["download"].files if file.link] if "download" in promised else []
        assert [file.name for file in links if files[file.blob] is Tier.ARCHIVE] == []
    # nothing stays on its way, and the record says where the files are
    await let_hours_pass(house, 40)
    await house.night()
    await let_hours_pass(house, 40)
    dataset, files = (await house.state()).get("a", (None, {}))
    if dataset is None:
        # the policy has deleted it
        return
    assert dataset.keeping.chain is None
    assert image_tiers(files) == {dataset.tier}
