"""Reads the price file: what Azure asks for storage, executions and traffic, in one region on one day.

`prices.json` has list prices. The setting PRICES changes them, for another region or a contract. No other module knows
a price.

Azure's meters: https://azure.microsoft.com/pricing/details/storage/blobs/,
https://azure.microsoft.com/pricing/details/functions/, https://azure.microsoft.com/pricing/details/bandwidth/ and
https://azure.microsoft.com/pricing/details/monitor/
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.storage.blobs import Tier
from shared.text.strict_json import read_json

_FILE: Final = Path(__file__).with_name("prices.json")

type Price = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
type Amount = Annotated[int, Field(ge=0, le=1_000_000_000)]
type Text = Annotated[str, Field(min_length=1, max_length=400)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TierPrices(_Model):
    """The prices of one access tier of blobs. A GB is 2^30 bytes, and 10,000 operations are the unit of Azure."""

    storage_gb_month: Price
    """A GB for a month."""
    reads_per_10000: Price
    """10,000 reads, and 10,000 moves of a blob out of the tier to a warmer one."""
    writes_per_10000: Price
    """10,000 writes (blobs, blocks, commits), and 10,000 moves of a blob from a warmer tier into this one."""
    retrieval_gb: Price
    """A GB that is read, or moved to a warmer tier."""


class RehydrationPrices(_Model):
    """The prices of moving blobs out of the Archive tier with high priority, in place of the tier's own prices."""

    reads_per_10000: Price
    retrieval_gb: Price


class EgressPrices(_Model):
    """The price of a GB (2^30 bytes) that leaves Azure for the internet, after the free part of the month."""

    gb: Price
    free_gb_month: Amount


class FunctionsPrices(_Model):
    """The prices of the Flex Consumption plan on demand, after the free part of the month.

    An execution is charged for `least_seconds_an_execution` at least.
    """

    gb_second: Price
    million_executions: Price
    free_gb_seconds_month: Amount
    free_executions_month: Amount
    least_seconds_an_execution: Annotated[float, Field(ge=0, le=3600)]


class LogsPrices(_Model):
    """The price of a GB (10^9 bytes) that Log Analytics ingests, after the free part of the month."""

    ingestion_gb: Price
    free_gb_month: Amount


class Prices(_Model):
    """All prices, in one currency, of one region, on one day."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """The code of the currency after ISO 4217."""
    region: Text
    redundancy: Text
    date: date
    """The day on which the prices were looked up."""
    source: Text
    """Where the prices come from."""
    unconfirmed: Mapping[str, Text]
    """Prices that no official source has confirmed, by their path in the file, each with what it rests on."""
    tiers: Mapping[Tier, TierPrices]
    high_priority_rehydration: RehydrationPrices
    other_blob_operations_per_10000: Price
    """10,000 reads of the properties or the blocks of a blob, and other operations that read and write no content."""
    blob_lists_per_10000: Price
    """10,000 pages of a list of blobs."""
    egress: EgressPrices
    functions: FunctionsPrices
    queue_operations_per_10000: Price
    table_operations_per_10000: Price
    logs: LogsPrices
    log_alert_rule_month: Price
    """A rule that asks the logs every 15 minutes or less often, for a month."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        missing = [tier.value for tier in Tier if tier not in self.tiers]
        if missing:
            raise ValueError(f"tiers lacks {', '.join(missing)}")
        return self


@cache
def default_prices() -> Prices:
    """Returns the prices of the file in this package."""
    return Prices.model_validate(_file())


def read_prices(changes: Mapping[str, object]) -> Prices:
    """Returns the prices of the file with `changes`, which has the shape of the file and only what differs.

    A price that is changed is no longer in `unconfirmed`.

    Raises:
        ValueError: `changes` has no date, names something that the file does not have, or breaks a rule; or it has
            another currency, but not all prices.
    """
    if not isinstance(changes.get("date"), str):
        raise ValueError("date is missing: the day of the changed prices, such as 2026-11-29")  # noqa: TRY004 - wrong data, not a wrong call
    file = _file()
    merged = _merged(file, changes)
    unconfirmed = merged["unconfirmed"]
    if "unconfirmed" not in changes and isinstance(unconfirmed, Mapping):
        merged["unconfirmed"] = {
            path: reason for path, reason in unconfirmed.items() if not _has(changes, path)
        }
    prices = Prices.model_validate(merged)
    missing = next((path for path in _prices_in(file) if not _has(changes, path)), None)
    if missing is not None and prices.currency != file["currency"]:
        raise ValueError(f"with another currency all prices are needed, and {missing} is missing")
    return prices


def _file() -> Mapping[str, object]:
    found = read_json(_FILE.read_text("utf-8"), _FILE.name)
    if not isinstance(found, Mapping):
        raise TypeError(f"{_FILE.name} is not an object")
    return found


def _merged(given: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """Returns `given` with `changes` at any depth. Two objects at one place become one."""
    merged = dict(given)
    for name, change in changes.items():
        before = given.get(name)
        if isinstance(before, Mapping) and isinstance(change, Mapping):
            merged[name] = _merged(before, change)
        else:
            merged[name] = change
    return merged


def _prices_in(found: Mapping[str, object], path: str = "") -> Iterator[str]:
    """Yields the paths of all numbers with a decimal point. What is free in a month has none."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _prices_in(value, f"{path}{name}.")
        elif isinstance(value, float):
            yield f"{path}{name}"


def _has(changes: object, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(changes, Mapping) or name not in changes:
            return False
        changes = changes[name]
    return True
