"""Images that the operator was asked not to use are left out of chunks."""

import hashlib
from datetime import UTC, datetime

import pytest

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.judging.judge import Judged, judge
from shared.crawling.options import CrawlOptions, Filters, Transform
from shared.optouts.matcher import DETAIL
from shared.optouts.optout import OptOutKind, normal_value
from shared.optouts.optout_list import OptOutList, new_optout
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.consent import Answer, Signal, decode
from shared.records.records import Kept, Reason, Rejected
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.web.wishes.respect import Respect
from tests.unit.in_memory import runtime_of

REFUSED = Rejected(Reason.OPTED_OUT, f"optouts: {DETAIL}")
PLAIN = CrawlOptions(Filters(), None, Respect())
CHANGED = CrawlOptions(Filters(), Transform(), Respect())


@pytest.fixture
def optouts():
    return OptOutList(MemoryEntities(), SystemClock(), runtime_of().ids)


async def opt_out(optouts, kind, value):
    made = (datetime(2026, 1, 1, tzinfo=UTC), "admin")
    await optouts.add(new_optout(kind, normal_value(kind, value), 4, made))


async def crawl(worker, url, options=PLAIN, page_url=None):
    candidate = Candidate(url, "x", Provenance("test", page_url=page_url))
    deadline = Deadline.after(SystemClock(), 30)
    result = await worker.work(
        Chunk([NumberedCandidate(0, candidate)], "shard", options), deadline, lambda: False
    )
    [record] = result.records
    answers = decode(record.consent.answers) if record.consent else {}
    return record.outcome, answers.get(Signal.OPTOUTS)


@pytest.mark.parametrize("options", [PLAIN, CHANGED])
@pytest.mark.parametrize("kind", OptOutKind)
async def test_an_image_is_left_out_by_its_address_host_bytes_and_look(
    kind, options, hostile, make_worker, optouts
):
    state, base = hostile
    judged = judge(state.photo, PLAIN)
    assert isinstance(judged, Judged)
    values = {
        OptOutKind.URL: f"{base}/ok#1",
        OptOutKind.HOST: "127.0.0.1",
        OptOutKind.SHA256: hashlib.sha256(state.photo).hexdigest(),
        OptOutKind.PERCEPTUAL_HASH: judged.facts.perceptual_hash,
    }
    worker = make_worker(MemoryBlobs(), optouts=optouts)
    found, answer = await crawl(worker, f"{base}/ok", options)
    assert (type(found), answer) == (Kept, Answer.ABSENT)
    await opt_out(optouts, kind, values[kind])
    assert await crawl(worker, f"{base}/ok", options) == (REFUSED, Answer.REFUSED)


async def test_an_address_that_is_opted_out_is_not_asked(hostile, make_worker, optouts):
    state, base = hostile
    await opt_out(optouts, OptOutKind.HOST, "127.0.0.1")
    assert (await crawl(make_worker(MemoryBlobs(), optouts=optouts), f"{base}/ok"))[0] == REFUSED
    assert not state.calls


async def test_the_page_of_an_image_and_the_target_of_a_redirect_count_too(hostile, make_worker, optouts):
    _, base = hostile
    worker = make_worker(MemoryBlobs(), optouts=optouts)
    await opt_out(optouts, OptOutKind.URL, "https://artist.example/work")
    assert (await crawl(worker, f"{base}/ok", page_url="https://artist.example/work"))[0] == REFUSED
    await opt_out(optouts, OptOutKind.URL, f"{base}/ok")
    assert (await crawl(worker, f"{base}/moved"))[0] == REFUSED


async def test_each_address_on_the_way_of_a_redirect_counts(hostile, make_worker, optouts):
    _, base = hostile
    assert isinstance((await crawl(make_worker(MemoryBlobs()), f"{base}/moved-twice"))[0], Kept)
    await opt_out(optouts, OptOutKind.URL, f"{base}/moved")
    worker = make_worker(MemoryBlobs(), optouts=optouts)
    assert (await crawl(worker, f"{base}/moved-twice"))[0] == REFUSED
    assert isinstance((await crawl(worker, f"{base}/ok"))[0], Kept)


async def test_an_image_in_storage_is_left_out_too(hostile, make_worker, optouts):
    state, _ = hostile
    blobs = MemoryBlobs()
    await blobs.put("inputs/a.jpg", state.photo)
    await opt_out(optouts, OptOutKind.SHA256, hashlib.sha256(state.photo).hexdigest())
    assert (await crawl(make_worker(blobs, optouts=optouts), "blob:inputs/a.jpg"))[0] == REFUSED
