from datetime import timedelta

import pytest

from shared.datasets.all_datasets import AllDatasets, Place
from shared.datasets.catalog import Catalog
from shared.errors import Damaged
from shared.storage.entities import Entity, Put
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from tests.unit.datasets.made import MADE_AT, made

DATASETS = [("ann", "b"), ("ann", "c"), ("bob", "a"), ("zoe", "d")]


@pytest.fixture
async def entities():
    entities = MemoryEntities()
    catalog = Catalog(entities, MemoryBlobs())
    for user_id, dataset_id in reversed(DATASETS):
        await catalog.put(made(dataset_id, user_id))
    return entities


async def places(entities, after):
    return [(row.place.user_id, row.place.dataset_id) async for row in AllDatasets(entities).rows(after)]


async def test_the_datasets_of_all_users_come_in_order_from_any_place(entities):
    assert await places(entities, Place()) == DATASETS
    for number, (user_id, dataset_id) in enumerate(DATASETS):
        assert await places(entities, Place(user_id, dataset_id)) == DATASETS[number + 1 :]


async def test_a_row_says_how_its_dataset_is_recorded_also_while_it_is_deleted(entities):
    await Catalog(entities, MemoryBlobs()).begin_deletion("bob", "a", MADE_AT + timedelta(days=1))
    found = [row.read() async for row in AllDatasets(entities).rows(Place("ann", "c"))]
    assert [(dataset.id, dataset.keeping.deleting_since) for dataset in found if dataset] == [
        ("a", MADE_AT + timedelta(days=1)),
        ("d", None),
    ]


async def test_an_emptied_row_has_no_dataset_and_a_garbled_one_is_damaged(entities):
    await entities.apply(
        "datasets", "ann", [Put(Entity("ann", "b")), Put(Entity("ann", "c", {"json": b"x"}))]
    )
    empty, garbled, *_ = [row async for row in AllDatasets(entities).rows(Place())]
    assert empty.read() is None
    with pytest.raises(Damaged, match="the row of dataset c"):
        garbled.read()
