"""Reads and writes the rows of datasets."""

import zlib

from pydantic import TypeAdapter

from shared.datasets.dataset import Dataset
from shared.storage.cells import from_cells, to_cells
from shared.storage.entities import Entity

_adapter = TypeAdapter(Dataset)


def to_entity(dataset: Dataset) -> Entity:
    """Packs the dataset as JSON into as many cells as it needs. Its labels alone may have 256 KiB."""
    packed = zlib.compress(_adapter.dump_json(dataset))
    return Entity(dataset.user_id, dataset.id, to_cells("json", packed))


def from_entity(entity: Entity) -> Dataset | None:
    """Returns the dataset, or None if the row was emptied."""
    packed = from_cells("json", entity.values)
    return _adapter.validate_json(zlib.decompress(packed)) if packed else None


def readable(entity: Entity) -> Dataset | None:
    """Returns the dataset, or None if the row was emptied or the deletion of the dataset has begun."""
    dataset = from_entity(entity)
    return dataset if dataset is not None and dataset.keeping.deleting_since is None else None
