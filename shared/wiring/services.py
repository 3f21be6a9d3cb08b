"""Makes the services of the app from adapters. Each service is made when it is first used."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.model_services import ModelServices

if TYPE_CHECKING:
    from shared.crawling.fetching.host_rows import HostRows
    from shared.crawling.worker import ChunkWorker
    from shared.datasets.catalog import Catalog
    from shared.datasets.downloads import Downloads
    from shared.health.probe import HealthProbe
    from shared.jobs.archive_step.archive import Archive
    from shared.jobs.crawl import Crawl
    from shared.jobs.discovery.discover import Discover
    from shared.jobs.flow.dispatch import Dispatch
    from shared.jobs.flow.job_watch import JobWatches
    from shared.jobs.flow.owner_limits import OwnerLimits
    from shared.jobs.flow.quotas import Quotas
    from shared.jobs.flow.rounds import Rounds
    from shared.jobs.flow.transitions import Transitions
    from shared.jobs.flow.watchdog import Watchdog
    from shared.jobs.intake import Intake
    from shared.jobs.job.keys import JobKeys
    from shared.jobs.ledger.job_data import JobData
    from shared.jobs.retry import Retry
    from shared.jobs.spec.spec import SpecReader
    from shared.jobs.submission.forecast import Forecasts
    from shared.jobs.submission.refresh import RefreshDatasets
    from shared.jobs.submission.spec_checks import SpecChecks
    from shared.jobs.submission.submit import Submit
    from shared.jobs.submission.uploaded_lists import UploadedLists
    from shared.sources.kinds import SourceSettings
    from shared.sources.registry import SourceRegistry
    from shared.sources.source import SourceKind
    from shared.web.wishes.host_wishes import HostWishes

_BYTES_IN_FLIGHT = 160_000_000
_LOWER_PER_HOST = {"upload.wikimedia.org": 2}  # Wikimedia's media files: two downloads at once at most


class Services(ModelServices):
    """All services. Each is made on first use, for one process and one event loop."""

    @cached_property
    def job_data(self) -> "JobData":
        """The stored data of jobs."""
        from shared.jobs.ledger.job_data import JobData

        return JobData.over(self.storage, self.specs)

    @cached_property
    def job_keys(self) -> "JobKeys":
        """Finds jobs by ids of messages, and by ids that refused messages asked for."""
        from shared.jobs.job.keys import JobKeys

        return JobKeys(self.entities, self.job_data.jobs)

    @cached_property
    def dispatch(self) -> "Dispatch":
        """Decides which chunks are on the queue."""
        from shared.jobs.flow.dispatch import Dispatch

        return Dispatch(self.job_data.ledger, self.queues, self.settings.chunks_in_flight)

    @cached_property
    def catalog(self) -> "Catalog":
        """The datasets of all users."""
        from shared.datasets.catalog import Catalog

        return Catalog(self.entities, self.blobs)

    @cached_property
    def downloads(self) -> "Downloads":
        """Makes links to the files of datasets."""
        from shared.datasets.downloads import Downloads

        seconds = self.settings.download_link_seconds
        return Downloads(self.catalog, self.blobs, self.clock, link_seconds=seconds)

    @cached_property
    def source_settings(self) -> "SourceSettings":
        """The addresses of the search services and the keys for them."""
        from shared.wiring.search_services import source_settings

        return source_settings(self.settings)

    @cached_property
    def wishes(self) -> "HostWishes":
        """What hosts request in their own files, which the crawler and all sources share."""
        from shared.web.wishes.host_wishes import HostWishes

        return HostWishes.over(self.guarded_web)

    @cached_property
    def source_kinds(self) -> "Mapping[str, SourceKind]":
        """The kinds of sources, of the app and of installed packages."""
        from shared.sources.kinds import known_kinds

        return known_kinds(self.source_settings)

    @cached_property
    def sources(self) -> "SourceRegistry":
        """Makes the sources of jobs."""
        from shared.sources.registry import SourceRegistry
        from shared.sources.source import SourceContext

        context = SourceContext(self.reported_web, self.blobs, self.clock, self.wishes)
        return SourceRegistry(self.source_kinds, context)

    @cached_property
    def specs(self) -> "SpecReader":
        """Reads specs."""
        from shared.jobs.spec.spec import SpecReader

        return SpecReader(self.sources)

    @cached_property
    def job_watches(self) -> "JobWatches":
        """Notices that a job has ended while a step works for it."""
        from shared.jobs.flow.job_watch import JobWatches

        return JobWatches(self.job_data.jobs, self.clock)

    @cached_property
    def rounds(self) -> "Rounds":
        """Decides whether discovery has to go on."""
        from shared.jobs.flow.rounds import Rounds

        return Rounds(self.job_data)

    @cached_property
    def owner_limits(self) -> "OwnerLimits":
        """The limits of the owners of jobs."""
        from shared.jobs.flow.owner_limits import OwnerLimits

        return OwnerLimits(self.users, self.tiers, self.settings.running_jobs_per_user)

    @cached_property
    def quotas(self) -> "Quotas":
        """Reserves and settles what jobs need of the quotas of their owners."""
        from shared.jobs.flow.quotas import Quotas

        return Quotas(self.usage, self.owner_limits, self.job_data.jobs, self.runtime)

    @cached_property
    def transitions(self) -> "Transitions":
        """Changes the states of jobs."""
        from shared.jobs.flow.slots import Slots
        from shared.jobs.flow.transitions import Transitions

        slots = Slots(self.entities, self.job_data.jobs, self.queues, self.owner_limits)
        return Transitions(self.job_data, slots, self.quotas, self.rounds, self.runtime)

    @cached_property
    def retry(self) -> "Retry":
        """Retries jobs that have ended."""
        from shared.jobs.retry import Retry

        return Retry(self.job_data, self.catalog, self.quotas, self.clock)

    @cached_property
    def refresh_datasets(self) -> "RefreshDatasets":
        """Has the jobs of datasets run again."""
        from shared.jobs.submission.refresh import RefreshDatasets

        data, runtime = self.job_data, self.runtime
        return RefreshDatasets(data, self.catalog, self.specs, self.spec_checks, self.quotas, runtime)

    @cached_property
    def lists(self) -> "UploadedLists":
        """Stores the lists of users."""
        from shared.jobs.submission.uploaded_list import ListLimits
        from shared.jobs.submission.uploaded_lists import UploadedLists

        settings = self.settings
        limits = ListLimits(
            settings.lists_per_user, settings.list_bytes_per_user, settings.list_retention_days
        )
        return UploadedLists(self.storage, self.runtime, limits)

    @cached_property
    def spec_checks(self) -> "SpecChecks":
        """Checks what specs name outside of themselves."""
        from shared.jobs.submission.spec_checks import SpecChecks

        return SpecChecks(self.catalog, self.lists, self.host_lookup, self.model_names)

    @cached_property
    def submit(self) -> "Submit":
        """Step 1: submits jobs."""
        from shared.jobs.submission.submit import Submit

        return Submit(self.job_data, self.job_keys, self.specs, self.spec_checks, self.quotas, self.runtime)

    @cached_property
    def forecasts(self) -> "Forecasts":
        """Says what specs would do."""
        from shared.jobs.submission.estimate import Estimator
        from shared.jobs.submission.forecast import Forecasts

        estimator = Estimator(self.prices, self.settings.chunk_size)
        return Forecasts(self.sources, self.spec_checks, self.quotas, estimator)

    @cached_property
    def discover(self) -> "Discover":
        """Step 2: discovers candidates."""
        from shared.jobs.discovery.discover import Discover
        from shared.jobs.discovery.moved_images import MovedImages
        from shared.jobs.discovery.run import DiscoveryParts

        moved = MovedImages(self.catalog, self.blobs)
        size = self.settings.chunk_size
        parts = DiscoveryParts(
            self.job_data, self.dispatch, self.rounds, moved, self.job_watches, self.runtime, size
        )
        return Discover(parts, self.transitions, self.sources)

    @cached_property
    def host_rows(self) -> "HostRows":
        """The requests that all processes make to hosts. This process has a name of its own in it."""
        from shared.crawling.fetching.host_rows import HostRows

        return HostRows.gathering(self.entities, self.clock, self.ids.nonce())

    @cached_property
    def worker(self) -> "ChunkWorker":
        """The crawl engine."""
        from shared.crawling.fetching.byte_budget import ByteBudget
        from shared.crawling.fetching.fetch import Fetcher
        from shared.crawling.fetching.fetch_config import FetchConfig
        from shared.crawling.worker import ChunkWorker, WorkerConfig

        fetching = FetchConfig(
            total_seconds=self.settings.fetch_timeout_seconds,
            per_host=self.settings.fetch_concurrency_per_host,
            lower_per_host=_LOWER_PER_HOST,
        )
        budget = ByteBudget(_BYTES_IN_FLIGHT)
        fetcher = Fetcher(self.guarded_sessions, self.wishes, budget, fetching, rows=self.host_rows)
        config = WorkerConfig(concurrency=self.settings.fetch_concurrency)
        return ChunkWorker(fetcher, budget, self.blobs, self.runtime, config, self.image_checks)

    @cached_property
    def crawl(self) -> "Crawl":
        """Step 3: crawls chunks."""
        from shared.jobs.crawl import Crawl

        data, watches = self.job_data, self.job_watches
        return Crawl(data, self.dispatch, self.transitions, self.worker, self.runtime, watches)

    @cached_property
    def archive(self) -> "Archive":
        """Step 4: makes datasets."""
        from shared.archiving.archiver import Archiver
        from shared.archiving.planning.planner import PlanConfig
        from shared.images.preview import ContactSheets
        from shared.jobs.archive_step.archive import Archive

        config = PlanConfig(part_bytes=self.settings.archive_part_bytes)
        previews = ContactSheets(self.blobs, self.clock)
        archiver = Archiver(self.storage, self.runtime, config, previews, self.optouts)
        return Archive(self.job_data, self.transitions, archiver, self.catalog, self.job_watches)

    @cached_property
    def intake(self) -> "Intake":
        """Passes queue messages to the steps 1 to 4."""
        from shared.jobs.intake import Intake, Steps
        from shared.jobs.submission.producers import Producers

        settings = self.settings
        producers = Producers(self.owner_limits, settings.queue_user_id, settings.queue_messages_name_users)
        steps = Steps(self.submit, self.discover, lambda: self.crawl, lambda: self.archive)
        return Intake(steps, self.watchdog, self.job_data.jobs, self.telemetry, producers, self.uses)

    @cached_property
    def watchdog(self) -> "Watchdog":
        """Sends the messages of stalled jobs again."""
        from shared.jobs.flow.watchdog import Watchdog, WatchdogConfig

        config = WatchdogConfig(stall_after_seconds=self.settings.stall_after_seconds)
        return Watchdog(self.job_data, self.dispatch, self.transitions, self.quotas, self.runtime, config)

    @cached_property
    def health(self) -> "HealthProbe":
        """Checks the health of the parts."""
        from shared.health.probe import HealthProbe
        from shared.wiring.health_parts import parts_of

        return HealthProbe(parts_of(self), self.clock)
