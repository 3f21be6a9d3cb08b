"""Archives that are too large for one function: written in parts, at the same time, through every kind of trouble."""

import asyncio
import hashlib
import io
import random
import zipfile
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from shared.archiving.archiver import Written
from shared.archiving.planning.planner import PlanConfig
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, decode_json, read_job_message
from shared.jobs.job.states import State
from tests.unit.jobs.simulation import Flow

SPEC = {"keywords": ["a", "b"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}
IMAGES = 180


class Counts:
    """Counts what is staged and committed."""

    def __init__(self, blobs):
        self.staged = Counter()
        self.commits = Counter()
        self.largest = 0
        self._stage, self._commit = blobs.stage, blobs.commit
        blobs.stage, blobs.commit = self.stage, self.commit

    async def stage(self, name, number, data):
        self.staged[name, number] += 1
        self.largest = max(self.largest, len(data))
        await self._stage(name, number, data)

    async def commit(self, name, numbers, attributes):
        self.commits[name] += 1
        await self._commit(name, numbers, attributes)


@pytest.fixture
def parts():
    """The flow, with blocks of 1 KB and parts of 8 KB, so that a small dataset has many."""
    flow = Flow(archives=PlanConfig(part_bytes=8192, block_bytes=1024))
    flow.counts = Counts(flow.blobs)
    return flow


async def _crawled(flow, spec=SPEC):
    """A job up to the message that starts its archive."""
    job = await flow.send(spec)
    for _ in range(100):
        taken = [(queue, text) for queue in (JOBS_QUEUE, CHUNKS_QUEUE) for text in flow.queues.take(queue)]
        if not taken:
            return job
        for queue, text in taken:
            await flow.handle(queue, text)
    raise AssertionError("it is never crawled")


async def _check(flow, job, images=IMAGES):
    assert (await flow.jobs.require("admin", job.id)).state is State.COMPLETED
    data = await flow.blobs.get(f"datasets/job_{job.id}/dataset.zip")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert sum(name.count("/") == 2 for name in archive.namelist()) == images
    dataset = await flow.catalog.require("admin", job.id)
    assert dataset.size_bytes == len(data)
    assert dataset.sha256 == hashlib.sha256(data).hexdigest()
    (checksum,) = dataset.checksums.values()
    ranges = [data[at : at + checksum.part_bytes] for at in range(0, len(data), checksum.part_bytes)]
    assert [hashlib.sha256(part).hexdigest() for part in ranges] == list(checksum.parts)
    return data


async def test_a_large_archive_is_shared_out_over_messages_and_committed_once(parts):
    job = await _crawled(parts)
    await parts.run()
    data = await _check(parts, job)
    sent = parts.queues.sent[ARCHIVES_QUEUE]
    assert len(sent) == 1 + -(-len(data) // 8192)
    assert set(parts.counts.staged.values()) == {1}
    assert parts.counts.largest <= 1024
    assert parts.counts.commits == {f"datasets/job_{job.id}/dataset.zip": 1}


async def test_the_same_bytes_come_of_one_part_and_of_many(parts):
    job = await _crawled(parts)
    order = await parts.archive._order(await parts.jobs.require("admin", job.id))
    await parts.run()
    data = await _check(parts, job)
    parts.archiver._planner._config = PlanConfig()
    await parts.blobs.delete(f"{order.work_prefix}{order.digest}/plan.npz")
    await parts.blobs.delete(f"datasets/job_{job.id}/dataset.zip")
    await parts.entities.erase("chunks", job.id)
    plan = await parts.archiver.begin(order)
    assert len(plan.parts) == 1
    assert await parts.archiver.write(plan, 0, parts.deadline()) is Written.ALL
    archived = await parts.archiver.finish(plan, parts.deadline())
    assert await parts.blobs.get(archived.blobs[0]) == data


async def test_parts_that_come_several_times_at_the_same_time_make_one_archive(parts):
    job = await _crawled(parts)
    for _ in range(10):
        taken = parts.queues.take(ARCHIVES_QUEUE)
        await asyncio.gather(*(parts.handle(ARCHIVES_QUEUE, text) for text in taken for _ in range(3)))
    await _check(parts, job)
    commits = {f"datasets/job_{job.id}/dataset.zip": 1}
    for text in list(parts.queues.sent[ARCHIVES_QUEUE]):
        await parts.handle(ARCHIVES_QUEUE, text)
    assert parts.counts.commits == commits
    assert [event.properties["images_count"] for event in parts.telemetry.named("job_completed")] == [IMAGES]


async def test_without_time_each_message_still_writes_a_block_and_none_is_sent_twice(parts):
    job = await _crawled(parts)
    for number in range(500):
        taken = parts.queues.take(ARCHIVES_QUEUE)
        if not taken:
            break
        for text in taken:
            before = sum(parts.counts.staged.values())
            await parts.intake.archive_message(f"m{number}", text, parts.deadline(-1))
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
        job = await _crawled(parts, small)
        parts.weather.deaths, parts.weather.writes_left = 0, at
        while taken := parts.take():
            for queue, text in taken:
                await parts.deliver(queue, text)
        parts.weather.writes_left = -1
        await _check(parts, job, images=36)
        if not parts.weather.deaths:
            break
    assert at > 25


@pytest.mark.parametrize("seed", range(10))
async def test_any_schedule_of_an_archive_makes_the_same_dataset(parts, seed):
    job = await _crawled(parts)
    await parts.storm(random.Random(seed), copies=True, deaths=True, at_once=6)
    await _check(parts, job)


async def test_blocks_that_storage_has_dropped_are_written_again(parts):
    job = await _crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    *others, last = parts.queues.take(ARCHIVES_QUEUE)
    for text in others:
        await parts.handle(ARCHIVES_QUEUE, text)
    staged = parts.blobs._staged[f"datasets/job_{job.id}/dataset.zip"]
    del staged[min(staged)]
    await parts.handle(ARCHIVES_QUEUE, last)
    assert (await parts.jobs.require("admin", job.id)).state is State.ARCHIVING
    await parts.run()
    await _check(parts, job)


async def test_a_part_of_an_earlier_revision_writes_nothing(parts):
    job = await _crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    old = parts.queues.take(ARCHIVES_QUEUE)
    found = await parts.jobs.require("admin", job.id)
    await parts.jobs.save(replace(found, revision=2))
    for text in old:
        await parts.handle(ARCHIVES_QUEUE, text)
    assert not parts.counts.staged
    assert (await parts.jobs.require("admin", job.id)).state is State.ARCHIVING


@pytest.fixture
def many_parts():
    """The flow, with an archive that has some hundred parts."""
    flow = Flow(archives=PlanConfig(part_bytes=512, block_bytes=512))
    flow.counts = Counts(flow.blobs)
    return flow


async def test_a_huge_archive_leaves_room_for_small_ones(many_parts):
    job = await _crawled(many_parts)
    await many_parts.handle(ARCHIVES_QUEUE, many_parts.queues.take(ARCHIVES_QUEUE)[0])
    chance = random.Random(1)
    waiting, most = many_parts.queues.take(ARCHIVES_QUEUE), 0
    while waiting:
        most = max(most, len(waiting))
        await many_parts.handle(ARCHIVES_QUEUE, waiting.pop(chance.randrange(len(waiting))))
        waiting += many_parts.queues.take(ARCHIVES_QUEUE)
    await _check(many_parts, job)
    assert most == 32
    assert len(many_parts.queues.sent[ARCHIVES_QUEUE]) == 1 + len(many_parts.counts.staged)
    assert set(many_parts.counts.staged.values()) == {1}
    assert len(many_parts.counts.staged) > 3 * 32


async def test_parts_that_come_twice_do_not_multiply_what_comes_behind_them(many_parts):
    job = await _crawled(many_parts)
    await many_parts.handle(ARCHIVES_QUEUE, many_parts.queues.take(ARCHIVES_QUEUE)[0])
    await many_parts.run(times=2)
    await _check(many_parts, job)
    assert len(many_parts.queues.sent[ARCHIVES_QUEUE]) == 1 + len(many_parts.counts.staged)


@pytest.mark.parametrize("seed", range(5))
async def test_any_schedule_of_a_huge_archive_makes_the_same_dataset(many_parts, seed):
    job = await _crawled(many_parts)
    await many_parts.storm(random.Random(seed), copies=True, deaths=True, at_once=6)
    await _check(many_parts, job)


async def test_a_huge_archive_that_is_sent_on_shares_out_what_is_missing_a_window_at_a_time(many_parts):
    job = await _crawled(many_parts)
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
    await _check(many_parts, job)
    assert set(many_parts.counts.staged.values()) == {1}


async def test_a_cancelled_job_is_archived_no_further(many_parts):
    job = await _crawled(many_parts)
    many_parts.archiver._planner._config = PlanConfig(part_bytes=1 << 30, block_bytes=100)
    stage, staged = many_parts.blobs.stage, []

    async def slow_stage(name, number, data):
        await asyncio.sleep(0.003)
        staged.append(number)
        if len(staged) == 5:
            await many_parts.cancel(job)
        await stage(name, number, data)

    many_parts.blobs.stage = slow_stage
    await many_parts.run()
    assert len(staged) < 60
    assert [info.name async for info in many_parts.blobs.list("datasets/") if "zip" in info.name] == []


async def test_a_job_that_is_cancelled_before_the_commit_gets_no_files(parts):
    job = await _crawled(parts)
    note = parts.archiver._ledger.note

    async def note_while_cancelled(*arguments):
        all_written = await note(*arguments)
        if all_written:
            await parts.cancel(job)
        return all_written

    parts.archiver._ledger.note = note_while_cancelled
    await parts.run()
    assert (await parts.jobs.require("admin", job.id)).state is State.CANCELLED
    assert not parts.counts.commits


async def test_a_part_that_keeps_crashing_fails_the_job(parts):
    job = await _crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    poison, *others = parts.queues.take(ARCHIVES_QUEUE)
    for text in others:
        await parts.handle(ARCHIVES_QUEUE, text)
    for _ in range(20):
        await parts.intake.poisoned_archive("m", poison)
        for text in parts.queues.take(ARCHIVES_QUEUE):  # it is sent on, and shared out again: only that part
            if not read_job_message(decode_json(text)).part:
                await parts.handle(ARCHIVES_QUEUE, text)
            else:
                assert text == poison
    assert (await parts.jobs.require("admin", job.id)).failure.code == "archive_crashed"


async def test_the_watchdog_sends_on_parts_whose_messages_were_lost(parts):
    job = await _crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    lost, *others = parts.queues.take(ARCHIVES_QUEUE)
    assert lost
    for text in others:
        await parts.handle(ARCHIVES_QUEUE, text)
    parts.clock.advance(1000)
    assert await parts.watchdog.run(parts.deadline()) == 1
    await parts.run()
    await _check(parts, job)


async def test_an_archive_that_moves_is_not_taken_for_a_stalled_one(parts):
    job = await _crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    for text in parts.queues.take(ARCHIVES_QUEUE):
        parts.clock.advance(600)
        assert await parts.watchdog.run(parts.deadline()) == 0
        await parts.handle(ARCHIVES_QUEUE, text)
    await _check(parts, job)
