"""Archives that are too large for one function run are written in parts, at the same time and in spite of faults."""

import asyncio
import hashlib
import random
from dataclasses import replace
from itertools import count

import pytest

from shared.archiving.archiver import Progress
from shared.archiving.planning.planner import PlanConfig
from shared.jobs.job.messages import ARCHIVES_QUEUE
from shared.jobs.job.states import State
from tests.unit.jobs.archive_step.parts import IMAGES, check, crawled
from tests.unit.jobs.job_outcomes import SPEC


async def test_a_large_archive_is_shared_out_over_messages_and_committed_once(parts):
    job = await crawled(parts)
    await parts.run()
    data = await check(parts, job)
    sent = parts.queues.sent[ARCHIVES_QUEUE]
    assert len(sent) == 1 + -(-len(data) // 8192)
    assert set(parts.counts.staged.values()) == {1}
    assert parts.counts.largest <= 1024
    assert parts.counts.commits == {f"datasets/job_{job.id}/dataset.zip": 1}


async def test_the_same_bytes_come_of_one_part_and_of_many(parts):
    job = await crawled(parts)
    order = await parts.archive._order(await parts.jobs.require("admin", job.id))
    await parts.run()
    data = await check(parts, job)
    parts.archiver._planner._config = PlanConfig()
    await parts.blobs.delete(f"{order.work_prefix}{order.digest}/plan.npz")
    await parts.blobs.delete(f"datasets/job_{job.id}/dataset.zip")
    await parts.entities.erase("chunks", job.id)
    plan = await parts.archiver.begin(order, parts.deadline())
    assert len(plan.parts) == 1
    assert await parts.archiver.write_part(plan, 0, parts.deadline()) is Progress.ALL_WRITTEN
    archived = await parts.archiver.finish(plan, parts.deadline())
    assert await parts.blobs.get(archived.blobs[0]) == data


async def test_parts_that_come_several_times_at_the_same_time_make_one_archive(parts):
    job = await crawled(parts)
    for _ in range(10):
        taken = parts.queues.take(ARCHIVES_QUEUE)
        await asyncio.gather(*(parts.handle(ARCHIVES_QUEUE, text) for text in taken for _ in range(3)))
    await check(parts, job)
    commits = {f"datasets/job_{job.id}/dataset.zip": 1}
    for text in list(parts.queues.sent[ARCHIVES_QUEUE]):
        await parts.handle(ARCHIVES_QUEUE, text)
    assert parts.counts.commits == commits
    assert [event.properties["images_count"] for event in parts.telemetry.named("job_completed")] == [IMAGES]


async def test_without_time_each_message_still_writes_a_block_and_none_is_sent_twice(parts):
    job = await crawled(parts)
    for number in range(500):
        taken = parts.queues.take(ARCHIVES_QUEUE)
        if not taken:
            break
        for text in taken:
            before = sum(parts.counts.staged.values())
            await parts.intake.handle_archive(f"m{number}", text, parts.deadline(-1))
            assert sum(parts.counts.staged.values()) <= before + 1
    assert (await parts.jobs.require("admin", job.id)).state is State.COMPLETED
    assert set(parts.counts.staged.values()) == {1}
    dataset = await parts.catalog.require("admin", job.id)
    assert dataset.sha256 is None  # there was no time to read it through
    (checksum,) = dataset.checksums.values()
    data = await parts.blobs.get(dataset.blobs[0])
    assert hashlib.sha256(data[: checksum.part_bytes]).hexdigest() == checksum.parts[0]


@pytest.mark.parametrize("after", [False, True])
async def test_a_death_at_any_write_of_an_archive_loses_nothing(parts, after):
    parts.weather.after = after
    small = {**SPEC, "sources": [{"type": "fake", "total": 20}]}
    for at in count(1):
        job = await crawled(parts, small)
        parts.weather.deaths, parts.weather.writes_left = 0, at
        while taken := parts.take():
            for queue, text in taken:
                await parts.deliver(queue, text)
        parts.weather.writes_left = -1
        await check(parts, job, images=36)
        if not parts.weather.deaths:
            break
    assert at > 25


@pytest.mark.parametrize("seed", range(10))
async def test_any_schedule_of_an_archive_makes_the_same_dataset(parts, seed):
    job = await crawled(parts)
    await parts.storm(random.Random(seed), copies=True, deaths=True, at_once=6)
    await check(parts, job)


async def test_blocks_that_storage_has_dropped_are_written_again(parts):
    job = await crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    *others, last = parts.queues.take(ARCHIVES_QUEUE)
    for text in others:
        await parts.handle(ARCHIVES_QUEUE, text)
    staged = parts.blobs._staged[f"datasets/job_{job.id}/dataset.zip"]
    del staged[min(staged)]
    await parts.handle(ARCHIVES_QUEUE, last)
    assert (await parts.jobs.require("admin", job.id)).state is State.ARCHIVING
    await parts.run()
    await check(parts, job)


async def test_a_part_of_an_earlier_revision_writes_nothing(parts):
    job = await crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    old = parts.queues.take(ARCHIVES_QUEUE)
    found = await parts.jobs.require("admin", job.id)
    await parts.jobs.save(replace(found, revision=2))
    for text in old:
        await parts.handle(ARCHIVES_QUEUE, text)
    assert not parts.counts.staged
    assert (await parts.jobs.require("admin", job.id)).state is State.ARCHIVING


async def test_a_huge_archive_leaves_room_for_small_ones(many_parts):
    job = await crawled(many_parts)
    await many_parts.handle(ARCHIVES_QUEUE, many_parts.queues.take(ARCHIVES_QUEUE)[0])
    chance = random.Random(1)
    waiting, most = many_parts.queues.take(ARCHIVES_QUEUE), 0
    while waiting:
        most = max(most, len(waiting))
        await many_parts.handle(ARCHIVES_QUEUE, waiting.pop(chance.randrange(len(waiting))))
        waiting += many_parts.queues.take(ARCHIVES_QUEUE)
    await check(many_parts, job)
    assert most == 32
    assert len(many_parts.queues.sent[ARCHIVES_QUEUE]) == 1 + len(many_parts.counts.staged)
    assert set(many_parts.counts.staged.values()) == {1}
    assert len(many_parts.counts.staged) > 3 * 32


async def test_two_messages_for_one_part_do_not_multiply_the_messages_for_later_parts(many_parts):
    job = await crawled(many_parts)
    await many_parts.handle(ARCHIVES_QUEUE, many_parts.queues.take(ARCHIVES_QUEUE)[0])
    await many_parts.run(times=2)
    await check(many_parts, job)
    assert len(many_parts.queues.sent[ARCHIVES_QUEUE]) == 1 + len(many_parts.counts.staged)


@pytest.mark.parametrize("seed", range(5))
async def test_any_schedule_of_a_huge_archive_makes_the_same_dataset(many_parts, seed):
    job = await crawled(many_parts)
    await many_parts.storm(random.Random(seed), copies=True, deaths=True, at_once=6)
    await check(many_parts, job)


async def test_a_huge_archive_that_is_sent_on_sends_messages_for_one_window_of_missing_parts(many_parts):
    job = await crawled(many_parts)
    await many_parts.handle(ARCHIVES_QUEUE, many_parts.queues.take(ARCHIVES_QUEUE)[0])
    for text in many_parts.queues.take(ARCHIVES_QUEUE)[:20]:
        await many_parts.handle(ARCHIVES_QUEUE, text)
    assert many_parts.queues.take(ARCHIVES_QUEUE)  # and all of them are lost
    many_parts.clock.advance(1000)
    assert await many_parts.watchdog.run(many_parts.deadline()) == 1
    await many_parts.handle(ARCHIVES_QUEUE, many_parts.queues.take(ARCHIVES_QUEUE)[0])
    again = many_parts.queues.take(ARCHIVES_QUEUE)
    assert len(again) == 32
    for text in again:
        many_parts.put_back(ARCHIVES_QUEUE, text)
    await many_parts.run()
    await check(many_parts, job)
    assert set(many_parts.counts.staged.values()) == {1}
