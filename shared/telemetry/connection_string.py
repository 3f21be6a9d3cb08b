"""Reads the two settings that say where telemetry is sent, and with which identity.

Formats: https://learn.microsoft.com/azure/azure-monitor/app/connection-strings and
https://learn.microsoft.com/azure/azure-monitor/app/azure-ad-authentication.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_KEY = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DEFAULT_ENDPOINT = "https://dc.services.visualstudio.com"
_AUTHENTICATION_EXAMPLE = (
    "'Authorization=AAD' or 'ClientId=7f1c0d4e-1f0a-4a63-9f0e-6c3a5c0f8b21;Authorization=AAD'"
)
_MOST_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class Destination:
    """An Application Insights resource: its instrumentation key, and the URL of its ingestion service."""

    key: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Authentication:
    """Entra authentication. `client_id` is that of a user-assigned identity, or None for the default identity."""

    client_id: str | None


def read_connection_string(text: str) -> Destination:
    """Reads a connection string as the portal shows it.

    Raises:
        ValueError: the text is not valid. The error says why, without repeating the text.
    """
    parts = _parts(text)
    if parts.get("authorization", "ikey").lower() != "ikey":
        raise ValueError("knows no Authorization but ikey")
    key = parts.get("instrumentationkey", "")
    if _KEY.fullmatch(key) is None:
        raise ValueError("needs an InstrumentationKey, which is a GUID")
    return Destination(key, _endpoint(parts))


def read_authentication_string(text: str) -> Authentication:
    """Reads `Authorization=AAD`, or `ClientId=<GUID>;Authorization=AAD`.

    Raises:
        ValueError: the text is not valid. The error says why.
    """
    parts = _parts(text)
    if parts.get("authorization", "").lower() != "aad":
        raise ValueError(f"needs Authorization=AAD, as in {_AUTHENTICATION_EXAMPLE}")
    client_id = parts.get("clientid") or None
    if client_id is not None and _KEY.fullmatch(client_id) is None:
        raise ValueError(f"has a ClientId that is no GUID, as in {_AUTHENTICATION_EXAMPLE}")
    return Authentication(client_id)


def _parts(text: str) -> dict[str, str]:
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"is longer than {_MOST_CHARACTERS} characters")
    parts = {}
    for pair in text.split(";"):
        name, found, value = pair.partition("=")
        if found:
            parts[name.strip().lower()] = value.strip()
        elif pair.strip():
            raise ValueError("must be pairs of the form name=value, with semicolons between them")
    return parts


def _endpoint(parts: dict[str, str]) -> str:
    endpoint = parts.get("ingestionendpoint")
    suffix = parts.get("endpointsuffix")
    if not endpoint and suffix:
        location = parts.get("location")
        endpoint = f"https://{location}.dc.{suffix}" if location else f"https://dc.{suffix}"
    endpoint = (endpoint or _DEFAULT_ENDPOINT).rstrip("/")
    try:
        url = urlsplit(endpoint)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        valid = False
    if not valid or url.query or url.fragment or url.username is not None:
        raise ValueError("has an IngestionEndpoint that is no http(s) URL")
    return endpoint
