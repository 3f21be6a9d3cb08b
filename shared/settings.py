"""Everything that can be set, and the only reader of the environment.

On Azure these are application settings; locally they stand in local.settings.json (see its example). One that is empty
or blank counts as not set.
"""

import re
import socket
from functools import cache
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.jobs.spec.field_errors import field_errors
from shared.telemetry.connection_string import read_authentication_string, read_connection_string
from shared.text.strict_json import shown

_CONTAINER_NAME = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def _container_name(text: str) -> str:
    """The rule is of "Naming and referencing containers, blobs, and metadata" of Azure's documentation."""
    if _CONTAINER_NAME.fullmatch(text) is None:
        raise ValueError("must be 3 to 63 lower-case letters, digits and single hyphens between them")
    return text


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_one = (
            parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        )
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("must be an http(s) URL with a host, without a query")
    return text


def _header_value(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be printable ASCII characters")
    return text


def _connection_string(text: SecretStr) -> SecretStr:
    read_connection_string(text.get_secret_value())
    return text


def _authentication_string(text: str) -> str:
    read_authentication_string(text)
    return text


type Seconds = Annotated[float, Field(gt=0, le=1_000_000_000)]
type BaseUrl = Annotated[str, AfterValidator(_base_url)]

_STORAGE = "AzureWebJobsStorage"
TELEMETRY = frozenset(
    {
        "applicationinsights_authentication_string",
        "applicationinsights_connection_string",
        "azure_monitor_sampling_rate",
        "log_level",
    }
)
"""The settings of telemetry and logs, by field."""


class SettingsError(Exception):
    """Settings are wrong; the text names each of them, its value where that is no secret, and its rule."""


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """The app's settings; a field's environment variable is its name in upper case, or its alias."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    _telemetry_problems: tuple[str, ...] = ()

    environment: str = "development"
    """Goes with every telemetry item: development, staging, production, …"""

    # storage
    storage_connection: SecretStr | None = Field(None, validation_alias="AzureWebJobsStorage")
    """Connection string of the storage account; UseDevelopmentStorage=true is Azurite on its default ports."""
    storage_account: str | None = Field(None, validation_alias="AzureWebJobsStorage__accountName")
    """Name of the storage account, used with an identity where there is no connection string."""
    blob_service_uri: str | None = Field(None, validation_alias="AzureWebJobsStorage__blobServiceUri")
    """Blob endpoint, where it cannot be told from the account's name (sovereign clouds, private links)."""
    queue_service_uri: str | None = Field(None, validation_alias="AzureWebJobsStorage__queueServiceUri")
    """Queue endpoint, likewise."""
    table_service_uri: str | None = Field(None, validation_alias="AzureWebJobsStorage__tableServiceUri")
    """Table endpoint, likewise."""
    storage_credential: Annotated[Literal["managedidentity"] | None, BeforeValidator(_lower)] = Field(
        None, validation_alias="AzureWebJobsStorage__credential"
    )
    """Which identity: the managed one; if it is not set, the first that DefaultAzureCredential finds."""
    storage_client_id: str | None = Field(None, validation_alias="AzureWebJobsStorage__clientId")
    """Client id of a user-assigned identity; without it, AZURE_CLIENT_ID (DefaultAzureCredential) or the system's."""
    datasets_container: Annotated[str, AfterValidator(_container_name)] = "pixcrawler-datasets"
    """The container that holds datasets and working blobs."""
    download_link_seconds: Seconds = 3600.0
    """How long a download link lives."""

    # access
    admin_api_key: SecretStr | None = None
    """The key that callers send as X-API-Key. Without it every call but health is refused."""

    # sources
    user_agent: Annotated[str, AfterValidator(_header_value)] = (
        "PixCrawler/0.1 (+https://github.com/pixcrawler/pixcrawler; image dataset builder)"
    )
    """Sent with every request to the web; put a contact in it."""
    openverse_base_url: BaseUrl = "https://api.openverse.org"
    """The Openverse API."""
    openverse_client_id: str | None = None
    """Openverse OAuth2 client, which raises its limits."""
    openverse_client_secret: SecretStr | None = None
    """Secret of that client."""
    wikimedia_base_url: BaseUrl = "https://commons.wikimedia.org"
    """Wikimedia Commons, or another MediaWiki with its extensions."""
    flickr_base_url: BaseUrl = "https://api.flickr.com"
    """The Flickr API."""
    flickr_api_key: SecretStr | None = None
    """Key for it; without one, the source is refused. Likewise below."""
    pexels_base_url: BaseUrl = "https://api.pexels.com"
    """The Pexels API."""
    pexels_api_key: SecretStr | None = None
    """Key for it."""
    pixabay_base_url: BaseUrl = "https://pixabay.com"
    """The Pixabay API."""
    pixabay_api_key: SecretStr | None = None
    """Key for it."""
    brave_base_url: BaseUrl = "https://api.search.brave.com"
    """The Brave Search API."""
    brave_api_key: SecretStr | None = None
    """Key for it."""

    # crawling
    crawl_allow_private_networks: bool = False
    """Let the crawler fetch from private and loopback addresses. For local use only."""
    chunk_size: Annotated[int, Field(ge=1, le=4096)] = 1024
    """Candidates in one queue message's work, at most: about 256 in the beginning, then half of what is known."""
    running_jobs_per_user: Annotated[int, Field(ge=1, le=1000)] = 10
    """Jobs of one user that run at a time; the others wait in their queue."""
    chunks_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 32
    """Messages of one job that wait or are worked through at a time; its other chunks follow as these end."""
    fetch_concurrency: Annotated[int, Field(ge=1, le=1024)] = 64
    """Downloads at the same time for one chunk; host.json says how many chunks an instance works on."""
    fetch_concurrency_per_host: Annotated[int, Field(ge=1, le=1024)] = 8
    """Downloads at the same time from one host."""
    fetch_timeout_seconds: Seconds = 30.0
    """One image's time, over all of its redirects and retries."""
    step_budget_seconds: Annotated[float, Field(gt=0, le=480)] = 240.0
    """How long a function run works before it saves its place and goes on in another; well below functionTimeout."""

    # archiving
    archive_part_bytes: Annotated[int, Field(ge=1 << 20)] = 4 << 30
    """What one function instance writes of an archive; a larger one is written by several at the same time."""

    # lifecycle
    lifecycle_schedule: str | None = None
    """When the host runs the nightly timer, as NCRONTAB. The app reads it to report in `/health` if it cannot run."""
    watchdog_schedule: str | None = None
    """When the host runs the watchdog, likewise."""
    archive_after_days: Annotated[int, Field(ge=1)] = 90
    """Age at which the nightly timer moves a dataset to the Archive tier."""
    work_retention_days: Annotated[int, Field(ge=0)] = 7
    """Age at which the nightly timer deletes the working blobs of a finished job."""
    stall_after_seconds: Seconds = 900.0
    """Without progress for so long, the watchdog sends a job's messages again."""

    # telemetry
    applicationinsights_connection_string: Annotated[SecretStr, AfterValidator(_connection_string)] | None = (
        None
    )
    """Where telemetry goes; without it, nowhere."""
    applicationinsights_authentication_string: (
        Annotated[str, AfterValidator(_authentication_string)] | None
    ) = None
    """`Authorization=AAD`, or `ClientId=<id>;Authorization=AAD`: telemetry is sent with the app's identity."""
    azure_monitor_sampling_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the operations whose events and dependencies are sent; exceptions and metrics always are."""
    log_analytics_workspace_id: str | None = None
    """Where insights read telemetry: the id of the Log Analytics workspace that Application Insights sends it to."""
    applicationinsights_resource_id: str | None = None
    """Or the resource id of Application Insights, where several apps send to one workspace. It takes precedence."""
    log_analytics_endpoint: str = "https://api.loganalytics.io"
    """The service that is asked for logs; another one in sovereign clouds."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The app's own log level."""
    website_cloud_rolename: str | None = None
    """The role in telemetry, if it is not the app's name."""
    website_site_name: str | None = None
    """Set by Azure: the app's name, which is the role in telemetry."""
    website_slot_name: str | None = None
    """Set by Azure: the deployment slot, on plans that have any."""
    website_instance_id: str | None = None
    """Set by Azure on Windows and on dedicated plans: the instance."""
    website_pod_name: str | None = None
    """Set by Azure on Flex Consumption: the instance."""
    container_name: str | None = None
    """Set by Azure on Flex and Linux Consumption: the instance, where the app has a name."""

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, found: Any) -> Any:
        """Azure's portal and local.settings.json can hold settings with empty values."""
        if not isinstance(found, dict):
            return found
        return {
            key: value for key, value in found.items() if not (isinstance(value, str) and not value.strip())
        }

    @model_validator(mode="after")
    def _each_service_has_an_endpoint(self) -> Self:
        endpoints = {
            "blob": self.blob_service_uri,
            "queue": self.queue_service_uri,
            "table": self.table_service_uri,
        }
        missing = [f"{_STORAGE}__{name}ServiceUri" for name, uri in endpoints.items() if uri is None]
        if (
            self.storage_connection is None
            and self.storage_account is None
            and 0 < len(missing) < len(endpoints)
        ):
            raise ValueError(f"{' and '.join(missing)} must be set, or {_STORAGE}__accountName")
        return self

    @property
    def running_in_azure(self) -> bool:
        """Whether this process runs on Azure rather than on somebody's machine."""
        return any(self._instances)

    @property
    def role(self) -> str:
        """The app's name in telemetry: the one that the host gives its own items on Azure."""
        slot = (self.website_slot_name or "production").lower()
        site = (self.website_site_name or "pixcrawler").lower() + ("" if slot == "production" else f"-{slot}")
        return self.website_cloud_rolename or site

    @property
    def instance(self) -> str:
        """The name in telemetry of what this process runs on."""
        return next(filter(None, self._instances), None) or socket.gethostname()

    @property
    def _instances(self) -> tuple[str | None, ...]:
        """The names that Azure gives an instance; other systems, too, name their containers."""
        container = self.container_name if self.website_site_name else None
        return self.website_instance_id, container, self.website_pod_name

    @property
    def telemetry_problems(self) -> tuple[str, ...]:
        """What is wrong with settings of telemetry. Their defaults hold, since telemetry must not stop the app."""
        return self._telemetry_problems


@cache
def load_settings() -> Settings:
    """The settings of this process, read once. Of settings of telemetry that are wrong, the defaults hold.

    Raises:
        SettingsError: others are wrong; the text names each setting with its value and its rule.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = _problems(error)
        if not problems.keys() <= TELEMETRY:
            raise SettingsError("\n".join(("Settings are wrong.", *problems.values()))) from None
    settings = Settings(**{name: Settings.model_fields[name].default for name in problems})
    settings._telemetry_problems = tuple(problems.values())  # noqa: SLF001 - a private attribute of this module's class
    return settings


def _problems(error: ValidationError) -> dict[str, str]:
    """What is wrong, by the name of the setting."""
    values = {str(item["loc"][0]): item["input"] for item in error.errors() if item["loc"]}
    found = {}
    for problem in field_errors(error):
        field = Settings.model_fields.get(problem.field)
        name = problem.field if field is None else problem.field.upper()
        value = f" is {shown(str(values[problem.field]))!r}; it" if _is_public(problem.field) else ""
        found[problem.field] = f"{name}{value} {problem.message}".strip()
    return found


def _is_public(name: str) -> bool:
    """Whether the value of a setting may be shown. A problem of several settings has no name."""
    field = Settings.model_fields.get(name)
    return bool(name) and (field is None or "SecretStr" not in str(field.annotation))
