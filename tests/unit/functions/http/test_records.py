"""Pages of records over HTTP: filters, the next page, and when to come again."""

from urllib.parse import parse_qs

import pytest

from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import Addition
from shared.jobs.ledger.rows import ChunkRow, DiscoveryRow
from shared.jobs.ledger.tally import Tally
from shared.records.blob_names import records_blob
from shared.records.candidates import Candidate, Provenance
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Reason, Record, Rejected, encode_records

CHUNK = "000001"
FACTS = ImageFacts("jpeg", 10, 20, 1000, "00", 1, "ff")


@pytest.fixture
async def job_id(app, caller):
    """A job that crawls; one chunk is done, with two images of three and a label with signs."""
    made = (await caller.post("jobs", {"keywords": ["cat"]})).body
    job = await app.job_data.jobs.require("admin", made["id"])
    job = await app.job_data.jobs.save(job.moved(State.DISCOVERING, app.clock.now()))
    outcomes: list[Kept | Rejected] = [
        Kept("shard", 0, FACTS),
        Rejected(Reason.TOO_SMALL, "9 by 9"),
        Kept("shard", 9, FACTS),
    ]
    records = [
        Record(number, Candidate(f"http://x.example/{number}.jpg", "a&b +1", Provenance("urls")), outcome)
        for number, outcome in enumerate(outcomes)
    ]
    await app.blobs.put(records_blob(job.id, CHUNK), encode_records(records))
    chunk, ledger = ChunkRow(CHUNK, "", 3), app.job_data.ledger
    await ledger.add(job.id, Addition([chunk], found=3), DiscoveryRow(b""), app.clock.now())
    stored = await ledger.chunk(job.id, CHUNK)
    await ledger.finish(job.id, stored, Tally.of(records), [], app.clock.now())
    return job.id


async def test_records_are_paged_with_their_filters(caller, job_id):
    first = await caller.get(f"jobs/{job_id}/records", "limit=1&outcome=kept&label=a%26b%20%2B1")
    assert first.status == 200, first.body
    [entry] = first.body["items"]
    assert (entry["index"], entry["outcome"], entry["width"], entry["reason"]) == (0, "kept", 10, None)
    assert "Retry-After" not in first.headers
    path, _, query = first.body["next"].partition("?")
    assert path == f"/api/v1/jobs/{job_id}/records"
    following = parse_qs(query)
    del following["cursor"]
    assert following == {"limit": ["1"], "outcome": ["kept"], "label": ["a&b +1"]}
    second = await caller.get(f"jobs/{job_id}/records", query)
    assert [item["index"] for item in second.body["items"]] == [2]


async def test_a_running_job_has_always_a_next_page_and_says_when_to_ask_for_it(app, caller, job_id):
    page = await caller.get(f"jobs/{job_id}/records", "reason=too_small")
    assert [(item["index"], item["detail"]) for item in page.body["items"]] == [(1, "9 by 9")]
    assert int(page.headers["Retry-After"]) > 0
    query = page.body["next"].partition("?")[2]
    again = await caller.get(f"jobs/{job_id}/records", query)
    assert (again.body["items"], again.body["next"]) == ([], page.body["next"])
    await app.transitions.cancel(await app.job_data.jobs.require("admin", job_id))
    ended = await caller.get(f"jobs/{job_id}/records", query)
    assert (ended.body, ended.headers.get("Retry-After")) == ({"items": [], "next": None}, None)


REASON = f"must be one of {', '.join(Reason)}"


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("outcome=lost", "outcome", "must be kept or rejected"),
        ("reason=", "reason", REASON),
        ("reason=TOO%20SMALL", "reason", REASON),
        ("reason=not-found", "reason", REASON),
        ("label=", "label", "must have 1 to 200 characters"),
        ("cursor=", "cursor", "must be the cursor in the `next` of a list"),
        ("cursor=000001", "cursor", "must be the cursor in the `next` of a list"),
        ("cursor=%C3%A9", "cursor", "must be the cursor in the `next` of a list"),
    ],
)
async def test_a_wrong_value_is_named(caller, job_id, query, field, rule):
    answered = await caller.get(f"jobs/{job_id}/records", query)
    assert answered.status == 400
    [(name, message)] = answered.errors
    assert (name, message.partition("; it ")[2]) == (field, rule)
