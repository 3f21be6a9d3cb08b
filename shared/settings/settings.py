"""Puts the topics of the settings together and reads them."""

from functools import cache
from typing import Any, Self

from pydantic import ConfigDict, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from shared.jobs.spec.field_errors import field_errors
from shared.settings.azure_variables import AzureVariables
from shared.settings.environment import read_environment, variable
from shared.settings.topics.callers import CallerSettings
from shared.settings.topics.crawling import CrawlingSettings
from shared.settings.topics.datasets import DatasetSettings
from shared.settings.topics.lifecycle import LifecycleSettings
from shared.settings.topics.models import ModelSettings
from shared.settings.topics.schedules import ScheduleSettings
from shared.settings.topics.search_services import SearchServiceSettings
from shared.settings.topics.storage import StorageSettings
from shared.settings.topics.telemetry import TELEMETRY, TelemetrySettings
from shared.settings.topics.users import UserSettings
from shared.settings.value_types import is_on_loopback, resolved
from shared.text.strict_json import shown


class SettingsError(Exception):
    """Settings are wrong. The text names each of them, its value unless it is a secret, and its rule."""


class Settings(
    StorageSettings,
    ScheduleSettings,
    UserSettings,
    CallerSettings,
    CrawlingSettings,
    DatasetSettings,
    LifecycleSettings,
    SearchServiceSettings,
    ModelSettings,
    TelemetrySettings,
    AzureVariables,
):
    """The app's settings. Fields that are not given have the values of the environment, or else their defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=False)

    _telemetry_problems: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _is_read(cls, given: Any) -> Any:
        """Adds the values of the environment. Removes empty ones, which Azure's portal and local files may contain."""
        if not isinstance(given, dict):
            return given
        missing = {
            name: field
            for name, field in cls.model_fields.items()
            if given.keys().isdisjoint({name, variable(name, field)})
        }
        found: dict[str, Any] = read_environment(missing) | given
        return {
            key: value for key, value in found.items() if not (isinstance(value, str) and not value.strip())
        }

    @field_validator("*", mode="before")
    @classmethod
    def _is_resolved(cls, value: Any) -> Any:
        return resolved(value)

    @model_validator(mode="after")
    def _no_account_key_in_azure(self) -> Self:
        connection = self.storage_connection
        if self.running_in_azure and connection and not is_on_loopback(connection.get_secret_value()):
            raise ValueError(
                "AzureWebJobsStorage is a connection string, whose key opens the whole storage account. On Azure the "
                "app uses its identity only: remove it, and set AzureWebJobsStorage__accountName"
            )
        return self

    @model_validator(mode="after")
    def _azure_vision_has_an_address(self) -> Self:
        if self.relevance_model == "azure-vision" and self.azure_vision_endpoint is None:
            raise ValueError("RELEVANCE_MODEL is azure-vision: set AZURE_VISION_ENDPOINT, too")
        return self

    @property
    def role(self) -> str:
        """The app's name in telemetry."""
        return self.website_cloud_rolename or self.site

    @property
    def trusted_hops(self) -> int:
        """How many entries at the end of X-Forwarded-For can be trusted."""
        if self.trusted_forwarders is not None:
            return self.trusted_forwarders
        return 1 if self.running_in_azure else 0

    @property
    def trusts_sign_in(self) -> bool:
        """Whether the headers of App Service authentication tell who calls."""
        return self.app_service_sign_in and self.website_auth_enabled

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
        name = problem.field if field is None else variable(problem.field, field)
        value = f" is {shown(str(values[problem.field]))!r}; it" if field and _is_public(field) else ""
        found[problem.field] = f"{name}{value} {problem.message}".strip()
    return found


def _is_public(field: FieldInfo) -> bool:
    """Returns whether an error may show the value of a setting."""
    return "SecretStr" not in str(field.annotation)
