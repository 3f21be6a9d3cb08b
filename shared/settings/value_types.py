"""The types of settings whose values have rules of their own."""

import contextlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
)

from shared.errors import InvalidRequest
from shared.jobs.spec.field_errors import field_errors
from shared.scoring.model_files import is_model_name
from shared.telemetry.connection_string import read_authentication_string, read_connection_string
from shared.text.strict_json import read_json
from shared.users.tiers import Days, DaysToDeletion, Tiers, read_tiers

_KEY_VAULT = "@microsoft.keyvault("
# as browsers write it: lower case, without a path
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_LEAST_LINK_SECONDS, _MOST_LINK_SECONDS = 60, 604_800
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CONTAINER_NAME = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def _container_name(text: str) -> str:
    """The rule is from "Naming and referencing containers, blobs, and metadata" in Azure's documentation."""
    if _CONTAINER_NAME.fullmatch(text) is None:
        raise ValueError("must be 3 to 63 lower-case letters, digits and single hyphens between them")
    return text


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and parts.hostname and not parts.query + parts.fragment
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("must be an http(s) URL with a host, without a query")
    return text


def _secure_url(text: str) -> str:
    """A token of the app's identity goes there, so others must not read it on the way."""
    parts = urlsplit(_base_url(text))
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError("must be an https URL with a host, without a query")
    return text


def _model_name(text: str) -> str:
    if not is_model_name(text):
        raise ValueError(
            "must be the name of a folder below models/: 1 to 100 letters, digits, dots, hyphens and underscores, "
            "the first a letter or a digit"
        )
    return text


def _relevance_model(text: str) -> str:
    kind, colon, name = text.partition(":")
    if text != "azure-vision" and (kind + colon != "onnx:" or not is_model_name(name)):
        raise ValueError("must be azure-vision, or onnx: and the name of a folder below models/")
    return text


def _labels(text: str) -> str:
    if not text.replace(",", " ").strip():
        raise ValueError("must be labels with commas between them")
    return text


def _link_seconds(seconds: float) -> float:
    if not _LEAST_LINK_SECONDS <= seconds <= _MOST_LINK_SECONDS:
        raise ValueError(
            f"must be {_LEAST_LINK_SECONDS} to {_MOST_LINK_SECONDS:,} (7 days, which is the most that Azure allows)"
        )
    return seconds


def is_on_loopback(connection_string: str) -> bool:
    """Returns whether a connection string of a storage account is that of an emulator on this machine."""
    pairs = (part.partition("=") for part in connection_string.split(";"))
    values = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if values.get("usedevelopmentstorage", "").lower() == "true":
        return True
    host = urlsplit(values.get("blobendpoint", "")).hostname or ""
    return host in _LOOPBACK


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


def _origins(text: str) -> str:
    origins = [origin.strip() for origin in text.split(",")]
    if origins == ["*"]:
        return "*"
    wrong = next((origin for origin in origins if _ORIGIN.fullmatch(origin) is None), None)
    if wrong is not None:
        raise ValueError("must be origins such as https://app.example.com, with commas between them, or *")
    return ",".join(origins)


def in_any_case(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Reads a word that may be in capital or small letters. An error shows the value as it is written."""
    if isinstance(value, str):
        for word in (value.strip().upper(), value.strip().lower()):
            with contextlib.suppress(ValidationError):
                return validate(word)
    return validate(value)


def resolved(value: object) -> object:
    """Returns the value of a setting.

    App Service replaces a Key Vault reference by the secret. If it cannot, it hands on the text of the reference, which
    everybody who knows the vault's name can guess
    (https://learn.microsoft.com/azure/app-service/app-service-key-vault-references).

    Raises:
        ValueError: the value is the text of a reference.
    """
    if isinstance(value, str) and value.strip().lower().startswith(_KEY_VAULT):
        raise ValueError("is a Key Vault reference that is not resolved: check the secret and the app's role")
    return value


def _age(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "never" else value


def _tiers(value: object) -> object:
    """Reads JSON such as `{"free": {"jobs_at_once": 1}}`, and returns all tiers."""
    if not isinstance(value, str):
        return value
    changes = _read(value)
    if not isinstance(changes, Mapping) or not all(
        isinstance(fields, Mapping) for fields in changes.values()
    ):
        raise ValueError('must be an object by tier, such as {"free": {"jobs_at_once": 1}}')
    return _changed(read_tiers, changes)


def _prices(value: object) -> object:
    """Reads JSON such as `{"date": "2026-11-29", "egress": {"gb": 0.08}}`, and returns all prices."""
    if not isinstance(value, str):
        return value
    changes = _read(value)
    if not isinstance(changes, Mapping):
        raise ValueError('must be an object, such as {"date": "2026-11-29", "egress": {"gb": 0.08}}')  # noqa: TRY004 - pydantic reports a ValueError only
    from shared.costs.prices import read_prices

    return _changed(read_prices, changes)


def _read(text: str) -> object:
    try:
        return read_json(text, "The text")
    except InvalidRequest as error:
        places = "; ".join(f"{item.field} {item.message}" for item in error.fields)
        raise ValueError(f"must be JSON. {error.detail} {places}".strip()) from None


def _changed[Read](read: Callable[[Mapping[str, Any]], Read], changes: Mapping[str, object]) -> Read:
    """Returns the defaults with `changes`, or raises an error that names each wrong field."""
    try:
        return read(changes)
    except ValidationError as error:
        wrong = "; ".join(f"{item.field} {item.message}" for item in field_errors(error))
        raise ValueError(f"is wrong: {wrong}") from None
    except ValueError as error:
        raise ValueError(f"is wrong: {error}") from None


type Seconds = Annotated[float, Field(gt=0, le=1_000_000_000)]
type StepAge = Annotated[Days | None, BeforeValidator(_age)]
type DeletionAge = Annotated[DaysToDeletion | None, BeforeValidator(_age)]
# links that the app's identity signs end within seven days, as Azure allows it
type LinkSeconds = Annotated[
    float,
    AfterValidator(_link_seconds),
    Field(json_schema_extra={"minimum": _LEAST_LINK_SECONDS, "maximum": _MOST_LINK_SECONDS}),
]
type BaseUrl = Annotated[str, AfterValidator(_base_url)]
type SecureUrl = Annotated[str, AfterValidator(_secure_url)]
type ContainerName = Annotated[str, AfterValidator(_container_name)]
type ModelName = Annotated[str, AfterValidator(_model_name)]
type RelevanceModel = Annotated[str, AfterValidator(_relevance_model)]
type ModelLabels = Annotated[str, AfterValidator(_labels)]
type Origins = Annotated[str, AfterValidator(_origins)]
type HeaderValue = Annotated[str, AfterValidator(_header_value)]
# not a `type`: the settings look for SecretStr in a field's annotation, so that no error shows its value
ConnectionString = Annotated[SecretStr, AfterValidator(_connection_string)]
type AuthenticationString = Annotated[str, AfterValidator(_authentication_string)]
type TierChanges = Annotated[Tiers | None, BeforeValidator(_tiers)]
if TYPE_CHECKING:
    from shared.costs.prices import Prices

    type PriceChanges = Prices | None
else:
    # `_prices` checks the value. Without the setting, a cold start does not wait for the models of prices
    type PriceChanges = Annotated[Any, BeforeValidator(_prices)]
