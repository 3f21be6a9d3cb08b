"""All settings of the app. No other module reads the environment.

On Azure these are application settings. Locally they are in local.settings.json; there is an example of it. A setting
that is empty or blank counts as not set.
"""

from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.azure_variables import AzureVariables
from shared.ids import PlainId
from shared.image_service_settings import ImageServiceSettings
from shared.jobs.spec.field_errors import field_errors
from shared.setting_types import (
    AuthenticationString,
    ConnectionString,
    ContainerName,
    HeaderValue,
    Origins,
    PriceChanges,
    Seconds,
    TierChanges,
    resolved,
)
from shared.text.strict_json import shown
from shared.users.caller import ADMIN

_STORAGE = "AzureWebJobsStorage"
TELEMETRY = frozenset(
    {
        "applicationinsights_authentication_string",
        "applicationinsights_connection_string",
        "azure_monitor_sampling_rate",
        "log_level",
        "telemetry_client_addresses",
        "telemetry_excluded_operations",
    }
)
"""The fields of the settings that concern telemetry and logs."""


class SettingsError(Exception):
    """Settings are wrong. The text names each of them, its value unless it is a secret, and its rule."""


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


class Settings(AzureVariables, ImageServiceSettings):
    """The app's settings. The environment variable of a field is its alias, or else its name in upper case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    _telemetry_problems: tuple[str, ...] = ()

    environment: str = "development"
    """The name of the deployment in every telemetry item, such as development, staging or production."""

    # storage
    storage_connection: SecretStr | None = Field(None, validation_alias="AzureWebJobsStorage")
    """The connection string of the storage account. UseDevelopmentStorage=true means Azurite on its default ports."""
    storage_account: str | None = Field(None, validation_alias="AzureWebJobsStorage__accountName")
    """The name of the storage account, for access by an identity instead of a connection string."""
    blob_service_uri: str | None = Field(None, validation_alias="AzureWebJobsStorage__blobServiceUri")
    """The blob endpoint, if it does not follow from the account's name (sovereign clouds, private links)."""
    queue_service_uri: str | None = Field(None, validation_alias="AzureWebJobsStorage__queueServiceUri")
    """The queue endpoint, in the same cases."""
    table_service_uri: str | None = Field(None, validation_alias="AzureWebJobsStorage__tableServiceUri")
    """The table endpoint, in the same cases."""
    storage_credential: Annotated[Literal["managedidentity"] | None, BeforeValidator(_lower)] = Field(
        None, validation_alias="AzureWebJobsStorage__credential"
    )
    """The kind of identity. If it is not set, DefaultAzureCredential takes the first identity that it finds."""
    storage_client_id: str | None = Field(None, validation_alias="AzureWebJobsStorage__clientId")
    """The client id of a user-assigned identity. Its default is AZURE_CLIENT_ID or the system-assigned identity."""
    datasets_container: ContainerName = "pixcrawler-datasets"
    """The container that holds datasets and working blobs."""
    download_link_seconds: Seconds = 3600.0
    """How long a download link is valid."""

    # access
    admin_api_key: SecretStr | None = None
    """The administrator's key, which makes the first users. Without it, only users' own keys are accepted."""
    admin_api_key_next: SecretStr | None = None
    """A second key of the administrator, which is valid, too, while the first one is replaced by it."""
    tiers: TierChanges = None
    """The fields of the tiers that differ from their defaults, as JSON, such as `{"free": {"jobs_at_once": 1}}`."""
    app_service_sign_in: bool = False
    """Whether people whom App Service authentication has signed in may call. WEBSITE_AUTH_ENABLED must be set, too."""
    sign_in_creates_users: bool = False
    """Whether a person who signs in for the first time becomes a user of the tier free."""
    queue_user_id: PlainId = ADMIN
    """The user whose jobs the messages of producers are, unless they name another one."""
    queue_messages_name_users: bool = False
    """Whether messages of producers may name their user, as `user_id`. Then whoever writes them is trusted."""

    # crawling
    user_agent: HeaderValue = (
        "PixCrawler/0.1 (+https://github.com/pixcrawler/pixcrawler; image dataset builder)"
    )
    """The User-Agent of every request to the web. It should contain a contact."""
    crawl_allow_private_networks: bool = False
    """Whether the crawler may fetch from private and loopback addresses. For local use only."""
    chunk_size: Annotated[int, Field(ge=1, le=4096)] = 1024
    """The largest size of a chunk in candidates. First chunks have about 256, later ones half of those known so far."""
    running_jobs_per_user: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many jobs of the administrator run at the same time. The others wait. Users have the limit of their tier."""
    chunks_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 32
    """How many chunks of one job are on the queue or in progress. Its other chunks follow when these end."""
    fetch_concurrency: Annotated[int, Field(ge=1, le=1024)] = 64
    """Downloads at the same time for one chunk. host.json limits the chunks that an instance crawls at a time."""
    fetch_concurrency_per_host: Annotated[int, Field(ge=1, le=1024)] = 8
    """Downloads at the same time from one host."""
    fetch_timeout_seconds: Seconds = 30.0
    """The time limit for one image, including its redirects and retries."""
    step_budget_seconds: Annotated[float, Field(gt=0, le=480)] = 240.0
    """How long a function run works before another run continues. It must be well below functionTimeout."""

    # archiving
    archive_part_bytes: Annotated[int, Field(ge=1 << 20)] = 4 << 30
    """The size of the part of an archive that one instance writes. Several instances write a larger archive."""

    # lifecycle
    lifecycle_schedule: str | None = None
    """When the host runs the nightly timer, as NCRONTAB. The app only checks it for `/health`."""
    business_metrics_schedule: str | None = None
    """When the host runs the timer of the business metrics, as NCRONTAB. The app only checks it for `/health`."""
    watchdog_schedule: str | None = None
    """When the host runs the watchdog, as NCRONTAB. The app only checks it for `/health`."""
    archive_after_days: Annotated[int, Field(ge=1)] = 90
    """The age at which the nightly timer moves a dataset to the Archive tier."""
    work_retention_days: Annotated[int, Field(ge=0)] = 7
    """The time after a job's end at which the nightly timer deletes its working blobs."""
    stall_after_seconds: Seconds = 900.0
    """The time without progress after which the watchdog sends a job's messages again."""

    # costs
    prices: PriceChanges = None
    """The prices of Azure that differ from those of the app's price file, as JSON, with the `date` of the changes."""

    # limits, and pages of other origins
    address_requests_per_minute: Annotated[int, Field(ge=10, le=1_000_000)] = 120
    """Public calls, and calls without a valid key, of one address in a minute."""
    trusted_forwarders: Annotated[int, Field(ge=0, le=10)] | None = None
    """How many proxies write to X-Forwarded-For before a call reaches the app. The default is 1 on Azure, else 0."""
    cors_allowed_origins: Origins | None = None
    """The origins whose pages may call the app, with commas between them, or `*` for all."""
    cors_allow_credentials: bool = False
    """Whether pages of these origins may send cookies, such as that of a sign-in. The origins must be named for it."""

    # telemetry
    applicationinsights_connection_string: ConnectionString | None = None
    """The Application Insights resource that receives telemetry. Without it, no telemetry is sent."""
    applicationinsights_authentication_string: AuthenticationString | None = None
    """`Authorization=AAD` or `ClientId=<id>;Authorization=AAD`. With it, telemetry is sent with the app's identity."""
    azure_monitor_sampling_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share of operations whose events and dependencies are sent. Exceptions and metrics are always sent."""
    telemetry_excluded_operations: Annotated[str, Field(pattern=r"^[\w\s,]*$")] = (
        "health_live,health_ready,health_full,list_jobs,get_job,list_datasets,get_dataset,zz_unmatched"
    )
    """Functions whose runs send no `operation_completed`, with commas between them; `none` for none."""
    telemetry_client_addresses: Annotated[Literal["masked", "full"], BeforeValidator(_lower)] = "masked"
    """Whether telemetry has the addresses of clients without their last part, or in full."""
    log_analytics_workspace_id: str | None = None
    """The id of the Log Analytics workspace from which insights read. Application Insights stores its data there."""
    applicationinsights_resource_id: str | None = None
    """The Application Insights resource that insights read instead of the workspace, if several apps share that."""
    log_analytics_endpoint: str = "https://api.loganalytics.io"
    """The base URL of the service for log queries. Sovereign clouds have another one."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    """The app's own log level, in capital or small letters."""

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, found: Any) -> Any:
        """Removes empty values, which Azure's portal and local.settings.json may contain."""
        if not isinstance(found, dict):
            return found
        return {
            key: value for key, value in found.items() if not (isinstance(value, str) and not value.strip())
        }

    @field_validator("*", mode="before")
    @classmethod
    def _is_resolved(cls, value: Any) -> Any:
        return resolved(value)

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

    @model_validator(mode="after")
    def _credentials_are_for_named_origins(self) -> Self:
        if self.cors_allow_credentials and "*" in self.allowed_origins:
            raise ValueError("CORS_ALLOW_CREDENTIALS needs origins by name in CORS_ALLOWED_ORIGINS, not *")
        return self

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins whose pages may call the app."""
        return frozenset(filter(None, (self.cors_allowed_origins or "").split(",")))

    @property
    def trusted_hops(self) -> int:
        """How many entries at the end of X-Forwarded-For can be trusted."""
        if self.trusted_forwarders is not None:
            return self.trusted_forwarders
        return 1 if self.running_in_azure else 0

    @property
    def admin_keys(self) -> tuple[str, ...]:
        """The keys of the administrator."""
        return tuple(key.get_secret_value() for key in (self.admin_api_key, self.admin_api_key_next) if key)

    @property
    def trusts_sign_in(self) -> bool:
        """Whether the headers of App Service authentication tell who calls."""
        return self.app_service_sign_in and self.website_auth_enabled

    @property
    def excluded_operations(self) -> frozenset[str]:
        """The functions whose runs are not reported one by one."""
        return frozenset(name.strip() for name in self.telemetry_excluded_operations.split(","))

    @property
    def telemetry_problems(self) -> tuple[str, ...]:
        """The errors of telemetry settings. Their defaults apply, because telemetry must not stop the app."""
        return self._telemetry_problems


@cache
def load_settings() -> Settings:
    """Returns the settings of this process, which are read once. Wrong telemetry settings get their defaults.

    Raises:
        SettingsError: other settings are wrong. The text names each with its value and its rule.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = _problems(error)
        if not problems.keys() <= TELEMETRY:
            raise SettingsError("\n".join(("Settings are wrong.", *problems.values()))) from None
    try:
        settings = Settings(**{name: Settings.model_fields[name].default for name in problems})
    except ValidationError as error:
        # rules about several settings are checked only where each by itself is right
        raise SettingsError("\n".join(("Settings are wrong.", *_problems(error).values()))) from None
    settings._telemetry_problems = tuple(problems.values())  # noqa: SLF001 - a private attribute of this module's class
    return settings


def _problems(error: ValidationError) -> dict[str, str]:
    """Returns an error text for each wrong setting, by its field."""
    values = {str(item["loc"][0]): item["input"] for item in error.errors() if item["loc"]}
    found = {}
    for problem in field_errors(error):
        field = Settings.model_fields.get(problem.field)
        name = problem.field if field is None else problem.field.upper()
        value = f" is {shown(str(values[problem.field]))!r}; it" if _is_public(problem.field) else ""
        found[problem.field] = f"{name}{value} {problem.message}".strip()
    return found


def _is_public(name: str) -> bool:
    """Returns whether an error may show the value of a setting. An error about several settings has no name."""
    fields = {field.validation_alias or key: field for key, field in Settings.model_fields.items()}
    field = fields.get(name)
    return bool(name) and (field is None or "SecretStr" not in str(field.annotation))
