"""Chunks with candidates of all kinds: each has its own outcome, and the records say where the kept bytes are."""

import hashlib

import pytest

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.options import CrawlOptions, Filters, Transform
from shared.errors import Unavailable
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.records import Kept, Reason, Rejected
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect

OPTIONS = CrawlOptions(Filters(), None, Respect())


def chunk(urls, options=OPTIONS):
    candidates = [Candidate(url, "x", Provenance("test", license="by")) for url in urls]
    return Chunk([NumberedCandidate(*pair) for pair in enumerate(candidates, 100)], "shard-1", options)


def indices(candidates):
    return [numbered.index for numbered in candidates]


def soon():
    return Deadline.after(SystemClock(), 50)


async def test_every_candidate_has_its_own_outcome(hostile, make_worker):
    state, base = hostile
    blobs = MemoryBlobs()
    await blobs.put("inputs/a.jpg", state.photo)
    urls = [f"{base}{path}" for path in ("/ok", "/broken", "/bomb", "/loop", "/moved", "/nothing", "/empty")]
    urls += ["blob:inputs/a.jpg", "blob:inputs/none.jpg", "no url", f"{base}/ok?again"]
    result = await make_worker(blobs).work(chunk(urls), soon(), lambda: False)
    assert not result.unfinished
    assert [record.index for record in result.records] == list(range(100, 111))
    outcomes = [r.outcome.reason if isinstance(r.outcome, Rejected) else "kept" for r in result.records]
    assert outcomes == [
        "kept", Reason.SERVER_ERROR, Reason.TOO_MANY_BYTES, Reason.TOO_MANY_REDIRECTS, "kept",
        Reason.NOT_FOUND, Reason.EMPTY_BODY, "kept", Reason.NOT_FOUND, Reason.INVALID_URL, "kept",
    ]  # fmt: skip
    for record in result.records:
        if isinstance(record.outcome, Kept):
            facts = record.outcome.facts
            data = await blobs.get(
                record.outcome.shard, offset=record.outcome.offset, length=facts.size_bytes
            )
            assert hashlib.sha256(data).hexdigest() == facts.sha256
            assert data == state.photo
    assert result.records[4].final_url == f"{base}/ok"


async def test_a_result_says_whether_any_host_was_asked(hostile, make_worker):
    state, base = hostile
    state.robots = "User-agent: *\nCrawl-delay: 60\n"
    worker = make_worker(MemoryBlobs())
    redirected = await worker.work(chunk([f"{base}/moved"]), soon(), lambda: False)
    assert (redirected.records, indices(redirected.unfinished), redirected.asked) == ((), [100], True)
    late = await worker.work(chunk([f"{base}/ok"]), soon(), lambda: False)
    assert (late.records, indices(late.unfinished), late.asked) == ((), [100], False)
    assert state.calls["/moved"] == 1
    assert "/ok" not in state.calls


async def test_an_address_that_is_too_long_is_recorded_whole_and_not_requested(hostile, make_worker):
    state, base = hostile
    urls = [f"{base}/ok?{'x' * 9000}{number}" for number in (1, 2)]
    done = await make_worker(MemoryBlobs()).work(chunk(urls), soon(), lambda: False)
    assert [record.candidate.url for record in done.records] == urls
    assert {record.outcome.reason for record in done.records} == {Reason.INVALID_URL}
    assert state.calls == {}


async def test_a_chunk_without_kept_images_writes_no_shard(hostile, make_worker):
    _, base = hostile
    blobs = MemoryBlobs()
    await make_worker(blobs).work(chunk([f"{base}/nothing"]), soon(), lambda: False)
    assert [info.name async for info in blobs.list("")] == []


async def test_candidates_of_a_stopped_chunk_are_unfinished_and_not_lost(hostile, make_worker):
    _, base = hostile
    result = await make_worker(MemoryBlobs()).work(chunk([f"{base}/ok"] * 3), soon(), lambda: True)
    assert (result.records, indices(result.unfinished)) == ((), [100, 101, 102])
    over = Deadline(SystemClock(), 0.0)
    result = await make_worker(MemoryBlobs()).work(chunk([f"{base}/ok"] * 3), over, lambda: False)
    assert indices(result.unfinished) == [100, 101, 102]


async def test_candidates_that_must_wait_beyond_the_deadline_are_unfinished(hostile, make_worker):
    state, base = hostile
    state.robots = "User-agent: *\nCrawl-delay: 1000"
    other = f"{base.replace('127.0.0.1', 'localhost')}/ok"
    urls = [f"{base}/ok?1", f"{base}/ok?2", f"{base}/ok?3", other]
    deadline = Deadline.after(SystemClock(), 50)  # less than what is kept of a delay
    result = await make_worker(MemoryBlobs()).work(chunk(urls), deadline, lambda: False)
    assert [record.index for record in result.records] == [100, 103]
    assert all(isinstance(record.outcome, Kept) for record in result.records)
    assert indices(result.unfinished) == [101, 102]
    assert state.calls["/ok"] == 2


async def test_a_stop_interrupts_downloads_and_keeps_finished_images(hostile, make_worker):
    state, base = hostile
    blobs = MemoryBlobs()
    worker = make_worker(blobs)
    result = await worker.work(
        chunk([f"{base}/ok", f"{base}/dripping", f"{base}/ok"]),
        soon(),
        lambda: state.calls.get("/dripping", 0) == 1 and state.calls.get("/ok", 0) == 2,
    )
    assert 101 in indices(result.unfinished)
    assert len(result.records) + len(result.unfinished) == 3
    for record in result.records:
        kept = record.outcome
        assert await blobs.get(kept.shard, offset=kept.offset, length=kept.facts.size_bytes) == state.photo
    again = await worker.work(chunk([f"{base}/ok"]), soon(), lambda: False)
    assert len(again.records) == 1  # nothing of the shared limits was lost


async def test_licences_and_transforms_of_the_spec_are_applied(hostile, make_worker):
    _, base = hostile
    other = CrawlOptions(Filters(licenses=("cc0",)), None, Respect())
    result = await make_worker(MemoryBlobs()).work(chunk([f"{base}/ok"], other), soon(), lambda: False)
    assert result.records[0].outcome == Rejected(Reason.LICENSE_FILTERED, "by")
    png = CrawlOptions(Filters(), Transform(format="png"), Respect())
    result = await make_worker(MemoryBlobs()).work(chunk([f"{base}/ok"], png), soon(), lambda: False)
    assert result.records[0].outcome.facts.format == "png"


async def test_storage_that_does_not_answer_fails_the_chunk_and_not_the_candidates(hostile, make_worker):
    _, base = hostile

    class Down(MemoryBlobs):
        async def put(self, *_args, **_options):
            raise Unavailable("down")

        async def info(self, _name):
            raise Unavailable("down")

    for urls in ([f"{base}/ok"], ["blob:x"]):
        with pytest.raises(Unavailable):
            await make_worker(Down()).work(chunk(urls), soon(), lambda: False)
