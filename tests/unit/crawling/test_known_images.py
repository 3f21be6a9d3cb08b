"""The worker takes over known images: it copies stored bytes, and fetches only what it has to."""

import pytest

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.options import CrawlOptions, Filters
from shared.errors import Damaged
from shared.records.candidates import Candidate, Known, NumberedCandidate, Provenance, StoredRange
from shared.records.records import Kept, Reason
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect

FILE = "datasets/job_1/dataset.zip"


@pytest.fixture
async def stored(hostile, make_worker):
    """Fetches `/ok` once, and stores its bytes in a dataset's file; returns the storage, the facts and a worker."""
    _, base = hostile
    blobs = MemoryBlobs()
    worker = make_worker(blobs)
    first = Candidate(f"{base}/ok", "cat", Provenance("test"))
    options = CrawlOptions(Filters(), None, Respect())
    result = await worker.work(Chunk([NumberedCandidate(0, first)], "first", options), _soon(), lambda: False)
    outcome = result.records[0].outcome
    assert isinstance(outcome, Kept)
    data = await blobs.get("first", offset=outcome.offset, length=outcome.facts.size_bytes)
    await blobs.put(FILE, b"head" + data)
    return blobs, outcome.facts, worker


def _soon():
    return Deadline.after(SystemClock(), 30)


async def _taken_over(stored, url, *, listed=True, **wanted):
    """Returns the record of the known image with this address."""
    _, facts, worker = stored
    known = Known(facts, "train", listed=listed)
    where = StoredRange(FILE, 4, facts.size_bytes)
    candidate = Candidate(url, "cat", Provenance("test"), known=known, stored=where)
    options = CrawlOptions(Filters(), None, Respect(), **wanted)
    chunk = Chunk([NumberedCandidate(7, candidate)], "second", options)
    [record] = (await worker.work(chunk, _soon(), lambda: False)).records
    return record


async def test_stored_bytes_are_copied_without_a_request_for_the_image(stored, hostile):
    state, base = hostile
    state.calls.clear()
    record = await _taken_over(stored, f"{base}/ok")
    assert "/ok" not in state.calls
    assert (record.index, record.outcome.facts, record.gone) == (7, stored[1], False)


async def test_an_image_whose_stored_bytes_are_damaged_is_fetched_again(stored, hostile):
    state, base = hostile
    blobs, facts, _ = stored
    await blobs.put(FILE, bytes(4 + facts.size_bytes))
    state.calls.clear()
    record = await _taken_over(stored, f"{base}/ok")
    assert state.calls["/ok"] == 1
    assert record.outcome.facts.sha256 == facts.sha256


async def test_an_image_that_robots_txt_forbids_now_is_not_taken_over(stored, hostile):
    _, base = hostile
    record = await _taken_over(stored, f"{base}/private/ok")
    assert record.outcome.reason is Reason.ROBOTS_DENIED


@pytest.mark.parametrize("path", ["/nothing", "/broken", "/forbidden"])
async def test_a_checked_image_that_does_not_come_stays_and_only_a_missing_one_is_gone(stored, hostile, path):
    _, base = hostile
    record = await _taken_over(stored, base + path, check=True)
    assert isinstance(record.outcome, Kept)
    assert record.gone == (path == "/nothing")


async def test_images_that_are_gone_are_rejected_if_that_is_wanted(stored, hostile):
    _, base = hostile
    missing = await _taken_over(stored, f"{base}/nothing", check=True, remove_gone=True)
    unlisted = await _taken_over(stored, f"{base}/ok", listed=False, remove_gone=True)
    assert [record.outcome.reason for record in (missing, unlisted)] == [Reason.NOT_FOUND] * 2
    assert (await _taken_over(stored, f"{base}/ok", listed=False)).gone


async def test_the_refresh_fails_if_the_files_of_the_dataset_are_gone(stored, hostile):
    _, base = hostile
    await stored[0].delete(FILE)
    with pytest.raises(Damaged, match="cannot be read"):
        await _taken_over(stored, f"{base}/ok")
