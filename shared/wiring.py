"""The composition root: the one place where adapters are made and services put together.

Everything is made when it is first used, and heavy libraries are imported then, so that a call of the API after a cold
start does not wait for the image decoders.
"""

import asyncio
import atexit
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from pydantic import SecretStr

from shared.clock import Clock, Deadline, SystemClock
from shared.datasets.catalog import Catalog
from shared.health import HealthProbe, Part
from shared.ids import Ids, RandomIds
from shared.jobs.chunk_ledger import ChunkLedger
from shared.jobs.discovery_state import DiscoveryStates
from shared.jobs.dispatch import Dispatch
from shared.jobs.job_store import JobStore
from shared.jobs.retry import Retry
from shared.jobs.slots import Slots
from shared.jobs.submit import Submit
from shared.jobs.transitions import Transitions
from shared.jobs.webhook import WebhookCaller
from shared.settings import Settings, load_settings
from shared.sources.json_api import ApiAccess
from shared.sources.openverse import OpenverseAccess
from shared.sources.registry import SourceContext, SourceSettings
from shared.storage.blobs import Tier
from shared.telemetry import signals
from shared.telemetry.correlation import Operation
from shared.telemetry.recording import NoTelemetry
from shared.telemetry.telemetry import Telemetry
from shared.users.access import ADMIN, Access
from shared.web.aiohttp_client import AiohttpWebClient
from shared.web.session import SessionConfig, Sessions

if TYPE_CHECKING:
    from shared.crawling.worker import ChunkWorker
    from shared.jobs.intake import Intake
    from shared.jobs.watchdog import Watchdog
    from shared.lifecycle.nightly import Nightly
    from shared.storage.azure_account import StorageAccount
    from shared.storage.azure_blobs import AzureBlobs
    from shared.storage.azure_entities import AzureEntities
    from shared.storage.azure_queues import AzureQueues

VERSION = "0.1.0"
_BYTES_IN_FLIGHT = 160_000_000


@dataclass(frozen=True, slots=True)
class _Finished:
    """The nightly clean-up's view of jobs."""

    jobs: JobStore
    ledger: ChunkLedger

    async def finished_before(self, moment: datetime) -> AsyncIterator[str]:
        """See `FinishedJobs`."""
        async for work in self.jobs.works():
            if work.finished_at is not None and work.finished_at < moment:
                yield work.job_id

    async def forget_work(self, job_id: str) -> None:
        """See `FinishedJobs`; the job's ledger goes with its blobs."""
        await self.ledger.erase(job_id)
        await self.jobs.forget_work(job_id)


@dataclass(frozen=True, slots=True)
class _TierNotes:
    """The nightly run's way to the catalog."""

    catalog: Catalog

    async def tier_changed(self, dataset_id: str, tier: Tier) -> None:
        """See `TierNotes`."""
        await self.catalog.tier_changed(ADMIN, dataset_id, tier)


class App:
    """Every service of the app, each made on first use, by one process and one event loop."""

    version = VERSION

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.ids: Ids = RandomIds()

    def deadline(self) -> Deadline:
        """By when the step that begins now has to return."""
        return Deadline.after(self.clock, self.settings.step_budget_seconds)

    # adapters

    @cached_property
    def account(self) -> "StorageAccount":
        """The storage account that the settings name."""
        from shared.storage.azure_account import StorageAccount

        settings = self.settings
        if settings.storage_connection is not None:
            return StorageAccount(settings.storage_connection.get_secret_value())
        from azure.identity.aio import DefaultAzureCredential

        credential = DefaultAzureCredential()
        named = StorageAccount.named(settings.storage_account or "", credential)
        return StorageAccount(
            None,
            settings.blob_service_uri or named.blob_uri,
            settings.queue_service_uri or named.queue_uri,
            settings.table_service_uri or named.table_uri,
            credential,
        )

    @cached_property
    def blobs(self) -> "AzureBlobs":
        """The datasets' container."""
        from shared.storage.azure_blobs import AzureBlobs

        return AzureBlobs(self.account, self.settings.datasets_container)

    @cached_property
    def entities(self) -> "AzureEntities":
        """The tables."""
        from shared.storage.azure_entities import AzureEntities

        return AzureEntities(self.account)

    @cached_property
    def queues(self) -> "AzureQueues":
        """The queues."""
        from shared.storage.azure_queues import AzureQueues

        return AzureQueues(self.account)

    @cached_property
    def telemetry(self) -> Telemetry:
        """Application Insights where it is set up, else nothing."""
        connection = self.settings.applicationinsights_connection_string
        if connection is None or not connection.get_secret_value():
            return NoTelemetry()
        from shared.telemetry.azure_monitor import AzureMonitorConfig, AzureMonitorTelemetry

        return AzureMonitorTelemetry(
            AzureMonitorConfig(
                connection_string=connection.get_secret_value(),
                environment=self.settings.environment,
                instance=self.settings.website_instance_id or "local",
                sampling_rate=self.settings.azure_monitor_sampling_rate,
            )
        )

    @cached_property
    def guarded_sessions(self) -> Sessions:
        """For addresses that come from outside."""
        return Sessions(
            SessionConfig(
                user_agent=self.settings.user_agent,
                allow_private_networks=self.settings.crawl_allow_private_networks,
                connections=self.settings.fetch_concurrency * 2,
                connections_per_host=self.settings.fetch_concurrency_per_host,
            )
        )

    @cached_property
    def guarded_web(self) -> AiohttpWebClient:
        """Exchanges with image services, webhooks and robots.txt: none of them leads into private networks."""
        return AiohttpWebClient(self.guarded_sessions)

    # services

    @cached_property
    def access(self) -> Access:
        """Who holds which key."""
        key = self.settings.admin_api_key
        return Access(key.get_secret_value() if key else None)

    @cached_property
    def jobs(self) -> JobStore:
        """Jobs and their specs."""
        return JobStore(self.entities, self.blobs)

    @cached_property
    def ledger(self) -> ChunkLedger:
        """Chunks and progress."""
        return ChunkLedger(self.entities)

    @cached_property
    def discovery_states(self) -> DiscoveryStates:
        """What discovery noted."""
        return DiscoveryStates(self.ledger, self.blobs)

    @cached_property
    def dispatch(self) -> Dispatch:
        """Which chunks are on the queue."""
        return Dispatch(self.ledger, self.queues, self.settings.chunks_in_flight)

    @cached_property
    def catalog(self) -> Catalog:
        """Datasets and their links."""
        return Catalog(
            self.entities, self.blobs, self.blobs, link_seconds=self.settings.download_link_seconds
        )

    @cached_property
    def source_settings(self) -> SourceSettings:
        """Where the image services are, and the keys for them."""
        settings, known = self.settings, SourceSettings()

        def access(service: ApiAccess, base_url: str, key: SecretStr | None = None) -> ApiAccess:
            return replace(service, base_url=base_url, key=_plain(key))

        return SourceSettings(
            openverse=OpenverseAccess(
                settings.openverse_base_url,
                settings.openverse_client_id,
                _plain(settings.openverse_client_secret),
            ),
            wikimedia=access(known.wikimedia, settings.wikimedia_base_url),
            flickr=access(known.flickr, settings.flickr_base_url, settings.flickr_api_key),
            pexels=access(known.pexels, settings.pexels_base_url, settings.pexels_api_key),
            pixabay=access(known.pixabay, settings.pixabay_base_url, settings.pixabay_api_key),
            brave=access(known.brave, settings.brave_base_url, settings.brave_api_key),
        )

    @cached_property
    def transitions(self) -> Transitions:
        """Changes of jobs' states."""
        webhook = WebhookCaller(self.jobs, self.guarded_web, self.telemetry)
        return Transitions(self.jobs, self.ledger, self.slots, self.queues, webhook, self.clock)

    @cached_property
    def slots(self) -> Slots:
        """How many jobs of a user run."""
        return Slots(self.entities, self.jobs, self.queues, self.settings.running_jobs_per_user)

    @cached_property
    def retry(self) -> Retry:
        """Begins ended jobs anew."""
        return Retry(self.jobs, self.ledger, self.discovery_states, self.queues, self.clock)

    @cached_property
    def submit(self) -> Submit:
        """Step 1."""
        return Submit(
            self.jobs,
            self.entities,
            self.queues,
            self.source_settings,
            self.clock,
            self.ids,
            self.catalog,
        )

    @cached_property
    def worker(self) -> "ChunkWorker":
        """The crawl engine."""
        from shared.crawling.byte_budget import ByteBudget
        from shared.crawling.fetch import FetchConfig, Fetcher
        from shared.crawling.worker import ChunkWorker, WorkerConfig
        from shared.web.robots import Robots
        from shared.web.tdm_reservation import TdmReservations

        web = self.guarded_web
        config = FetchConfig(
            total_seconds=self.settings.fetch_timeout_seconds,
            per_host=self.settings.fetch_concurrency_per_host,
        )
        budget = ByteBudget(_BYTES_IN_FLIGHT)
        return ChunkWorker(
            Fetcher(self.guarded_sessions, Robots(web), TdmReservations(web), budget, config),
            budget,
            self.blobs,
            self.blobs,
            self.telemetry,
            self.clock,
            WorkerConfig(concurrency=self.settings.fetch_concurrency, threads=os.cpu_count() or 1),
        )

    @cached_property
    def intake(self) -> "Intake":
        """Where queue messages come in; with it steps 2 to 4."""
        from shared.archiving.archiver import Archiver
        from shared.archiving.planner import PlanConfig
        from shared.jobs.archive import Archive
        from shared.jobs.crawl import Crawl, CrawlConfig
        from shared.jobs.discover import Discover
        from shared.jobs.discovery_run import DiscoveryParts
        from shared.jobs.intake import Intake

        sources = SourceContext(self.guarded_web, self.blobs, self.source_settings, self.clock)
        parts = DiscoveryParts(
            self.jobs,
            self.ledger,
            self.blobs,
            self.dispatch,
            self.clock,
            self.ids,
            self.settings.chunk_size,
        )
        discover = Discover(parts, self.queues, self.transitions, sources)
        crawl = Crawl(
            self.jobs,
            self.ledger,
            self.blobs,
            self.dispatch,
            self.transitions,
            self.worker,
            self.telemetry,
            self.clock,
            self.ids,
            CrawlConfig(),
        )
        config = PlanConfig(part_bytes=self.settings.archive_part_bytes)
        archiver = Archiver(self.blobs, self.blobs, self.entities, self.telemetry, self.clock, config)
        archive = Archive(
            self.jobs,
            self.ledger,
            self.queues,
            self.transitions,
            archiver,
            self.catalog,
            self.telemetry,
            self.clock,
        )
        return Intake(self.submit, discover, crawl, archive, self.jobs, self.watchdog, self.telemetry, ADMIN)

    @cached_property
    def nightly(self) -> "Nightly":
        """Step 6."""
        from shared.lifecycle.nightly import Nightly, NightlyConfig

        return Nightly(
            self.blobs,
            self.blobs,
            _Finished(self.jobs, self.ledger),
            _TierNotes(self.catalog),
            self.telemetry,
            self.clock,
            NightlyConfig(self.settings.archive_after_days, self.settings.work_retention_days),
        )

    @cached_property
    def watchdog(self) -> "Watchdog":
        """Sends stalled jobs on."""
        from shared.jobs.watchdog import Watchdog, WatchdogConfig

        return Watchdog(
            self.jobs,
            self.ledger,
            self.slots,
            self.queues,
            self.dispatch,
            self.transitions,
            self.telemetry,
            self.clock,
            WatchdogConfig(stall_after_seconds=self.settings.stall_after_seconds),
        )

    @cached_property
    def health(self) -> HealthProbe:
        """How the parts are."""
        parts = [
            Part("blobs", self.blobs.ping),
            Part("tables", self.entities.ping),
            Part("queues", self.queues.ping),
        ]
        return HealthProbe(parts, self.clock)

    def announce_start(self, startup_seconds: float) -> None:
        """Report that the process is ready, and have its end reported."""
        insights = not isinstance(self.telemetry, NoTelemetry)
        signals.application_started(
            self.telemetry,
            startup_seconds=startup_seconds,
            environment=self.settings.environment,
            azure_blob_enabled=True,
            azure_insights_enabled=insights,
            running_in_azure=self.settings.running_in_azure,
        )
        if insights:
            atexit.register(self._announce_stop)

    def completed(self, operation: Operation) -> None:
        """Report that a function ran to its end."""
        signals.operation_completed(
            self.telemetry,
            operation=operation.name,
            correlation_id=operation.correlation_id,
            environment=self.settings.environment,
        )

    def used(self, user_id: str, action: str) -> None:
        """Report that a user did something; with one key there is one tier of users."""
        signals.user_action(
            self.telemetry,
            user_id=user_id,
            user_tier=ADMIN,
            action=action,
            environment=self.settings.environment,
        )

    def _announce_stop(self) -> None:
        signals.application_stopped(
            self.telemetry,
            environment=self.settings.environment,
            azure_blob_enabled=True,
            azure_insights_enabled=True,
            running_in_azure=self.settings.running_in_azure,
        )
        asyncio.run(self.telemetry.flush())


def _plain(secret: SecretStr | None) -> str | None:
    """The secret, without the white space that copying leaves around it; None for none and for an empty one."""
    return (secret.get_secret_value().strip() or None) if secret else None


@cache
def app() -> App:
    """The app of this process."""
    return App(load_settings())
