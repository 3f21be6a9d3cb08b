"""Puts the topics of the settings together and reads them."""

from functools import cache
from typing import Any, Self

from pydantic import ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.jobs.spec.field_errors import field_errors
from shared.settings.azure_variables import AzureVariables
from shared.settings.callers import CallerSettings
from shared.settings.crawling import CrawlingSettings
from shared.settings.datasets import DatasetSettings
from shared.settings.image_services import ImageServiceSettings
from shared.settings.lifecycle import LifecycleSettings
from shared.settings.schedules import ScheduleSettings
from shared.settings.storage import StorageSettings
from shared.settings.telemetry import TELEMETRY, TelemetrySettings
from shared.settings.users import UserSettings
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
    ImageServiceSettings,
    TelemetrySettings,
    AzureVariables,
    BaseSettings,
):
    """The app's settings. The environment variable of a field is its alias, or else its name in upper case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=False)

    _telemetry_problems: tuple[str, ...] = ()

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
    def _no_account_key_in_azure(self) -> Self:
        connection = self.storage_connection
        if self.running_in_azure and connection and not is_on_loopback(connection.get_secret_value()):
            raise ValueError(
                "AzureWebJobsStorage is a connection string, whose key opens the whole storage account. On Azure the "
                "app uses its identity only: remove it, and set AzureWebJobsStorage__accountName"
            )
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
        name = problem.field if field is None else problem.field.upper()
        value = f" is {shown(str(values[problem.field]))!r}; it" if _is_public(problem.field) else ""
        found[problem.field] = f"{name}{value} {problem.message}".strip()
    return found


def _is_public(name: str) -> bool:
    """Returns whether an error may show the value of a setting. An error about several settings has no name."""
    fields = {field.validation_alias or key: field for key, field in Settings.model_fields.items()}
    field = fields.get(name)
    return bool(name) and (field is None or "SecretStr" not in str(field.annotation))
