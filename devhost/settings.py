"""What the host reads: local.settings.json into the environment, host.json with its overrides."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

_OVERRIDE = "AzureFunctionsJobHost__"
_PERCENT = re.compile(r"%([^%]+)%")


class StartError(Exception):
    """The app cannot be started as it is set up; the text says why."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`extensions.queues` of host.json, with the host's defaults."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    max_polling_seconds: float = 60.0
    visibility_timeout_seconds: float = 0.0
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostSettings:
    """host.json and the `Host` section of local.settings.json."""

    route_prefix: str = "api"
    function_timeout_seconds: float = 1800.0
    queues: QueueSettings = field(default_factory=QueueSettings)
    cors: tuple[str, ...] = ()
    cors_credentials: bool = False


def load_settings(root: Path) -> HostSettings:
    """Put local.settings.json's values into the environment, where existing ones win, and read host.json.

    Raises:
        StartError: a file is missing or wrong.
    """
    local = _read(root / "local.settings.json") if (root / "local.settings.json").exists() else {}
    for key, value in (local.get("Values") or {}).items():
        os.environ.setdefault(key, str(value))
    host = _read(root / "host.json")
    if host.get("version") != "2.0":
        raise StartError('host.json must say "version": "2.0".')
    _override(host)
    own = local.get("Host") or {}
    extensions = host.get("extensions") or {}
    origins = [origin.strip() for origin in str(own.get("CORS", "")).split(",") if origin.strip()]
    return HostSettings(
        route_prefix=str((extensions.get("http") or {}).get("routePrefix", "api")).strip("/"),
        function_timeout_seconds=seconds_of(host.get("functionTimeout", "00:30:00")),
        queues=_queues(extensions.get("queues") or {}),
        cors=tuple(origins),
        cors_credentials=str(own.get("CORSCredentials", "false")).lower() == "true",
    )


def expand(text: str) -> str:
    """Replace each `%NAME%` by the setting of that name.

    Raises:
        StartError: there is no such setting.
    """

    def setting(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise StartError(f"'%{match[1]}%' does not resolve to a value: set {match[1]}.")
        return value

    return _PERCENT.sub(setting, text)


def connection_string(name: str) -> str:
    """The connection string of a binding's connection: `AzureWebJobs<name>`, then `<name>`.

    Raises:
        StartError: neither setting is there.
    """
    name = name or "AzureWebJobsStorage"
    value = os.environ.get(f"AzureWebJobs{name}") or os.environ.get(name)
    if not value:
        raise StartError(f"The connection {name} has no setting; a local host takes connection strings only.")
    return _AZURITE if value.strip().lower().rstrip(";") == "usedevelopmentstorage=true" else value


def is_disabled(function: str) -> bool:
    """Whether `AzureWebJobs.<function>.Disabled` is set."""
    for name in (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs_{function}_Disabled"):
        if os.environ.get(name, "").lower() in {"1", "true"}:
            return True
    return False


def seconds_of(span: object) -> float:
    """The seconds of a .NET TimeSpan such as "00:05:00" or "1.00:00:00"; "-1" is forever."""
    text = str(span)
    if text == "-1":
        return timedelta(days=3650).total_seconds()
    match = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)", text)
    if match is None:
        raise StartError(f"{text!r} is no time span of the form hh:mm:ss.")
    days, hours, minutes, seconds = match.groups(default="0")
    return int(days) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _queues(raw: Mapping[str, Any]) -> QueueSettings:
    batch_size = int(raw.get("batchSize", 16))
    if not 1 <= batch_size <= 32:
        raise StartError("extensions.queues.batchSize must be between 1 and 32.")
    threshold = raw.get("newBatchThreshold", max(1, batch_size // 2) * (os.cpu_count() or 1))
    return QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=int(threshold),
        max_dequeue_count=int(raw.get("maxDequeueCount", 5)),
        max_polling_seconds=seconds_of(raw.get("maxPollingInterval", "00:01:00")),
        visibility_timeout_seconds=seconds_of(raw.get("visibilityTimeout", "00:00:00")),
        base64=str(raw.get("messageEncoding", "base64")).lower() == "base64",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise StartError(f"{path.name} is missing.") from None
    except ValueError as error:
        raise StartError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise StartError(f"{path.name} must hold an object.")
    return value


def _override(host: dict[str, Any]) -> None:
    """Apply the settings AzureFunctionsJobHost__a__b__c, whose path may differ in case."""
    for name, value in os.environ.items():
        if not name.startswith(_OVERRIDE):
            continue
        *path, last = name.removeprefix(_OVERRIDE).split("__")
        place = host
        for step in path:
            key = next((known for known in place if known.lower() == step.lower()), step)
            place = place.setdefault(key, {})
        place[next((known for known in place if known.lower() == last.lower()), last)] = value


# Azurite's well-known account and key: public, the same on every machine
_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)
