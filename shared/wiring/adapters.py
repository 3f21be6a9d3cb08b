"""Makes the adapters for storage, telemetry and the web. Each adapter is made when it is first used."""

from functools import cached_property, partial
from typing import TYPE_CHECKING

from shared.clock import Clock, Deadline, SystemClock
from shared.errors import NotConfigured
from shared.ids import Ids, RandomIds
from shared.runtime import Runtime
from shared.settings import Settings
from shared.telemetry.connection_string import read_authentication_string, read_connection_string
from shared.telemetry.recording import NoTelemetry
from shared.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from shared.insights.report import Insights
    from shared.storage.azure.account import StorageAccount
    from shared.storage.azure.blobs import AzureBlobs
    from shared.storage.azure.entities import AzureEntities
    from shared.storage.azure.queues import AzureQueues
    from shared.storage.storage import Storage
    from shared.telemetry.azure_monitor.transport import TokenCredential
    from shared.web.addresses.lookup import HostLookup
    from shared.web.http.aiohttp_client import AiohttpWebClient
    from shared.web.http.reported_client import ReportedWebClient
    from shared.web.http.session import Sessions


class Adapters:
    """All adapters. Each is made on first use, for one process and one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.ids: Ids = RandomIds()

    def deadline(self) -> Deadline:
        """Returns the deadline for a step that begins now."""
        return Deadline.after(self.clock, self.settings.step_budget_seconds)

    @cached_property
    def account(self) -> "StorageAccount":
        """The storage account that the settings name."""
        from shared.storage.azure.account import StorageAccount

        settings = self.settings
        if settings.storage_connection is not None:
            return StorageAccount(settings.storage_connection.get_secret_value())
        credential = self.credential
        named = StorageAccount.named(settings.storage_account or "", credential)
        return StorageAccount(
            None,
            settings.blob_service_uri or named.blob_uri,
            settings.queue_service_uri or named.queue_uri,
            settings.table_service_uri or named.table_uri,
            credential,
        )

    @cached_property
    def credential(self) -> "AsyncTokenCredential":
        """The app's identity, which the settings of the storage account name. The host reads them in the same way."""
        from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

        client_id = self.settings.storage_client_id
        if self.settings.storage_credential == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id)
        # without a client id, DefaultAzureCredential reads AZURE_CLIENT_ID
        if client_id is None:
            return DefaultAzureCredential()
        return DefaultAzureCredential(managed_identity_client_id=client_id)

    @cached_property
    def blobs(self) -> "AzureBlobs":
        """The blobs of the datasets container."""
        from shared.storage.azure.blobs import AzureBlobs

        return AzureBlobs(self.account, self.settings.datasets_container, self.clock)

    @cached_property
    def entities(self) -> "AzureEntities":
        """The tables."""
        from shared.storage.azure.entities import AzureEntities

        return AzureEntities(self.account)

    @cached_property
    def queues(self) -> "AzureQueues":
        """The queues."""
        from shared.storage.azure.queues import AzureQueues

        return AzureQueues(self.account)

    @cached_property
    def storage(self) -> "Storage":
        """Blobs, tables and queues."""
        from shared.storage.storage import Storage

        return Storage(self.blobs, self.entities, self.queues)

    @cached_property
    def runtime(self) -> Runtime:
        """Clock, ids and telemetry."""
        return Runtime(self.clock, self.ids, self.telemetry)

    @cached_property
    def telemetry(self) -> Telemetry:
        """Sends to Application Insights if its connection string is set, otherwise nowhere."""
        settings = self.settings
        connection = settings.applicationinsights_connection_string
        if connection is None:
            return NoTelemetry("; ".join(settings.telemetry_problems) or None)
        from shared.telemetry.azure_monitor.client import AzureMonitorConfig, AzureMonitorTelemetry

        config = AzureMonitorConfig(
            settings.environment,
            settings.role,
            settings.instance,
            settings.azure_monitor_sampling_rate,
            masks_addresses=settings.telemetry_client_addresses == "masked",
        )
        authentication = settings.applicationinsights_authentication_string
        return AzureMonitorTelemetry(
            read_connection_string(connection.get_secret_value()),
            config,
            self.clock,
            partial(_monitor_credential, authentication) if authentication else None,
        )

    @cached_property
    def insights(self) -> "Insights":
        """The logs of Application Insights, or of its workspace."""
        from shared.insights.log_source import log_source
        from shared.insights.report import NoInsights

        settings = self.settings
        try:
            source = log_source(
                settings.log_analytics_workspace_id,
                settings.applicationinsights_resource_id,
                settings.log_analytics_endpoint,
            )
        except NotConfigured as error:  # who wants no insights needs no valid settings for them
            return NoInsights(error)
        from shared.insights.azure_logs import AzureLogs, logs_client

        return AzureLogs(logs_client(self.credential, source.endpoint), source)

    @cached_property
    def guarded_sessions(self) -> "Sessions":
        """Connections to addresses from outside. They are checked when a socket is made."""
        from shared.web.http.session import SessionConfig, Sessions

        return Sessions(
            SessionConfig(
                user_agent=self.settings.user_agent,
                allow_private_networks=self.settings.crawl_allow_private_networks,
            )
        )

    @cached_property
    def host_lookup(self) -> "HostLookup":
        """Checks the hosts of URLs that users have the app call."""
        from shared.web.addresses.lookup import HostLookup

        return HostLookup(allow_private=self.settings.crawl_allow_private_networks)

    @cached_property
    def guarded_web(self) -> "AiohttpWebClient":
        """The client for search services, webhooks and robots.txt. It does not connect to private networks."""
        from shared.web.http.aiohttp_client import AiohttpWebClient

        return AiohttpWebClient(self.guarded_sessions)

    @cached_property
    def operators_sessions(self) -> "Sessions":
        """Connections to addresses that only the operator can set. They may be in a private network."""
        from shared.web.http.session import SessionConfig, Sessions

        return Sessions(SessionConfig(self.settings.user_agent, allow_private_networks=True))

    @cached_property
    def operators_web(self) -> "ReportedWebClient":
        """The client for services of Azure whose address the operator has set."""
        from shared.web.http.aiohttp_client import AiohttpWebClient
        from shared.web.http.reported_client import ReportedWebClient

        return ReportedWebClient(AiohttpWebClient(self.operators_sessions), self.telemetry, self.clock)

    @cached_property
    def reported_web(self) -> "ReportedWebClient":
        """Exchanges that telemetry reports one by one: with search services, sites and webhooks, without robots.txt."""
        from shared.web.http.reported_client import ReportedWebClient

        return ReportedWebClient(self.guarded_web, self.telemetry, self.clock)


def _monitor_credential(authentication: str) -> "TokenCredential":
    """Returns the identity for telemetry. The sending thread calls it, because the import takes long."""
    from azure.identity import DefaultAzureCredential

    client_id = read_authentication_string(authentication).client_id
    # without a client id, it reads AZURE_CLIENT_ID
    return (
        DefaultAzureCredential()
        if client_id is None
        else DefaultAzureCredential(managed_identity_client_id=client_id)
    )
