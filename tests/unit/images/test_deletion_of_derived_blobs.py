"""Images that the app has made are deleted with what they show, and no earlier."""

import pytest

from tests.unit.lifecycle.deleting import ANN, HOUR, Store

MADE = ("preview.jpg", "64/00.jpg")


@pytest.fixture
async def store() -> Store:
    store = Store()
    await store.add_user()
    await store.add_job("old")
    for name in MADE:
        await store.blobs.put(f"derived/job_old/r1/{name}", b"x")
        await store.blobs.put(f"derived/job_old/r2/{name}", b"x")
        await store.blobs.put(f"derived/job_older/r2/{name}", b"x")
    await store.blobs.put("work/job_old/derived/64/00.jpg", b"x")
    return store


async def test_the_images_of_a_dataset_are_deleted_with_it_and_those_of_others_stay(store: Store) -> None:
    await store.app.deletion.delete_dataset(ANN, "old")
    await store.finish()
    assert await store.names() == [f"derived/job_older/r2/{name}" for name in MADE[::-1]]


async def test_the_images_of_a_kept_dataset_stay_when_its_job_is_deleted(store: Store) -> None:
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=True)
    await store.finish()
    assert await store.names("derived/job_old/") == [f"derived/job_old/r2/{name}" for name in MADE[::-1]]
    assert await store.names("work/") == []


async def test_a_deletion_that_runs_out_of_time_goes_on_with_the_images(store: Store) -> None:
    await store.app.deletion.delete_dataset(ANN, "old")
    for _ in range(5):
        await store.work(seconds=0.0)
    assert await store.names("derived/job_old/") != []
    await store.finish()
    assert await store.names("job_old/") == []


async def test_what_a_call_stored_that_died_while_the_dataset_was_deleted_is_deleted_later(
    store: Store,
) -> None:
    store.clock.advance(2 * HOUR)
    await store.app.deletion.delete_dataset(ANN, "old")
    await store.work()
    assert await store.names("derived/job_old/") == []
    await store.blobs.put("derived/job_old/r2/64/11.jpg", b"x")
    await store.finish()
    assert await store.names("derived/job_old/") == []


async def test_a_dataset_that_is_kept_loses_no_image_when_the_deletion_of_its_job_ends(store: Store) -> None:
    store.clock.advance(2 * HOUR)
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=True)
    await store.work()
    await store.blobs.put("derived/job_old/r2/64/11.jpg", b"x")
    await store.finish()
    assert "derived/job_old/r2/64/11.jpg" in await store.names("derived/job_old/")
