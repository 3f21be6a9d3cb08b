"""Downloads over HTTP: links, and redirects to one file."""

import pytest

from shared.storage.blobs import Tier
from tests.unit.datasets.made import made

ZIP = ("dataset.zip",)
SHARDS = ("shards/00001.tar", "shards/00002.tar", "README.md")


@pytest.fixture
def stored(app):
    """Stores a dataset of the administrator, with these files."""

    async def store(files):
        folder = "datasets/job_j/"
        dataset = made(user_id="admin", blobs=tuple(f"{folder}{file}" for file in files))
        for blob in (*dataset.blobs, dataset.records_blob):
            await app.blobs.put(blob, b"data")
        await app.catalog.put(dataset)
        return dataset

    return store


async def test_a_dataset_of_one_file_is_redirected_to_it(caller, stored):
    await stored(ZIP)
    answer = await caller.get("datasets/j/download", "redirect=true")
    assert (answer.status, answer.text) == (302, "")
    assert answer.headers["Location"].startswith("memory://datasets/job_j/dataset.zip")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_file_is_chosen_by_its_place(caller, stored, number):
    await stored(SHARDS)
    answer = await caller.get("datasets/j/download", f"redirect=true&file={number}")
    links = (await caller.get("datasets/j/download")).body["files"]
    assert answer.headers["Location"].split("?")[0] == links[number - 1]["url"].split("?")[0]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("redirect=true", "is missing: the dataset has 3 files, from 1 to 3"),
        ("redirect=true&file=4", "is '4'; it must be a whole number from 1 to 3"),
        ("redirect=true&file=0", "is '0'; it must be a whole number from 1 to 1000000"),
        ("redirect=true&file=-1", "is '-1'; it must be a whole number from 1 to 1000000"),
        ("file=1", "is '1'; it needs redirect=true"),
    ],
)
async def test_a_file_that_is_not_there_or_not_chosen_is_refused(caller, stored, query, message):
    await stored(SHARDS)
    answer = await caller.get("datasets/j/download", query)
    assert (answer.status, answer.errors) == (400, [("file", message)])


async def test_links_are_stored_in_no_cache(caller, stored):
    await stored(ZIP)
    answer = await caller.get("datasets/j/download", "redirect=false")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_archived_file_is_not_redirected_to(app, caller, stored):
    dataset = await stored(SHARDS)
    await app.blobs.set_tier(dataset.blobs[0], Tier.ARCHIVE)
    answer = await caller.get("datasets/j/download", "redirect=true&file=1")
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert (await caller.get("datasets/j/download", "redirect=true&file=2")).status == 302
