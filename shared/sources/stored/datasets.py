"""Reads the images of an earlier dataset out of its files, and does not fetch them again.

One such source makes a dataset with other splits, filters or another format. Several make one dataset of many. Only
the dataset's own files are needed. The working blobs of its job may be gone.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Literal

from pydantic.json_schema import SkipJsonSchema

from shared.errors import Conflict, NotFound, Permanent
from shared.ids import PlainId
from shared.records.candidates import Candidate, StoredRange
from shared.records.delivered import read_delivered
from shared.sources.source import Page, Query, SourceConfig
from shared.storage.blobs import BlobStore, Tier

_PAGE = 1000


class DatasetConfig(SourceConfig):
    """Configures `{"type": "dataset", "id": …}`: all images of a dataset of the same user, with labels and provenance.

    `records_blob` is the app's own field. Submission sets it from the catalog and ignores a caller's value.
    """

    type: Literal["dataset"] = "dataset"
    id: PlainId
    records_blob: SkipJsonSchema[str | None] = None


class Datasets:
    """Implements `Source`. The cursor is the number of records that were read."""

    def __init__(self, config: DatasetConfig, blobs: BlobStore) -> None:
        self._config = config
        self._blobs = blobs

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """Returns one query for the whole dataset."""
        del labels
        return [Query("dataset", None)]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """See `Source.pages`."""
        del query
        records = self._config.records_blob
        if records is None:
            raise Permanent(f"The dataset {self._config.id} is not known.")
        folder = records.rpartition("/")[0]
        skip, number = int(cursor or 0), 0
        readable: set[str] = set()
        found: list[Candidate] = []
        try:
            async for row in read_delivered(self._blobs.stream(records), self._config.id):
                number += 1
                if number <= skip or not row.kept:
                    continue
                blob = f"{folder}/{row.blob}"
                if blob not in readable:
                    await self._see_that_it_can_be_read(blob)
                    readable.add(blob)
                found.append(row.candidate(StoredRange(blob, row.offset, row.size_bytes)))
                if len(found) == _PAGE:
                    yield Page(tuple(found), str(number))
                    found = []
        except (NotFound, Conflict):
            raise Permanent(f"The records of the dataset {self._config.id} are gone.") from None
        yield Page(tuple(found), None)

    async def _see_that_it_can_be_read(self, blob: str) -> None:
        info = await self._blobs.info(blob)
        if info is None:
            raise Permanent(f"The files of the dataset {self._config.id} are gone.")
        if info.tier is Tier.ARCHIVE:
            dataset_id = self._config.id
            raise Permanent(
                f"The dataset {dataset_id} is in the Archive tier; POST /api/v1/datasets/{dataset_id}/rehydrate brings "
                "it back within hours."
            )
