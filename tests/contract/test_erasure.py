"""A user is deleted from every kind of storage, with jobs and datasets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.clock import Deadline
from shared.datasets.dataset import Dataset
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.settings import Settings
from shared.storage.blobs import Tier
from shared.storage.memory.queues import MemoryQueues
from shared.users.api_keys import ApiKey
from shared.users.caller import Scope, TierName
from shared.users.user import User
from shared.wiring import App
from tests.unit.known_sources import parse_spec

LONG_AGO = datetime.now(UTC) - timedelta(days=3)


async def test_nothing_is_left_of_a_user_who_is_deleted(blobs, entities, unique):
    app = App(Settings())
    vars(app).update(blobs=blobs, entities=entities, queues=MemoryQueues())
    user_id, job_id, zip_ = unique[:16], f"job-{unique}", f"datasets/job_job-{unique}/dataset.zip"
    await app.users.create(User(user_id, "Ann", TierName.FREE, LONG_AGO))
    await app.users.add_key(user_id, ApiKey("key000", "", frozenset({Scope.READ}), "0", LONG_AGO))
    job = Job(job_id, user_id, "pets", State.QUEUED, LONG_AGO, LONG_AGO)
    await app.job_data.jobs.create(job, parse_spec({"keywords": ["cat"]}))
    stored = await app.job_data.jobs.require(user_id, job_id)
    await app.job_data.jobs.save(replace(stored, state=State.COMPLETED))
    await blobs.put(zip_, b"x")
    files = (zip_,), f"datasets/job_{job_id}/records.jsonl.gz"
    await app.catalog.put(Dataset(job_id, user_id, "pets", LONG_AGO, 1, 1, "zip", Tier.HOT, *files, {}, {}))
    await app.deletions.begin(user_id, LONG_AGO, keeps_datasets=False)

    deadline = Deadline.after(app.clock, 240)
    assert [user.id async for user, _ in app.deletions.pending(LONG_AGO) if user.id == user_id] == [user_id]
    assert await app.erasure.run(deadline) >= 1
    assert await app.users.account(user_id) is None
    assert [user.id async for user, _ in app.deletions.pending(LONG_AGO) if user.id == user_id] == []
    assert [info.name async for info in blobs.list("")] == []
    for table, partition in (
        ("jobs", user_id),
        ("datasets", user_id),
        ("users", user_id),
        ("chunks", job_id),
    ):
        assert [row.row async for row in entities.query(table, partition)] == []
    assert await entities.get("jobs", "~work", job_id) is None
    assert await app.catalog.owner(job_id) is None
