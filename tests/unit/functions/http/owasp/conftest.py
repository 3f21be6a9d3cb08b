"""Two users of one app: Ann, who owns things, and Bob, who attacks with a valid key of his own."""

from collections.abc import AsyncIterator

import pytest

from shared.datasets.dataset import Dataset
from shared.storage.blobs import Tier
from shared.wiring import App
from tests.unit.functions.http.http_calls import Caller
from tests.unit.functions.http.owasp.people import People, join


@pytest.fixture
async def people(app: App, caller: Caller) -> AsyncIterator[People]:
    yield People(app, caller, await join(caller, "Ann"), await join(caller, "Bob"))
    # a service that no test has used is not made to be closed
    for name in vars(app).keys() & {"worker", "guarded_sessions"}:
        await vars(app)[name].close()


@pytest.fixture
async def job(people: People) -> str:
    """The id of a queued job of Ann's."""
    answered = await people.ann.calls.post("jobs", {"keywords": ["cat"]}, Idempotency_Key="first")
    assert answered.status == 201, answered.body
    return str(answered.body["id"])


@pytest.fixture
async def dataset(people: People, job: str) -> str:
    """The id of a dataset of Ann's."""
    made = Dataset(
        id=job,
        user_id=people.ann.id,
        name="ann's",
        created_at=people.app.clock.now(),
        image_count=1,
        size_bytes=1,
        format="zip",
        tier=Tier.HOT,
        blobs=(f"datasets/job_{job}/dataset.zip",),
        records_blob=f"datasets/job_{job}/records.jsonl.gz",
        counts={},
        splits={},
    )
    await people.app.catalog.put(made)
    for blob in (*made.blobs, made.records_blob):
        await people.app.blobs.put(blob, b"x")
    return job
