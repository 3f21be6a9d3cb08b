"""Makes the services of the lifecycle of jobs, datasets and users, which stand above all others."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.dataset_services import DatasetServices

if TYPE_CHECKING:
    from shared.lifecycle.deletion import Deletion, JobParts
    from shared.lifecycle.erasure import Erasure
    from shared.lifecycle.messages import TaskSender
    from shared.lifecycle.moves.follow import FollowMoves
    from shared.lifecycle.moves.requests import MoveRequests
    from shared.lifecycle.nightly import Nightly
    from shared.lifecycle.retention import Retention
    from shared.lifecycle.task_queue import TaskQueue


class LifecycleServices(DatasetServices):
    """The services of the lifecycle. Each is made on first use."""

    @cached_property
    def task_sender(self) -> "TaskSender":
        """Sends tasks to the queue `lifecycle`."""
        from shared.lifecycle.messages import TaskSender

        return TaskSender(self.queues)

    @cached_property
    def task_queue(self) -> "TaskQueue":
        """Handles the tasks of the queue `lifecycle`: each kind has one line here."""
        from shared.lifecycle.task_queue import TaskQueue

        kinds = (self.follow_moves.kind, self.deletion.kind)
        return TaskQueue(kinds, self.task_sender, self.telemetry)

    @cached_property
    def move_requests(self) -> "MoveRequests":
        """Accepts requests to move datasets between tiers."""
        from shared.lifecycle.moves.requests import MoveRequests

        seconds = self.settings.download_link_seconds
        return MoveRequests(self.catalog, self.blobs, self.task_sender, self.runtime, link_seconds=seconds)

    @cached_property
    def follow_moves(self) -> "FollowMoves":
        """Follows datasets that move between tiers."""
        from shared.lifecycle.moves.follow import FollowMoves
        from shared.lifecycle.moves.moving import Moves
        from shared.lifecycle.moves.rehydrating import Rehydrations

        environment = self.settings.environment
        rehydrations = Rehydrations(self.catalog, self.blobs, self.deliveries, self.runtime, environment)
        return FollowMoves(self.catalog, rehydrations, Moves(self.catalog, self.blobs, self.clock))

    @cached_property
    def job_parts(self) -> "JobParts":
        """The services that end jobs and delete their stored data."""
        from shared.jobs.job.deletions import JobDeletions
        from shared.lifecycle.deletion import JobParts

        deletions = JobDeletions(self.entities, self.job_data.jobs)
        return JobParts(
            self.job_data,
            self.job_keys,
            self.transitions,
            self.catalog,
            deletions,
            self.deliveries.store,
            self.signing_secrets,
            self.lists,
        )

    @cached_property
    def deletion(self) -> "Deletion":
        """Deletes jobs and datasets."""
        from shared.lifecycle.deletion import Deletion

        return Deletion(self.job_parts, self.task_sender, self.runtime)

    @cached_property
    def retention(self) -> "Retention":
        """Changes how long datasets are kept."""
        from shared.lifecycle.retention import Retention

        return Retention(self.catalog, self.audit)

    @cached_property
    def nightly(self) -> "Nightly":
        """Step 6: moves old datasets to the Archive tier and cleans up."""
        from shared.lifecycle.nightly import Nightly, NightlyConfig

        config = NightlyConfig(self.settings.archive_after_days or 36_500, self.settings.work_retention_days)
        return Nightly(self.job_data, self.catalog, self.owner_limits, self.runtime, config)

    @cached_property
    def erasure(self) -> "Erasure":
        """Deletes users who are marked for it."""
        from shared.lifecycle.erasure import Erasure

        return Erasure(self.deletions, self.usage, self.job_parts, self.deletion, self.runtime)
