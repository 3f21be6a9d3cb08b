"""The types of settings whose values have rules of their own."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from shared.telemetry.connection_string import read_authentication_string, read_connection_string

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
type ContainerName = Annotated[str, AfterValidator(_container_name)]
type HeaderValue = Annotated[str, AfterValidator(_header_value)]
# not a `type`: the settings look for SecretStr in a field's annotation, so that no error shows its value
ConnectionString = Annotated[SecretStr, AfterValidator(_connection_string)]
type AuthenticationString = Annotated[str, AfterValidator(_authentication_string)]
