from typing import Annotated, Literal, Self

from pydantic import WrapValidator, model_validator

from shared.settings.topics.topic import Topic
from shared.settings.value_types import DeletionAge, StepAge, in_any_case
from shared.users.tiers import check_ages


class LifecycleSettings(Topic):
    """Unused datasets.

    [The lifecycle of datasets](lifecycle.md) says how these ages are used. The [tier](users.md#tiers) of an owner may
    have other ages. `never` leaves a step out. No age may be less than an age above it.
    """

    lifecycle: Annotated[Literal["archive", "online"], WrapValidator(in_any_case)] = "archive"
    """Where unused datasets end up: `archive` is the Archive tier; `online` is the Cold tier, where they can be read at
    once."""
    cool_after_days: StepAge = 30
    """Days without use after which a dataset moves to the Cool tier."""
    cold_after_days: StepAge = None
    """Days without use after which a dataset moves to the Cold tier."""
    archive_after_days: StepAge = 90
    """Days without use after which a dataset moves to the Archive tier. With `LIFECYCLE=online`, it moves to the Cold
    tier instead."""
    delete_after_days: DeletionAge = None
    """Days without use after which a dataset is deleted."""

    @model_validator(mode="after")
    def _ages_ascend(self) -> Self:
        check_ages(
            COOL_AFTER_DAYS=self.cool_after_days,
            COLD_AFTER_DAYS=self.cold_after_days,
            ARCHIVE_AFTER_DAYS=self.archive_after_days,
            DELETE_AFTER_DAYS=self.delete_after_days,
        )
        return self
