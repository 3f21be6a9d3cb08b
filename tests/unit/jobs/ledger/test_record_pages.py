"""Records are read page by page, while the job runs and when it has ended: none is skipped, and reads are bounded."""

import pytest

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.jobs.job.job import Job
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.record_pages import RecordFilter, RecordPages
from shared.jobs.ledger.record_pieces import Line, Place
from shared.jobs.submission.refresh import WantedRefresh
from shared.records.records import Reason
from shared.storage.blobs import Tier
from shared.users.caller import UNMARKED
from tests.unit.jobs.simulation import Flow
from tests.unit.jobs.troubled import night

ALL = RecordFilter()
SPEC = {
    "keywords": ["a", "b"],
    "sources": [{"type": "fake", "total": 100}],
    "max_images_per_label": 1000,
    "dedup": {"exact": False, "near_distance": None},
}


def _pages(flow: Flow) -> RecordPages:
    return RecordPages(flow.data, flow.clock)


async def _read_on(flow, job, place=None, wanted=ALL, size=7):
    """Reads to the end, or to where the job has no more records now; the cursors are written and read."""
    lines: list[Line] = []
    for _ in range(500):
        page = await _pages(flow).read(await flow.job(job), wanted, place, size)
        assert len(page.lines) <= size
        lines += page.lines
        place = Place.decode(page.following.encode()) if page.following else None
        if place is None or page.waits:
            return lines, place
    raise AssertionError("the pages do not end")


async def _crawl(flow, queue):
    """Handle the messages of a queue, the last one first."""
    for text in reversed(flow.queues.take(queue)):
        await flow.handle(queue, text)


@pytest.fixture
async def job(flow):
    flow.worker.reject = lambda index: Reason.TOO_SMALL if index % 4 == 0 else None
    return await flow.send(SPEC)


async def test_pages_follow_a_running_job_to_its_end_and_skip_no_record(flow, job):
    lines, place = await _read_on(flow, job)
    assert lines == []
    counts = []
    for queue in (JOBS_QUEUE, *(CHUNKS_QUEUE,) * 60, ARCHIVES_QUEUE):
        for text in reversed(flow.queues.take(queue)):
            await flow.handle(queue, text)
            more, place = await _read_on(flow, job, place)
            lines += more
            counts.append(len(lines))
            if place is None:
                break
    assert (await flow.job(job)).state is State.COMPLETED
    assert [line["index"] for line in lines] == list(range(200))
    assert place is None
    assert len(set(counts)) > 3


async def test_the_final_records_are_read_once_the_dataset_stands(flow, job):
    await flow.run()
    lines, _ = await _read_on(flow, job)
    assert sorted(line["index"] for line in lines) == list(range(200))
    kept = [line for line in lines if line["outcome"] == "kept"]
    assert len(kept) == 150
    assert all(line["file"] and line["split"] for line in kept)


@pytest.mark.parametrize("ended", [False, True])
async def test_pages_have_only_the_records_that_are_wanted(flow, job, ended):
    if ended:
        await flow.run()
    else:
        await _crawl(flow, JOBS_QUEUE)
        while flow.queues.sent[CHUNKS_QUEUE] and (await flow.job(job)).state is not State.ARCHIVING:
            await _crawl(flow, CHUNKS_QUEUE)
    for wanted, number in [
        (RecordFilter("kept"), 150),
        (RecordFilter("rejected"), 50),
        (RecordFilter(reason="too_small"), 50),
        (RecordFilter(reason="corrupt"), 0),
        (RecordFilter(label="a"), 100),
        (RecordFilter("kept", label="c"), 0),
        (RecordFilter("kept", "too_small"), 0),
    ]:
        lines, _ = await _read_on(flow, job, wanted=wanted, size=30)
        assert len(lines) == number
        assert all(wanted.matches(line) for line in lines)


async def test_a_cursor_of_a_running_job_is_valid_after_its_end_until_its_files_are_deleted(flow, job):
    await _crawl(flow, JOBS_QUEUE)
    await _crawl(flow, CHUNKS_QUEUE)
    page = await _pages(flow).read(await flow.job(job), ALL, None, 5)
    await flow.run()
    rest, _ = await _read_on(flow, job, page.following)
    assert [line["index"] for line in (*page.lines, *rest)] == list(range(200))
    await flow.data.ledger.erase(job.id)
    await flow.jobs.forget_work(job.id)
    with pytest.raises(NotFound):
        await _pages(flow).read(await flow.job(job), ALL, page.following, 5)
    lines, _ = await _read_on(flow, job)
    assert len(lines) == 200


async def test_a_cancelled_job_has_the_records_of_the_chunks_that_were_done(flow, job):
    await _crawl(flow, JOBS_QUEUE)
    [*others, last] = flow.queues.take(CHUNKS_QUEUE)
    await flow.handle(CHUNKS_QUEUE, last)
    await flow.cancel(job)
    lines, place = await _read_on(flow, job)
    assert others
    assert place is None
    assert 0 < len(lines) < 200


async def test_a_call_reads_a_bounded_number_of_pieces_and_says_where_to_go_on(flow):
    job = await flow.send({**SPEC, "sources": [{"type": "fake", "total": 600}]})
    await flow.run()
    page = await _pages(flow).read(await flow.job(job), RecordFilter(reason="corrupt"), None, 100)
    assert (page.lines, page.waits) == ([], False)
    assert page.following is not None
    assert (await _read_on(flow, job, wanted=RecordFilter(reason="corrupt")))[0] == []


async def test_files_of_another_users_job_of_the_same_id_are_not_read(flow, job):
    await flow.run()
    now = flow.clock.now()
    theirs = Job(job.id, "eve", "", State.FAILED, now, now)
    await flow.jobs.create_ended(theirs)
    for place in (None, Place(), Place(revision=1), Place(chunk="000001")):
        with pytest.raises(NotFound):
            await _pages(flow).read(theirs, ALL, place, 5)


async def test_a_cursor_that_a_caller_has_changed_is_refused_and_is_no_damage(flow, job):
    await flow.run()
    stored = await flow.job(job)
    with pytest.raises(InvalidRequest):
        await _pages(flow).read(stored, ALL, Place(revision=1, offset=5), 5)
    assert (await _pages(flow).read(stored, ALL, Place(revision=1, offset=10**14), 5)).lines == []
    assert (await _pages(flow).read(stored, ALL, Place(lines=10**8, revision=1), 1)).lines
    for place in (Place(chunk="999999"), Place(revision=99)):
        with pytest.raises(NotFound):
            await _pages(flow).read(stored, ALL, place, 5)


async def test_records_in_the_archive_tier_are_a_conflict(flow, job):
    await flow.run()
    await flow.blobs.set_tier(f"datasets/job_{job.id}/records.jsonl.gz", Tier.ARCHIVE)
    with pytest.raises(Conflict):
        await _pages(flow).read(await flow.job(job), ALL, None, 5)


@pytest.mark.parametrize(
    "text", ["", "x", "====", "Yw", "YzowMDA", "\u00e9", "cjA6MDow", "cjE6MDot", "a" * 9999]
)
def test_a_text_that_is_no_cursor_is_no_place(text):
    assert Place.decode(text) is None


@pytest.mark.parametrize(
    "place", [Place(), Place(3, "000007a.0002"), Place(0, revision=2, offset=10**12), Place(10**8, "000001")]
)
def test_a_place_is_the_same_after_it_was_written_and_read(place):
    assert Place.decode(place.encode()) == place


@pytest.mark.parametrize("days", [0, 8])
async def test_while_a_refresh_runs_there_are_its_own_records_only(flow, job, days):
    await flow.run()
    await night(flow, days=days)
    await flow.refresh.run("admin", job.id, WantedRefresh(UNMARKED))
    # the discovery of the refresh has not begun, and that of the earlier revision may be deleted
    _, place = await _read_on(flow, job)
    assert place is not None
    await _crawl(flow, JOBS_QUEUE)
    while queued := flow.queues.take(CHUNKS_QUEUE):
        for text in queued:
            await flow.handle(CHUNKS_QUEUE, text)
    assert (await flow.job(job)).state is not State.COMPLETED
    lines, place = await _read_on(flow, job)
    assert place is not None
    assert sorted(line["index"] for line in lines) == list(range(200))
