"""Makes the services of the lifecycle of jobs, datasets and users, which stand above all others."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.viewing_services import ViewingServices

if TYPE_CHECKING:
    from shared.images.opted_out import OptedOutImages
    from shared.jobs.submission.refresh_requests import RefreshRequests
    from shared.lifecycle.aging.due_steps import LifecycleRules
    from shared.lifecycle.aging.plan import Planner
    from shared.lifecycle.aging.run import AgingRun
    from shared.lifecycle.deletion import Deletion, JobParts
    from shared.lifecycle.erasure import Erasure
    from shared.lifecycle.list_checks import ListChecks
    from shared.lifecycle.messages import TaskSender
    from shared.lifecycle.moves.follow import FollowMoves
    from shared.lifecycle.moves.requests import MoveRequests
    from shared.lifecycle.night import Night
    from shared.lifecycle.retention import Retention
    from shared.lifecycle.task_queue import TaskQueue
    from shared.lifecycle.working_blobs import WorkingBlobs


class LifecycleServices(ViewingServices):
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

        kinds = (
            self.follow_moves.kind,
            self.deletion.kind,
            self.aging_run.kind,
            self.working_blobs.kind,
            self.night.kind,
            self.list_checks.kind,
        )
        return TaskQueue(kinds, self.task_sender, self.telemetry)

    @cached_property
    def list_checks(self) -> "ListChecks":
        """Checks lists after their links have ended."""
        from shared.lifecycle.list_checks import ListChecks

        return ListChecks(self.lists, self.task_sender)

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
        return FollowMoves(self.catalog, rehydrations, Moves(self.catalog, self.blobs, self.runtime))

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
    def refresh_requests(self) -> "RefreshRequests":
        """Has datasets refreshed for their owners, and for administrators those of all users."""
        from shared.jobs.submission.refresh_requests import RefreshRequests

        return RefreshRequests(self.refresh_datasets, self.catalog, self.access, self.audit)

    @cached_property
    def retention(self) -> "Retention":
        """Changes how long datasets are kept."""
        from shared.lifecycle.retention import Retention

        return Retention(self.catalog, self.audit)

    @cached_property
    def lifecycle_rules(self) -> "LifecycleRules":
        """Decides which steps datasets are due for."""
        from shared.lifecycle.aging.due_steps import LifecycleRules
        from shared.lifecycle.aging.policy import LastTier, Policies, Policy

        settings = self.settings
        policy = Policy(
            settings.cool_after_days,
            settings.cold_after_days,
            settings.archive_after_days,
            settings.delete_after_days,
        )
        policies = Policies(policy, LastTier(settings.lifecycle))
        return LifecycleRules(self.owner_limits, policies, self.prices)

    @cached_property
    def opted_out_images(self) -> "OptedOutImages":
        """Finds images that are opted out in the datasets of all users."""
        from shared.datasets.all_datasets import AllDatasets
        from shared.images.opted_out import OptedOutImages

        return OptedOutImages(AllDatasets(self.entities), self.blobs)

    @cached_property
    def lifecycle_planner(self) -> "Planner":
        """Says what the next run over all datasets will do."""
        from shared.datasets.all_datasets import AllDatasets
        from shared.lifecycle.aging.plan import Planner
        from shared.lifecycle.aging.run_rows import Runs

        return Planner(AllDatasets(self.entities), self.lifecycle_rules, Runs(self.entities), self.clock)

    @cached_property
    def aging_run(self) -> "AgingRun":
        """Step 6: moves unused datasets to cheaper tiers, and deletes those that are to be deleted."""
        from shared.datasets.all_datasets import AllDatasets
        from shared.lifecycle.aging.mover import Mover
        from shared.lifecycle.aging.run import AgingRun, DatasetParts
        from shared.lifecycle.aging.run_rows import Runs

        datasets = DatasetParts(
            AllDatasets(self.entities),
            self.catalog,
            Mover(self.blobs, self.catalog),
            self.deletion,
            self.move_requests,
        )
        return AgingRun(Runs(self.entities), self.lifecycle_rules, datasets, self.runtime)

    @cached_property
    def night(self) -> "Night":
        """Begins the work of a night, and handles the tasks that are small."""
        from shared.lifecycle.night import Night, NightParts
        from shared.users.audit import OldActions
        from shared.users.limits.past_days import PastDays

        past_days = PastDays(self.entities, self.clock)
        old_actions = OldActions(self.entities, self.clock, self.settings.audit_retention_days)
        parts = NightParts(self.erasure, self.deletion, self.lists, past_days, old_actions, self.host_rows)
        return Night(self.task_sender, parts, self.clock)

    @cached_property
    def working_blobs(self) -> "WorkingBlobs":
        """Deletes the working blobs of jobs that ended some days ago."""
        from shared.lifecycle.working_blobs import WorkingBlobs

        days = self.settings.work_retention_days
        return WorkingBlobs(self.job_data, self.catalog, self.runtime, retention_days=days)

    @cached_property
    def erasure(self) -> "Erasure":
        """Deletes users who are marked for it."""
        from shared.lifecycle.erasure import Erasure

        return Erasure(self.deletions, self.usage, self.job_parts, self.deletion, self.runtime)
