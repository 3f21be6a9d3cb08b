"""Defines how a dataset is kept: how long, in which tier, and what its owner or an administrator has asked for."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.storage.blobs import Priority, Tier

_RECORDED_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rehydration:
    """A dataset on its way out of the Archive tier. Once it is in `tier`, it stays online for `keep_days` at least.

    `ready_at` is set once all files can be read; only the announcement to the owner is missing then. `chain` names the
    messages that follow the rehydration: those of an earlier chain have no effect.
    """

    tier: Tier
    priority: Priority
    requested_at: datetime
    keep_days: int
    chain: str = ""
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A dataset on its way to another tier, which somebody has asked for. `chain` is as in `Rehydration`."""

    tier: Tier
    requested_at: datetime
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a dataset is kept. No field is part of the dataset's content.

    `tier_changed_at` is when the dataset's files were written or moved to their tier; None if nobody recorded it.
    `last_download_at` is when links to the files were given, and `last_job_at` when a job was submitted that reads
    them; each is recorded once a day at most. The dataset is not moved to the Archive tier before `online_until`.
    `rehydration` is set while files leave the Archive tier, and `move` while they go to another tier because the owner
    has asked for it: until then no policy moves them.

    A dataset under `legal_hold` is neither deleted nor replaced. `retention_days` is how many days after its last use
    the nightly run deletes the dataset; None leaves that to the policies. `deleting_since` is set when its deletion has
    begun, which cannot be undone: nobody can read the dataset any more.
    """

    tier_changed_at: datetime | None = None
    last_download_at: datetime | None = None
    last_job_at: datetime | None = None
    online_until: datetime | None = None
    rehydration: Rehydration | None = None
    move: Move | None = None
    legal_hold: bool = False
    retention_days: int | None = None
    deleting_since: datetime | None = None

    def for_files_of(self, other: "Keeping") -> "Keeping":
        """Returns how another revision of the dataset is kept.

        What people have asked for is that of this one; where the files are is that of the other one.
        """
        return replace(
            self, tier_changed_at=other.tier_changed_at, rehydration=other.rehydration, move=other.move
        )

    @property
    def is_being_archived(self) -> bool:
        """Whether the files that move are on their way to the Archive tier, where links do not work."""
        return self.move is not None and self.move.tier is Tier.ARCHIVE

    def downloaded(self, now: datetime) -> "Keeping":
        """Returns this with a download at `now`, unless one of the last day is recorded or files are being archived."""
        if self.is_being_archived or not _is_due(self.last_download_at, now):
            return self
        return replace(self, last_download_at=now)

    def read_by_job(self, now: datetime) -> "Keeping":
        """Returns this with a job that was submitted at `now`, unless one of the last day is recorded."""
        return replace(self, last_job_at=now) if _is_due(self.last_job_at, now) else self

    @property
    def chain(self) -> str | None:
        """The chain of messages that follow the rehydration or the move; None if there is neither."""
        change = self.rehydration or self.move
        return change.chain if change else None


def _is_due(recorded: datetime | None, now: datetime) -> bool:
    """Returns whether a use is to be recorded."""
    return recorded is None or now - recorded >= _RECORDED_EVERY
