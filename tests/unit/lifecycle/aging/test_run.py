import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clock import Deadline
from shared.datasets.keeping import Move
from shared.errors import Permanent
from shared.lifecycle.aging.run import AgeDatasets
from shared.lifecycle.aging.run_rows import Counts
from shared.storage.blobs import Tier
from shared.storage.entities import Replace
from tests.unit.lifecycle.aging.house import DAY, FILES, AgingHouse, Life


def tiers_of(tiers):
    return {name.rpartition("/")[2]: tier for name, tier in tiers.items()}


async def test_the_image_files_move_and_what_describes_them_stays_hot():
    house = AgingHouse()
    await house.add("old", size_bytes=2_000_000)
    house.clock.moment += 91 * DAY
    run = await house.night()
    dataset, tiers = (await house.state())["old"]
    assert dataset.tier is Tier.ARCHIVE
    assert dataset.keeping.tier_changed_at == run.started_at
    assert tiers_of(tiers) == {
        "00001.tar": Tier.ARCHIVE,
        "00002.tar": Tier.ARCHIVE,
        "README.md": Tier.HOT,
        "ATTRIBUTION.md": Tier.HOT,
        "SHA256SUMS": Tier.HOT,
        "records.jsonl.gz": Tier.HOT,
    }
    [event] = house.telemetry.named("dataset_archived")
    assert event.properties == {"dataset": "old", "age_days": 91, "size_mb": 2.0}
    [metric] = house.telemetry.named("datasets_archived")
    assert metric.measurements == {"value": 1}


async def test_years_pass_and_each_dataset_takes_its_steps_on_its_days():
    house = AgingHouse()
    for owner in await house.add_users():
        await house.add(f"of-{owner}", owner)
    steps: dict[str, list[tuple[int, str]]] = {}
    before = await house.state()
    for day in range(1, 3 * 365):
        house.clock.moment += DAY
        await house.night()
        after = await house.state()
        for dataset_id, (dataset, _) in before.items():
            now = after[dataset_id][0].tier if dataset_id in after else "deleted"
            if now != dataset.tier:
                steps.setdefault(dataset_id, []).append((day, str(now)))
        before = after
    usual = [(30, "cool"), (90, "archive")]
    # in Cool from day 30, the dataset could not move on at day 40 without a fee
    assert steps.pop("of-u-free") == [(40, "archive"), (400, "deleted")]
    assert steps == {f"of-{owner}": usual for owner in ("u-pro", "u-enterprise", "admin", "deleted")}
    values = [metric.measurements["value"] for metric in house.telemetry.named("datasets_archived")]
    assert (len(values), sum(values)) == (3 * 365 - 1, 5)


async def test_downloads_and_the_days_online_count_as_use():
    house = AgingHouse()
    used, online = await house.add("used"), await house.add("online", tier=Tier.COOL)
    begin = house.clock.now()
    await house.keep(used, last_download_at=begin + 50 * DAY, last_job_at=begin + 49 * DAY)
    await house.keep(online, last_job_at=begin + 20 * DAY, online_until=begin + 80 * DAY)
    for days, expected in (
        (79, (Tier.HOT, Tier.COOL)),
        (80, (Tier.COOL, Tier.COOL)),
        (140, (Tier.ARCHIVE, Tier.COOL)),
        (169, (Tier.ARCHIVE, Tier.COOL)),
        (170, (Tier.ARCHIVE, Tier.ARCHIVE)),
    ):
        house.clock.moment = begin + days * DAY
        await house.night()
        state = await house.state()
        assert (state["used"][0].tier, state["online"][0].tier) == expected, days


async def test_a_dataset_that_a_job_reads_is_not_moved_meanwhile():
    house = AgingHouse()
    dataset = await house.add("a")
    house.clock.moment += 91 * DAY
    await house.keep(dataset, last_job_at=house.clock.now())
    assert (await house.night()).counts == Counts(seen=1)


@pytest.mark.parametrize("seed", range(5))
async def test_the_run_does_exactly_what_the_plan_says(seed):
    house = AgingHouse()
    await house.add_many(150, seed)
    for _ in range(3):
        house.clock.moment = house.clock.moment.replace(hour=3)
        plan = await house.plan()
        before = await house.state()
        house.clock.moment += timedelta(hours=20)
        run = await house.night()
        after = await house.state()
        effect = {
            dataset_id: after[dataset_id][0].tier if dataset_id in after else None
            for dataset_id, (dataset, _) in before.items()
            if dataset_id not in after or after[dataset_id][0].tier is not dataset.tier
        }
        assert {item.dataset.id: item.step.tier for item in plan.items} == effect
        assert plan.complete
        assert sum(total.datasets for total in plan.totals) == len(effect)
        assert run.counts.moved + run.counts.deleted == len(effect)
        assert run.counts.seen == plan.seen == len(before)
        assert (await house.plan()).day == plan.day + DAY
        house.clock.moment += 45 * DAY


@pytest.mark.parametrize("seed", range(10))
async def test_a_run_that_is_killed_again_and_again_ends_the_same(seed):
    undisturbed, disturbed = AgingHouse(), AgingHouse()
    for house in (undisturbed, disturbed):
        await house.add_many(120, 7)
    rng = random.Random(seed)
    most = rng.choice([30, 300])
    # a process needs some calls to get anywhere at all
    lives = lambda: Life(rng.randint(5, most))  # noqa: E731 - a new life for each process
    for _ in range(2):
        expected = await undisturbed.night()
        run = await disturbed.night(lives=lives if most > 30 else lambda: Life(rng.choice([12, 40, 2000])))
        assert run.counts == expected.counts
        assert await disturbed.state() == await undisturbed.state()
        for house in (undisturbed, disturbed):
            house.clock.moment += 60 * DAY
    assert disturbed.events() <= undisturbed.events()
    values = [
        [metric.measurements["value"] for metric in house.telemetry.named("datasets_archived")]
        for house in (undisturbed, disturbed)
    ]
    assert values[0] == values[1]


async def test_slices_at_the_same_time_do_the_same():
    alone, together = AgingHouse(), AgingHouse()
    for house in (alone, together):
        await house.add_many(120, 3)
    expected = await alone.night()
    task = AgeDatasets(together.clock.now().date())
    processes = [together.process() for _ in range(4)]
    await asyncio.gather(*(each.aging_run.handle(task, together.deadline()) for each in processes))
    run = await together.night()
    assert run.counts == expected.counts
    assert await together.state() == await alone.state()
    assert together.events() == alone.events()
    assert len(together.telemetry.named("datasets_archived")) == 1


async def test_a_slice_stops_at_its_deadline_and_a_further_one_goes_on():
    house = AgingHouse()
    await house.add_many(100, 1)
    expected = await house.plan()
    house.clock.tick = 0.01
    task, slices = AgeDatasets(house.clock.now().date()), 0
    while await house.process().aging_run.handle(task, Deadline.after(house.clock, 0.3)) is not None:
        slices += 1
    assert slices > 3
    run = await house.runs.get(task.day)
    assert run is not None
    assert run.counts.moved + run.counts.deleted == sum(total.datasets for total in expected.totals)


async def test_a_failure_of_one_dataset_stops_no_other_and_the_next_run_tries_again():
    house = AgingHouse()
    for dataset_id in ("a", "b", "c"):
        await house.add(dataset_id)
    lost = f"datasets/job_b/{FILES[0]}"
    await house.blobs.delete(lost)
    house.clock.moment += 91 * DAY
    run = await house.night()
    assert run.counts == Counts(seen=3, moved=2, archived=2, failed=1)
    [failure] = [signal for signal in house.telemetry.signals if signal.kind == "exception"]
    assert failure.properties["dataset"] == "b"
    assert failure.properties["detail"] == "1 of 2 files of dataset b are gone."
    await house.blobs.put(lost, b"x")
    house.clock.moment += DAY
    assert (await house.night()).counts == Counts(seen=3, moved=1, archived=1)


async def test_a_file_that_is_further_down_already_is_not_rehydrated():
    house = AgingHouse()
    await house.add("a")
    await house.blobs.set_tier(f"datasets/job_a/{FILES[0]}", Tier.ARCHIVE)
    house.clock.moment += 31 * DAY
    await house.night()
    infos = {info.name.rpartition("/")[2]: info async for info in house.blobs.list("datasets/job_a/shards/")}
    assert (infos["00001.tar"].tier, infos["00001.tar"].rehydrating_to) == (Tier.ARCHIVE, None)
    assert infos["00002.tar"].tier is Tier.COOL
    assert (await house.state())["a"][0].tier is Tier.COOL


async def test_a_run_does_not_begin_before_its_day():
    house = AgingHouse()
    with pytest.raises(Permanent):
        await house.process().aging_run.handle(AgeDatasets(house.clock.now().date() + DAY), house.deadline())


async def test_a_move_that_somebody_has_asked_for_is_resumed_and_no_policy_moves_the_dataset():
    house = AgingHouse()
    dataset = await house.add("a")
    await house.keep(dataset, move=Move(Tier.COOL, house.clock.now(), "chain"))
    house.clock.moment += 200 * DAY
    assert (await house.plan()).items == []
    assert (await house.night()).counts == Counts(seen=1)
    # the message of the move was lost, and the run has sent it again
    dataset, tiers = (await house.state())["a"]
    assert (dataset.tier, dataset.keeping.move) == (Tier.COOL, None)
    assert Tier.COOL in tiers.values()


async def test_failures_of_any_kind_are_counted_but_reported_a_hundred_times_at_most():
    house = AgingHouse()
    for number in range(120):
        await house.add(f"d{number:03}")
    row = await house.entities.get("datasets", "admin", "d050")
    assert row is not None
    await house.entities.apply("datasets", "admin", [Replace(replace(row, values={"json": b"x"}))])
    await house.add("fine")
    for number in range(120):
        await house.blobs.delete(f"datasets/job_d{number:03}/{FILES[0]}")
    house.clock.moment += 91 * DAY
    assert (await house.night()).counts == Counts(seen=121, moved=1, archived=1, failed=120)
    failures = [signal for signal in house.telemetry.signals if signal.kind == "exception"]
    assert len(failures) == 100
    assert "d050" in {failure.properties["dataset"] for failure in failures}
