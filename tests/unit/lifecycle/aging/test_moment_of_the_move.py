"""What people ask for at the very moment at which the nightly run takes the step of their dataset."""

from datetime import timedelta

import pytest

from shared.datasets.keeping import Move
from shared.errors import Conflict, NotFound, Unavailable
from shared.lifecycle.aging.run import AgeDatasets
from shared.lifecycle.aging.run_rows import Counts
from shared.lifecycle.moves.requests import WantedRehydration
from shared.storage.blobs import Priority, Tier
from shared.users.caller import ADMIN
from tests.unit.datasets.made import made
from tests.unit.lifecycle.aging.house import DAY, FILES, AgingHouse, KilledError

SECOND = timedelta(seconds=1)
WEEK = WantedRehydration(Tier.HOT, Priority.STANDARD, 7)


class Intervening:
    """Storage that calls `act` once, just before it does what is `chosen`."""

    def __init__(self, store, chosen, act):
        self._store, self._chosen, self._act = store, chosen, act

    def __getattr__(self, name):
        method = getattr(self._store, name)

        async def intervene(*args):
            if self._chosen(name, *args):
                self._chosen = lambda *_: False
                await self._act()

        async def call(*args, **kwargs):
            await intervene(*args)
            return await method(*args, **kwargs)

        async def stream(*args, **kwargs):
            await intervene(*args)
            async for item in method(*args, **kwargs):
                yield item

        return stream if name in {"list", "query", "scan"} else call


def before_files_move(name, *_):
    return name == "set_tier"


def before_files_are_listed(name, *_):
    return name == "list"


def before_deletion_is_listed(name, _table="", partition="", *_):
    return (name, partition) == ("apply", "~deleting")


async def aged(days=91, **settings):
    house = AgingHouse(**settings)
    await house.add("a")
    house.clock.moment += days * DAY
    return house


async def night_with(house, act, chosen=before_files_move):
    """Runs the night in a process whose storage is interrupted by `act`."""
    acted = []

    async def noted():
        acted.append(True)
        await act()

    app = house.process()
    vars(app).update(
        blobs=Intervening(house.blobs, chosen, noted), entities=Intervening(house.entities, chosen, noted)
    )
    task = AgeDatasets(house.clock.now().date())
    assert await app.aging_run.handle(task, house.deadline()) is None
    assert acted
    return await house.runs.get(task.day)


async def tiers(house):
    dataset, found = (await house.state())["a"]
    return dataset.tier, {tier for name, tier in found.items() if name.endswith(".tar")}


async def test_while_the_files_move_a_rehydration_is_refused_and_not_promised():
    house = await aged()

    async def ask():
        with pytest.raises(Conflict, match="on its way to the Archive tier"):
            await house.app.move_requests.rehydrate(ADMIN, "a", WEEK)

    await night_with(house, ask)
    assert await tiers(house) == (Tier.ARCHIVE, {Tier.ARCHIVE})
    dataset = await house.catalog.require(ADMIN, "a")
    assert (dataset.keeping.move, dataset.keeping.online_until) == (None, None)


async def test_while_the_files_move_no_links_are_given_that_end_with_the_move():
    house = await aged()
    given = []

    async def download():
        given.append(await house.app.downloads.download(ADMIN, "a"))

    await night_with(house, download)
    [found] = given
    links = {file.name: file.link is not None for file in found.files}
    assert links == {
        "00001.tar": False,
        "00002.tar": False,
        "README.md": True,
        "ATTRIBUTION.md": True,
        "SHA256SUMS": True,
    }
    assert found.records.link is not None
    assert (await house.catalog.require(ADMIN, "a")).keeping.last_download_at is None


async def test_no_links_are_given_to_files_that_have_moved_since_they_were_listed():
    house = await aged()
    app = house.process()
    # the whole night passes before the download records the use
    vars(app)["entities"] = Intervening(house.entities, lambda name, *_: name == "apply", house.night)
    found = await app.downloads.download(ADMIN, "a")
    assert await tiers(house) == (Tier.ARCHIVE, {Tier.ARCHIVE})
    assert [file.name for file in found.files if file.link] == ["README.md", "ATTRIBUTION.md", "SHA256SUMS"]


async def test_links_are_those_of_the_revision_that_was_read_if_a_retry_ends_just_then():
    house = await aged(1)
    later = made(
        "a", ADMIN, revision=2, blobs=("datasets/job_a/r2/dataset.zip",), created_at=house.clock.now()
    )
    app = house.process()

    async def end_retry():
        await house.catalog.put(later)

    vars(app)["entities"] = Intervening(house.entities, lambda name, *_: name == "apply", end_retry)
    found = await app.downloads.download(ADMIN, "a")
    assert (found.dataset.revision, len(found.files)) == (1, 5)
    assert all(file.link for file in found.files)


async def test_a_dataset_that_is_used_just_before_its_files_move_stays():
    house = await aged()

    async def download():
        await house.app.downloads.download(ADMIN, "a")

    run = await night_with(house, download, before_files_are_listed)
    assert run.counts == Counts(seen=1)
    assert await tiers(house) == (Tier.HOT, {Tier.HOT})


async def test_a_dataset_that_is_to_stay_online_just_before_its_files_move_stays():
    house = await aged()

    async def ask():
        await house.app.move_requests.rehydrate(ADMIN, "a", WEEK)

    await night_with(house, ask, before_files_are_listed)
    assert await tiers(house) == (Tier.HOT, {Tier.HOT})
    house.clock.moment += 7 * DAY
    await house.night()
    assert await tiers(house) == (Tier.HOT, {Tier.HOT})


async def test_a_dataset_that_is_downloaded_just_before_it_is_deleted_stays():
    house = await aged(delete_after_days=90)

    async def download():
        await house.app.downloads.download(ADMIN, "a")

    run = await night_with(house, download, before_deletion_is_listed)
    assert run.counts == Counts(seen=1)
    assert (await house.catalog.require(ADMIN, "a")).keeping.deleting_since is None


async def test_a_dataset_that_is_deleted_while_its_files_move_is_deleted():
    house = await aged()

    async def delete():
        house.clock.moment += SECOND
        await house.app.deletion.delete_dataset(ADMIN, "a")

    run = await night_with(house, delete)
    assert run.counts == Counts(seen=1)
    with pytest.raises(NotFound):
        await house.catalog.require(ADMIN, "a")


async def test_a_move_that_fails_is_taken_off_the_record_and_made_the_next_night():
    house = await aged()

    async def fail():
        raise Unavailable("Storage does not answer.")

    run = await night_with(house, fail)
    assert run.counts == Counts(seen=1, failed=1)
    assert (await house.catalog.require(ADMIN, "a")).keeping.move is None
    house.clock.moment += DAY
    assert (await house.night()).counts == Counts(seen=1, moved=1, archived=1)
    assert await tiers(house) == (Tier.ARCHIVE, {Tier.ARCHIVE})


async def test_a_move_whose_run_is_never_continued_is_completed_the_next_night():
    house = await aged()
    dataset = await house.catalog.require(ADMIN, "a")
    await house.keep(dataset, move=Move(Tier.ARCHIVE, house.clock.now()))
    house.clock.moment += DAY
    await house.night()
    assert await tiers(house) == (Tier.ARCHIVE, {Tier.ARCHIVE})
    assert (await house.catalog.require(ADMIN, "a")).keeping.move is None


async def test_a_move_that_was_begun_is_completed_although_the_policy_has_changed():
    house = await aged()

    async def die():
        raise KilledError

    with pytest.raises(BaseExceptionGroup):
        await night_with(house, die)
    assert (await house.catalog.require(ADMIN, "a")).keeping.is_being_archived
    await house.blobs.set_tier(f"datasets/job_a/{FILES[0]}", Tier.ARCHIVE)
    online = AgingHouse(lifecycle="online")
    for part in ("clock", "blobs", "entities", "queues", "runs"):
        setattr(online, part, getattr(house, part))
    online.app = online.process()
    await online.night()
    assert await tiers(house) == (Tier.ARCHIVE, {Tier.ARCHIVE})
