"""Where images of an earlier dataset are by now: if it has a later revision, the files they were found in may be gone.

Only a retry asks, as the files of the revision that a job was submitted with are kept for some days.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import NotFound
from shared.records.blob_names import dataset_of
from shared.records.candidates import Candidate, StoredRange
from shared.records.delivered import read_delivered
from shared.storage.blobs import BlobStore


class MovedImages:
    """Looks candidates up in the datasets that are recorded now."""

    def __init__(self, catalog: Catalog, blobs: BlobStore) -> None:
        self._catalog = catalog
        self._blobs = blobs

    async def find(self, user_id: str, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """The candidates, in order; those of an earlier revision as the recorded one stores them, where it does."""
        found = list(candidates)
        positions: dict[str, list[int]] = {}
        for position, candidate in enumerate(candidates):
            found_in = dataset_of(candidate.stored.blob) if candidate.stored else None
            if found_in:
                positions.setdefault(found_in[0], []).append(position)
        for dataset_id, its in positions.items():
            dataset = await self._catalog.get(user_id, dataset_id)
            if dataset is None:
                continue
            moved = [position for position in its if _blob(candidates[position]) not in dataset.blobs]
            stored = await self._stored(dataset, {_key(candidates[position]) for position in moved})
            for position in moved:
                at = stored.get(_key(candidates[position]))
                found[position] = replace(candidates[position], stored=at or candidates[position].stored)
        return found

    async def _stored(
        self, dataset: Dataset, wanted: set[tuple[str, int]]
    ) -> dict[tuple[str, int], StoredRange]:
        """Where in the dataset the wanted images are."""
        stored: dict[tuple[str, int], StoredRange] = {}
        if not wanted:
            return stored
        folder = dataset.records_blob.rpartition("/")[0]
        try:
            async for row in read_delivered(self._blobs.stream(dataset.records_blob), dataset.id):
                key = row.url, row.size_bytes
                if row.kept and key in wanted:
                    stored[key] = StoredRange(f"{folder}/{row.blob}", row.offset, row.size_bytes)
        except NotFound:
            return {}
        return stored


def _blob(candidate: Candidate) -> str:
    return candidate.stored.blob if candidate.stored else ""


def _key(candidate: Candidate) -> tuple[str, int]:
    """What an image has in all revisions of its dataset."""
    return candidate.url, candidate.stored.size if candidate.stored else 0
