"""Known images of a refresh stay as they are, whatever their hosts answer, unless a host has a new image."""

import hashlib
from datetime import UTC, datetime

import pytest

from playground.gallery import crop, default_photos
from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.judging.judge import Judged, judge
from shared.crawling.options import CrawlOptions, Filters
from shared.errors import Damaged
from shared.optouts.optout import OptOutKind, normal_value
from shared.optouts.optout_list import OptOutList, new_optout
from shared.records.candidates import Candidate, Known, NumberedCandidate, Provenance, StoredRange
from shared.records.records import Kept, Reason, Rejected
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.web.wishes.respect import Respect
from tests.unit.crawling.fetching.hostile import raw_server
from tests.unit.in_memory import runtime_of

TAKEN_OVER = CrawlOptions(Filters(), None, Respect())
CHECKED = CrawlOptions(Filters(), None, Respect(), check=True)
FILE = "datasets/known/1/shard"


@pytest.fixture(scope="session")
def other_photo():
    return crop(default_photos() / "coffee.png", 3, 90)


async def _stored(photo):
    """Stores the photo as a dataset has it; returns the storage and what the dataset says of the photo."""
    blobs = MemoryBlobs()
    await blobs.put(FILE, b"before" + photo + b"after")
    judged = judge(photo, TAKEN_OVER)
    assert isinstance(judged, Judged)
    return blobs, Known(facts=judged.facts, split="train", etag='"1"')


def _candidate(url, known, photo):
    stored = StoredRange(FILE, len(b"before"), len(photo))
    return Candidate(url, "x", Provenance("test"), known=known, stored=stored)


async def _crawl(worker, candidate, options=CHECKED):
    deadline = Deadline.after(SystemClock(), 30)
    chunk = Chunk([NumberedCandidate(0, candidate)], "shard", options)
    [record] = (await worker.work(chunk, deadline, lambda: False)).records
    return record


def _answer(status: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 " + status + b"\r\n" + lines + b"Connection: close\r\n\r\n" + body


@pytest.mark.parametrize(
    "answer",
    [
        _answer(b"304 Not Modified"),
        _answer(b"304 Not Modified", b"Content-Length: 4", body=b"body"),
        _answer(b"304 Not Modified", b"Transfer-Encoding: chunked", body=b"zz\r\n"),
        _answer(b"304 Not Modified", b"Content-Encoding: br"),
        _answer(b"500 Broken", b"Content-Length: 0"),
        _answer(b"412 Precondition Failed", b"Content-Length: 0"),
        _answer(b"302 Found", b"Location: /again", b"Content-Length: 0"),
        _answer(b"302 Found", b"Location: file:///etc/passwd", b"Content-Length: 0"),
        _answer(b"200 OK", b"Content-Length: 0"),
        _answer(b"200 OK", b"Content-Type: image/jpeg", body=b"<html><body>Please log in.</body></html>"),
        _answer(b"200 OK", b"Content-Type: image/jpeg", body=b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        b"",
        b"220 smtp.example ESMTP\r\n\r\n",
    ],
)
@pytest.mark.parametrize("etag", ['"1"', 'W/"1"', ""])
async def test_a_host_without_another_image_changes_nothing(answer, etag, photo, make_worker):
    blobs, known = await _stored(photo)
    known = Known(facts=known.facts, split="train", etag=etag)
    async with raw_server(answer) as base:
        record = await _crawl(make_worker(blobs), _candidate(f"{base}/a.jpg", known, photo))
    assert isinstance(record.outcome, Kept)
    assert (record.outcome.facts, record.etag, record.gone) == (known.facts, etag, False)
    shard = await blobs.get(record.outcome.shard)
    assert hashlib.sha256(shard).hexdigest() == record.outcome.facts.sha256


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        (b'"' + b"x" * 100 + b'"', True),
        (b'"' + b"x" * 300 + b'"', False),
        (b'"\xc3\xa9"', False),
        (b'"a\tb"', False),
        (b'W/"""', True),
        (b"no quotes", True),
    ],
)
async def test_the_version_of_a_new_image_is_kept_if_a_header_may_repeat_it(
    etag, kept, photo, other_photo, make_worker
):
    blobs, known = await _stored(photo)
    length = b"Content-Length: %d" % len(other_photo)
    async with raw_server(_answer(b"200 OK", length, b"ETag: " + etag, body=other_photo)) as base:
        record = await _crawl(make_worker(blobs), _candidate(f"{base}/a.jpg", known, photo))
    assert isinstance(record.outcome, Kept)
    assert record.outcome.facts.sha256 == hashlib.sha256(other_photo).hexdigest()
    assert record.etag == (etag.decode() if kept else "")


async def test_an_image_that_moved_to_an_address_that_is_opted_out_is_left_out(hostile, make_worker, photo):
    _, base = hostile
    optouts = OptOutList(MemoryEntities(), SystemClock(), runtime_of().ids)
    made = (datetime(2026, 1, 1, tzinfo=UTC), "admin")
    await optouts.add(new_optout(OptOutKind.URL, normal_value(OptOutKind.URL, f"{base}/ok"), 4, made))
    blobs, known = await _stored(photo)
    record = await _crawl(make_worker(blobs, optouts=optouts), _candidate(f"{base}/moved", known, photo))
    assert isinstance(record.outcome, Rejected)
    assert record.outcome.reason is Reason.OPTED_OUT


@pytest.mark.parametrize("options", [TAKEN_OVER, CHECKED])
@pytest.mark.parametrize("flaw", [b"", b"before", b"before" + bytes(50_000)])
async def test_an_image_whose_stored_bytes_are_damaged_is_fetched_again(
    flaw, options, hostile, make_worker, photo
):
    state, base = hostile
    blobs, known = await _stored(photo)
    await blobs.put(FILE, flaw)
    found = await _crawl(make_worker(blobs), _candidate(f"{base}/ok", known, photo), options)
    lost = await _crawl(make_worker(blobs), _candidate(f"{base}/missing", known, photo), options)
    assert isinstance(found.outcome, Kept)
    assert found.outcome.facts.sha256 == hashlib.sha256(state.photo).hexdigest()
    assert lost.outcome == Rejected(Reason.NOT_FOUND, "HTTP 404")


async def test_a_refresh_cannot_go_on_if_a_file_of_its_dataset_is_gone(hostile, make_worker, photo):
    _, base = hostile
    blobs, known = await _stored(photo)
    await blobs.delete(FILE)
    with pytest.raises(Damaged, match="dataset to refresh"):
        await _crawl(make_worker(blobs), _candidate(f"{base}/ok", known, photo), TAKEN_OVER)
