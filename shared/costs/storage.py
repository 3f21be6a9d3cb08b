"""Says what it costs to keep, read and move blobs. All results are in the currency of the prices.

A GB is 2^30 bytes, and a month has 30 days. Prices that depend on the volume of a whole account (the first 50 TB, and
the free part of egress) are taken as if nothing were free and nothing cheaper: the results are upper bounds.

The rules of the meters are from "Access tiers for blob data"
(https://learn.microsoft.com/azure/storage/blobs/access-tiers-overview) and "Map each REST operation to a price"
(https://learn.microsoft.com/azure/storage/blobs/map-rest-apis-transaction-categories).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from shared.storage.blobs import Priority, Tier

if TYPE_CHECKING:
    from shared.costs.prices import Prices

GB: Final = 1 << 30
"""The bytes of a GB, as Azure Storage counts them."""
DAYS_A_MONTH: Final = 30
EARLY_DELETION_DAYS: Final[Mapping[Tier, int]] = {
    Tier.HOT: 0,
    Tier.COOL: 30,
    Tier.COLD: 90,
    Tier.ARCHIVE: 180,
}
"""For how many days of storage a blob is charged at least in each tier, also if it is deleted or moved before."""
_UNIT: Final = 10_000


def storage_month(prices: "Prices", bytes_by_tier: Mapping[Tier, int]) -> float:
    """Returns what a month of storage costs."""
    return sum(prices.tiers[tier].storage_gb_month * size / GB for tier, size in bytes_by_tier.items())


def download(prices: "Prices", size_bytes: int, tier: Tier, blobs: int) -> float:
    """Returns what it costs to send blobs to the internet once: their reads, their retrieval, and the egress.

    Each blob is one read. For the Archive tier this is the cost as if the blobs could be read there. They must be
    rehydrated before: add `rehydration`, and take the tier that they are rehydrated to.
    """
    of_tier = prices.tiers[tier]
    a_gb = of_tier.retrieval_gb + prices.egress.gb
    return blobs * of_tier.reads_per_10000 / _UNIT + a_gb * size_bytes / GB


def rehydration(prices: "Prices", size_bytes: int, blobs: int, priority: Priority) -> float:
    """Returns what it costs to move blobs from the Archive tier to any other one, without an early-deletion fee.

    Each blob is one read at the prices of the Archive tier, or at those of high priority.
    """
    archive = (
        prices.tiers[Tier.ARCHIVE] if priority is Priority.STANDARD else prices.high_priority_rehydration
    )
    return blobs * archive.reads_per_10000 / _UNIT + archive.retrieval_gb * size_bytes / GB


def early_deletion(prices: "Prices", size_bytes: int, tier: Tier, days_in_tier: float) -> float:
    """Returns the fee for blobs that leave a tier, or are deleted, after this many days in it.

    It is the storage for the days that are left of the tier's shortest time, and 0 after that.
    """
    days_left = max(0.0, EARLY_DELETION_DAYS[tier] - max(0.0, days_in_tier))
    return prices.tiers[tier].storage_gb_month * days_left / DAYS_A_MONTH * size_bytes / GB


def move(
    prices: "Prices", size_bytes: int, blobs: int, origin: Tier, target: Tier, days_in_tier: float
) -> float:
    """Returns what it costs to move blobs from one tier to another, once, with the early-deletion fee of `origin`.

    To a colder tier, each blob is one write at the price of `target`. To a warmer one, each is one read at the price
    of `origin`, and its bytes are retrieved; out of the Archive tier that is a `rehydration` with standard priority.
    A move to the same tier costs nothing.
    """
    if origin is target:
        return 0.0
    fee = early_deletion(prices, size_bytes, origin, days_in_tier)
    if target.is_colder_than(origin):
        return fee + blobs * prices.tiers[target].writes_per_10000 / _UNIT
    left = prices.tiers[origin]
    return fee + blobs * left.reads_per_10000 / _UNIT + left.retrieval_gb * size_bytes / GB


def saving_month(prices: "Prices", size_bytes: int, origin: Tier, target: Tier) -> float:
    """Returns how much less a month of storage costs in `target` than in `origin`; below 0 if it costs more."""
    less = prices.tiers[origin].storage_gb_month - prices.tiers[target].storage_gb_month
    return less * size_bytes / GB
