"""Follows datasets on their way out of the Archive tier.

That takes hours, and Azure does not report its end. So each message checks the files and comes back later, after a
longer wait each time. These are the steps, each of which can be repeated:

1. A rehydration of each file is begun.
2. Once all files can be read, that is recorded, and the days begin for which the dataset stays online.
3. The event is announced to the webhook. Then the rehydration is taken off the record.

Three days after the request no further message is sent. Then the nightly run checks the files once a night.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.announcements import Announcement, Announcer
from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.files import archived_files, files_that_move, stored_files
from shared.datasets.keeping import Rehydration
from shared.errors import Permanent
from shared.lifecycle.moves.files import change_each
from shared.lifecycle.moves.task import FollowMove
from shared.lifecycle.task_queue import Again
from shared.runtime import Runtime
from shared.storage.blobs import BlobInfo, Priority, Tier, TierStore
from shared.telemetry import signals
from shared.telemetry.correlation import current_origin

_log = logging.getLogger(__name__)

_MINUTE = 60.0
# the first wait and the longest one
_WAITS = {Priority.STANDARD: (10 * _MINUTE, 60 * _MINUTE), Priority.HIGH: (2 * _MINUTE, 20 * _MINUTE)}
_GROWTH = 1.5
_CHECKS_TO_LONGEST = 6
_FOLLOWED_FOR = timedelta(days=3)
_OPERATION = "rehydrate_dataset"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rehydrations:
    """Follows rehydrations. Safe to run twice, at the same time, and to die at any line."""

    catalog: Catalog
    blobs: TierStore
    announcer: Announcer
    runtime: Runtime
    environment: str

    async def run(
        self, dataset: Dataset, rehydration: Rehydration, task: FollowMove, deadline: Deadline
    ) -> Again | None:
        """Goes on with a rehydration; returns the further task unless it is complete.

        Raises:
            Unavailable: storage did not answer; the message should come again.
        """
        if rehydration.ready_at is None:
            if not await self._begin(dataset, rehydration, deadline):
                return Again(task)
            files = await stored_files(self.blobs, dataset)
            if archived_files(files):
                return self._wait(dataset, rehydration, task)
            dataset = await self._record_ready(dataset, files, task)
        await self._announce(dataset)
        await self._finish(dataset, task)
        return None

    async def _begin(self, dataset: Dataset, rehydration: Rehydration, deadline: Deadline) -> bool:
        """Begins the rehydration of all files; returns False if there was no time for all of them."""

        async def begin(info: BlobInfo) -> None:
            await self.blobs.set_tier(info.name, rehydration.tier, priority=rehydration.priority)

        archived = archived_files(await stored_files(self.blobs, dataset))
        return await change_each(
            [info for info in archived if not _has_begun(info, rehydration)], begin, deadline
        )

    def _wait(self, dataset: Dataset, rehydration: Rehydration, task: FollowMove) -> Again | None:
        if self.runtime.clock.now() - rehydration.requested_at > _FOLLOWED_FOR:
            error = Permanent(f"The dataset has not left the Archive tier in {_FOLLOWED_FOR.days} days.")
            _log.warning("%s The nightly run checks it again.", error.detail)
            signals.failure(self.runtime.telemetry, error, operation=_OPERATION, dataset=dataset.id)
            return None
        first, longest = _WAITS[rehydration.priority]
        wait = first * _GROWTH ** min(max(task.checks, 0), _CHECKS_TO_LONGEST)
        return Again(replace(task, checks=task.checks + 1), min(longest, wait))

    async def _record_ready(self, dataset: Dataset, files: Sequence[BlobInfo], task: FollowMove) -> Dataset:
        """Records that all files can be read, and in which tier they are; returns the dataset as it is recorded."""
        now = self.runtime.clock.now()

        def ready(stored: Dataset) -> Dataset:
            keeping, running = stored.keeping, stored.keeping.rehydration
            if keeping.chain != task.chain or running is None or running.ready_at is not None:
                return stored
            until = now + timedelta(days=running.keep_days)
            kept = replace(
                keeping,
                tier_changed_at=now,
                online_until=max(until, keeping.online_until or until),
                rehydration=replace(running, ready_at=now),
            )
            return replace(stored, tier=_tier_of(files, running), keeping=kept)

        return await self.catalog.keep(dataset.user_id, dataset.id, ready)

    async def _announce(self, dataset: Dataset) -> None:
        """Announces to the webhook that the dataset can be read. Repeating announces the same event."""
        keeping = dataset.keeping
        rehydration = keeping.rehydration
        if dataset.webhook_url is None or rehydration is None or rehydration.ready_at is None:
            return
        announcement = Announcement(
            user_id=dataset.user_id,
            job_id=dataset.id,
            type="dataset.rehydrated",
            key=str((rehydration.requested_at - _EPOCH) // timedelta(microseconds=1)),
            at=rehydration.ready_at,
            url=dataset.webhook_url,
            data=event_data(dataset, rehydration),
        )
        try:
            await self.announcer.announce(announcement)
        except Permanent as error:
            signals.failure(self.runtime.telemetry, error, operation=_OPERATION, dataset=dataset.id)

    async def _finish(self, dataset: Dataset, task: FollowMove) -> None:
        """Takes the rehydration off the record, and reports its end."""

        def finish(stored: Dataset) -> Dataset:
            if stored.keeping.chain != task.chain:
                return stored
            return replace(stored, keeping=replace(stored.keeping, rehydration=None))

        await self.catalog.keep(dataset.user_id, dataset.id, finish)
        signals.operation_completed(
            self.runtime.telemetry,
            operation=_OPERATION,
            correlation_id=current_origin().correlation_id,
            environment=self.environment,
        )


def _has_begun(info: BlobInfo, rehydration: Rehydration) -> bool:
    """Returns whether the file is on its way already, and as fast as was asked for."""
    if info.rehydrating_to is not rehydration.tier:
        # files that are on their way to another tier cannot change it
        return info.rehydrating_to is not None
    return info.priority is Priority.HIGH or rehydration.priority is Priority.STANDARD


def _tier_of(files: Sequence[BlobInfo], rehydration: Rehydration) -> Tier:
    """Returns the tier of the files. It is another one than asked for if Azure's own tools have moved all of them."""
    tiers = {info.tier for info in files_that_move(files)}
    [tier] = tiers if len(tiers) == 1 else {rehydration.tier}
    return tier or rehydration.tier


def event_data(dataset: Dataset, rehydration: Rehydration) -> Mapping[str, Any]:
    """Returns the `data` of the event which reports that a rehydration has ended."""
    online_until = dataset.keeping.online_until
    path = f"/api/v1/datasets/{dataset.id}"
    return {
        "dataset_id": dataset.id,
        "name": dataset.name,
        "revision": dataset.revision,
        "tier": dataset.tier,
        "requested_at": rehydration.requested_at.isoformat(),
        "ready_at": rehydration.ready_at.isoformat() if rehydration.ready_at else None,
        "online_until": online_until.isoformat() if online_until else None,
        "links": {"dataset": path, "download": f"{path}/download"},
    }
