"""Finds where images of an earlier dataset are stored now.

If the dataset has a later revision, the files of the revision that a job was submitted with are deleted after some
days. So only a retry needs to find its images again.
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
    """Looks up candidates in the current revisions of their datasets."""

    def __init__(self, catalog: Catalog, blobs: BlobStore) -> None:
        self._catalog = catalog
        self._blobs = blobs

    async def locate(self, user_id: str, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Returns the candidates in the same order.

        A candidate of an earlier revision gets the place where the current revision stores it. It is unchanged if the
        current revision does not have it.
        """
        located = list(candidates)
        positions: dict[str, list[int]] = {}
        for position, candidate in enumerate(candidates):
            origin = dataset_of(candidate.stored.blob) if candidate.stored else None
            if origin:
                positions.setdefault(origin[0], []).append(position)
        for dataset_id, in_dataset in positions.items():
            dataset = await self._catalog.get(user_id, dataset_id)
            if dataset is None:
                continue
            moved = [position for position in in_dataset if _blob(candidates[position]) not in dataset.blobs]
            places = await self._places(dataset, {_key(candidates[position]) for position in moved})
            for position in moved:
                place = places.get(_key(candidates[position]), candidates[position].stored)
                located[position] = replace(candidates[position], stored=place)
        return located

    async def _places(
        self, dataset: Dataset, wanted: set[tuple[str, int]]
    ) -> dict[tuple[str, int], StoredRange]:
        """Returns where the dataset stores the wanted images that it has; empty if its records are gone."""
        places: dict[tuple[str, int], StoredRange] = {}
        if not wanted:
            return places
        folder = dataset.records_blob.rpartition("/")[0]
        try:
            async for row in read_delivered(self._blobs.stream(dataset.records_blob), dataset.id):
                key = row.url, row.size_bytes
                if row.kept and key in wanted:
                    places[key] = StoredRange(f"{folder}/{row.blob}", row.offset, row.size_bytes)
        except NotFound:
            return {}
        return places


def _blob(candidate: Candidate) -> str:
    return candidate.stored.blob if candidate.stored else ""


def _key(candidate: Candidate) -> tuple[str, int]:
    """Returns the address and the size in bytes, which an image keeps in all revisions of its dataset."""
    return candidate.url, candidate.stored.size if candidate.stored else 0
