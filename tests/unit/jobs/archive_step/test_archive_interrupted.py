"""Archives in parts that are cancelled, crash, or lose their messages."""

import asyncio

from shared.archiving.planning.planner import PlanConfig
from shared.jobs.job.message_json import decode_json
from shared.jobs.job.messages import ARCHIVES_QUEUE, read_job_message
from shared.jobs.job.states import State
from tests.expect import present
from tests.unit.jobs.archive_step.parts import check, crawled


async def test_a_cancelled_job_is_archived_no_further(many_parts):
    job = await crawled(many_parts)
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
    job = await crawled(parts)
    note = parts.archiver._ledger.note

    async def note_while_cancelled(*arguments):
        all_written = await note(*arguments)
        if all_written is not None:
            await parts.cancel(job)
        return all_written

    parts.archiver._ledger.note = note_while_cancelled
    await parts.run()
    assert (await parts.jobs.require("admin", job.id)).state is State.CANCELLED
    assert not parts.counts.commits


async def test_a_part_that_keeps_crashing_fails_the_job(parts):
    job = await crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    poison, *others = parts.queues.take(ARCHIVES_QUEUE)
    for text in others:
        await parts.handle(ARCHIVES_QUEUE, text)
    for _ in range(20):
        await parts.intake.handle_poisoned_archive("m", poison)
        for text in parts.queues.take(ARCHIVES_QUEUE):  # it is sent on, and shared out again: only that part
            if not present(read_job_message(decode_json(text))).part:
                await parts.handle(ARCHIVES_QUEUE, text)
            else:
                assert text == poison
    assert (await parts.jobs.require("admin", job.id)).failure.code == "archive_crashed"


async def test_the_watchdog_sends_on_parts_whose_messages_were_lost(parts):
    job = await crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    lost, *others = parts.queues.take(ARCHIVES_QUEUE)
    assert lost
    for text in others:
        await parts.handle(ARCHIVES_QUEUE, text)
    parts.clock.advance(1000)
    assert await parts.watchdog.run(parts.deadline()) == 1
    await parts.run()
    await check(parts, job)


async def test_an_archive_with_progress_does_not_count_as_stalled(parts):
    job = await crawled(parts)
    await parts.handle(ARCHIVES_QUEUE, parts.queues.take(ARCHIVES_QUEUE)[0])
    while waiting := parts.queues.take(ARCHIVES_QUEUE):
        for text in waiting:
            parts.clock.advance(600)
            assert await parts.watchdog.run(parts.deadline()) == 0
            await parts.handle(ARCHIVES_QUEUE, text)
    await check(parts, job)
