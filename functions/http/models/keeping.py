"""Models of the bodies and answers on how datasets are kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from functions.http.declared import Model

if TYPE_CHECKING:
    from shared.datasets.dataset import Dataset
    from shared.datasets.keeping import Rehydration
    from shared.storage.blobs import BlobInfo

type OnlineTier = Literal["hot", "cool", "cold"]
type AnyTier = Literal["hot", "cool", "cold", "archive"]
type PriorityWord = Literal["standard", "high"]

_MAX_DAYS_ONLINE = 365
_MAX_RETENTION_DAYS = 36_500


class _Body(Model):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class RehydrateBody(_Body):
    """Where a dataset should go from the Archive tier, how fast, and for how many days it should stay online."""

    tier: OnlineTier = "hot"
    priority: PriorityWord = "standard"
    days: Annotated[int, Field(ge=1, le=_MAX_DAYS_ONLINE)] = 7


class MoveBody(_Body):
    """The tier to move a dataset to. With `even_if_in_use` it is archived though links to its files may still work."""

    tier: AnyTier
    even_if_in_use: bool = False


class ChangeDatasetBody(_Body):
    """How long a dataset is kept. A value that is left out stays as it is; null takes the retention away."""

    retention_days: Annotated[int, Field(ge=1, le=_MAX_RETENTION_DAYS)] | None = None
    legal_hold: bool | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.legal_hold is None and "retention_days" not in self.model_fields_set:
            raise ValueError("name what is to change: retention_days or legal_hold")
        return self


class RehydratingFile(Model):
    """One file of a dataset that leaves the Archive tier. `state` is "archived" until its rehydration has begun."""

    filename: str
    size_bytes: int
    state: Literal["archived", "rehydrating", "ready"]

    @classmethod
    def of(cls, info: "BlobInfo") -> Self:
        """Returns the answer for a file."""
        from shared.storage.blobs import Tier

        state: Literal["archived", "rehydrating", "ready"] = "ready"
        if info.tier is Tier.ARCHIVE:
            state = "rehydrating" if info.rehydrating_to else "archived"
        return cls(filename=info.name.rpartition("/")[2], size_bytes=info.size_bytes, state=state)


class RehydrationAnswer(Model):
    """A dataset on its way out of the Archive tier to `tier`, since `requested_at`.

    It then stays online for `days`. `files` is null in lists.
    """

    tier: str
    priority: str
    requested_at: datetime
    days: int
    ready_files: int | None
    files: list[RehydratingFile] | None

    @classmethod
    def of(cls, rehydration: "Rehydration", infos: "Sequence[BlobInfo] | None") -> Self:
        """Returns the answer for a rehydration and the files in storage, if they are known."""
        files = None if infos is None else [RehydratingFile.of(info) for info in infos]
        return cls(
            tier=rehydration.tier,
            priority=rehydration.priority,
            requested_at=rehydration.requested_at,
            days=rehydration.keep_days,
            ready_files=None if files is None else sum(file.state == "ready" for file in files),
            files=files,
        )


class KeepingAnswer(Model):
    """How a dataset is kept.

    `tier_since` is when its files came to their tier. Leaving the tier before `early_deletion_until` costs what is left
    of its shortest time. `last_download_at` is exact to a day. The dataset is not archived before `online_until`.
    `moving_to` is the tier that it is on its way to, in `rehydration` out of the Archive tier. `retention_days` is how
    many days after its last use it is deleted, or null if that is left to the policies; never under `legal_hold`.
    """

    tier_since: datetime
    early_deletion_until: datetime | None
    last_download_at: datetime | None
    online_until: datetime | None
    moving_to: str | None
    rehydration: RehydrationAnswer | None
    legal_hold: bool
    retention_days: int | None

    @classmethod
    def of(cls, dataset: "Dataset", infos: "Sequence[BlobInfo] | None") -> Self:
        """Returns the answer for a dataset and, if they are known, its files that move between tiers."""
        from shared.costs.storage import EARLY_DELETION_DAYS

        keeping = dataset.keeping
        since, shortest = dataset.tier_since, EARLY_DELETION_DAYS[dataset.tier]
        change = keeping.rehydration or keeping.move
        return cls(
            tier_since=since,
            early_deletion_until=since + timedelta(days=shortest) if shortest else None,
            last_download_at=keeping.last_download_at,
            online_until=keeping.online_until,
            moving_to=change.tier if change else None,
            rehydration=RehydrationAnswer.of(keeping.rehydration, infos) if keeping.rehydration else None,
            legal_hold=keeping.legal_hold,
            retention_days=keeping.retention_days,
        )
