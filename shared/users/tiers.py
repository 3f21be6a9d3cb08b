"""Defines the limits of the users of each tier, and the price that they pay."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from shared.users.caller import TierName

type Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
type Days = Annotated[int, Field(ge=1, le=36_500)]
# a wrong number must not delete datasets before anybody notices it
type DaysToDeletion = Annotated[int, Field(ge=7, le=36_500)]


def check_ages(**ages: int | None) -> None:
    """Checks that the ages of a dataset's steps ascend, in the order in which they are passed. None is no step.

    Raises:
        ValueError: an age is less than the one of an earlier step. The text names both.
    """
    chosen = [(name, days) for name, days in ages.items() if days is not None]
    for (name, days), (later_name, later_days) in pairwise(chosen):
        if later_days < days:
            raise ValueError(f"'{later_name}' is {later_days}; it must be at least '{name}', which is {days}")


class Tier(BaseModel):
    """The limits of a tier and its price. No limit can be switched off, but each can be very high."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: Count
    """HTTP calls of a user, with any of the user's keys and on all instances together."""
    requests_per_minute_per_key: Count | None = None
    """HTTP calls with one of the keys; None allows one key all calls of its user."""
    jobs_at_once: Count
    """Jobs of a user that have not ended."""
    images_per_month: Count
    """Images that a user's jobs may keep in a calendar month (UTC)."""
    images_per_job: Count
    """Images that one job may keep."""
    cool_after_days: Days | None = None
    """Days without use after which a dataset moves to the Cool tier of storage; None takes the app's setting."""
    cold_after_days: Days | None = None
    """The same for the Cold tier."""
    archive_after_days: Days | None = None
    """The same for the Archive tier."""
    delete_after_days: DaysToDeletion | None = None
    """The same for the deletion of a dataset."""
    monthly_price_usd: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    """What a user of the tier pays in a month, for the business metrics."""

    @model_validator(mode="after")
    def _ages_ascend(self) -> Self:
        check_ages(
            cool_after_days=self.cool_after_days,
            cold_after_days=self.cold_after_days,
            archive_after_days=self.archive_after_days,
            delete_after_days=self.delete_after_days,
        )
        return self


type Tiers = Mapping[TierName, Tier]

_all_tiers: TypeAdapter[Tiers] = TypeAdapter(Mapping[TierName, Tier])

DEFAULT_TIERS: Final[Tiers] = {
    TierName.FREE: Tier(
        requests_per_minute=60,
        jobs_at_once=2,
        images_per_month=10_000,
        images_per_job=5_000,
        monthly_price_usd=0.0,
    ),
    TierName.PRO: Tier(
        requests_per_minute=300,
        jobs_at_once=10,
        images_per_month=1_000_000,
        images_per_job=250_000,
        monthly_price_usd=29.0,
    ),
    TierName.ENTERPRISE: Tier(
        requests_per_minute=3_000,
        jobs_at_once=100,
        images_per_month=100_000_000,
        images_per_job=10_000_000,
        monthly_price_usd=499.0,
    ),
}


def read_tiers(changes: Mapping[str, Mapping[str, object]]) -> Tiers:
    """Returns the default tiers with `changes`, which are the fields of each tier that differ from the default.

    Raises:
        ValueError: there is no such tier or field, or a value breaks its rule.
    """
    unknown = changes.keys() - set(TierName)
    if unknown:
        raise ValueError(f"there is no tier {min(unknown)!r}; the tiers are {', '.join(TierName)}")
    tiers = _all_tiers.validate_python(
        {name: {**tier.model_dump(), **changes.get(name, {})} for name, tier in DEFAULT_TIERS.items()}
    )
    if tiers[TierName.FREE].monthly_price_usd > 0:
        # only users of the other tiers are in the list of those who may be paying
        raise ValueError(f"the tier '{TierName.FREE}' must have the price 0")
    return tiers
