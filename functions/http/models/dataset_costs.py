"""Models of the answer on one dataset, with what it costs to keep and to read it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

from functions.http.declared import Model
from functions.http.models.answers import DatasetAnswer
from functions.http.models.estimate import PriceBasis

if TYPE_CHECKING:
    from shared.costs.prices import Prices
    from shared.datasets.dataset import Dataset
    from shared.storage.blobs import BlobInfo


class RehydrationCosts(Model):
    """What it costs to move all files out of the Archive tier, by priority."""

    standard: float
    high: float


class DatasetCosts(Model):
    """What a dataset costs, in the currency of the prices, exact to a millionth. Free parts of a month are not counted.

    `storage_month` is for 30 days in the tier where the files are. `download` is one download of all files to the
    internet: from this tier, or from the Hot tier for a dataset that has to be rehydrated first. `rehydration` is what
    it costs to leave the Archive tier. `early_deletion` is what it costs in addition to delete the dataset now, or to
    move it to another tier, before the shortest time of its tier is over.
    """

    prices: PriceBasis
    storage_month: float
    download: float
    rehydration: RehydrationCosts
    early_deletion: float

    @classmethod
    def of(cls, dataset: "Dataset", prices: "Prices", now: datetime) -> Self:
        """Returns the costs of a dataset. Days in a tier are whole ones, so that the answer changes once a day."""
        from shared.costs.storage import download, early_deletion, rehydration, storage_month
        from shared.storage.blobs import Priority, Tier

        size, blobs, tier = dataset.size_bytes, len(dataset.blobs), dataset.tier
        read_from = Tier.HOT if tier is Tier.ARCHIVE else tier
        days = (now - dataset.tier_since).days
        return cls(
            prices=PriceBasis.of(prices),
            storage_month=round(storage_month(prices, {tier: size}), 6),
            download=round(download(prices, size, read_from, blobs), 6),
            rehydration=RehydrationCosts(
                standard=round(rehydration(prices, size, blobs, Priority.STANDARD), 6),
                high=round(rehydration(prices, size, blobs, Priority.HIGH), 6),
            ),
            early_deletion=round(early_deletion(prices, size, tier, days), 6),
        )


class DatasetWithCosts(DatasetAnswer):
    """One dataset, with what it costs to keep and to read it."""

    costs: DatasetCosts

    @classmethod
    def at(
        cls, dataset: "Dataset", files: "Sequence[BlobInfo] | None", prices: "Prices", now: datetime
    ) -> Self:
        """Returns the answer for a dataset and, if they are known, its files, at these prices."""
        answer = DatasetAnswer.of(dataset, files)
        return cls(**vars(answer), costs=DatasetCosts.of(dataset, prices, now))
