"""Reads the datasets of all users, in order of user and id, with few requests.

Each is a row in the partition of its user. The other rows of the table, which list datasets or name their owners, have
keys that begin with `~`, and come last in each order.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from shared.damage import reading
from shared.datasets.dataset import Dataset
from shared.datasets.rows import from_entity
from shared.storage.entities import Entity, EntityStore

_TABLE = "datasets"
_BELOW = "~"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The place of a dataset in the order. The place without values is before all datasets."""

    user_id: str = ""
    dataset_id: str = ""


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """The row of a dataset as it is stored."""

    entity: Entity

    @property
    def place(self) -> Place:
        """The place of the dataset in the order."""
        return Place(self.entity.partition, self.entity.row)

    def read(self) -> Dataset | None:
        """Returns the dataset, or None if the row was emptied. The deletion of the dataset may have begun.

        Raises:
            Damaged: the row cannot be read.
        """
        with reading(f"the row of dataset {self.entity.row}"):
            return from_entity(self.entity)


@dataclass(frozen=True, slots=True)
class AllDatasets:
    """The datasets of all users."""

    entities: EntityStore

    async def rows(self, after: Place) -> AsyncGenerator[DatasetRow]:
        """Yields the rows behind a place. Some hundred are in memory until the generator is closed.

        Datasets that are recorded or erased meanwhile may be among them or not.

        Raises:
            Unavailable: storage did not answer.
        """
        behind = (after.user_id, after.dataset_id)
        async with aclosing(self.entities.scan(_TABLE, after=behind, below=_BELOW)) as entities:
            async for entity in entities:
                yield DatasetRow(entity)
