"""Reads the settings of a host: the environment, local.settings.json, and host.json with its overrides."""

import hashlib
import json
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

_OVERRIDE = "AzureFunctionsJobHost__"
_PERCENT = re.compile(r"%([^%]+)%")
_MAX_WORKERS = 10


class StartError(Exception):
    """The app cannot be started with its settings. The text says why."""


class FunctionError(StartError):
    """One function cannot be started with its settings, but the others can. The text says why."""


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
    """The app's settings, host.json, and the `Host` section of local.settings.json."""

    environment: Mapping[str, str] = field(default_factory=dict)
    host_id: str = ""
    route_prefix: str = "api"
    function_timeout_seconds: float = 1800.0
    queues: QueueSettings = field(default_factory=QueueSettings)
    log_levels: Mapping[str, str] = field(default_factory=dict)
    port: int = 7071
    cors: tuple[str, ...] = ()
    cors_credentials: bool = False
    homepage: bool = True
    workers: int = 1

    def expand(self, text: str) -> str:
        """Replaces each `%NAME%` by the value of that setting.

        Raises:
            FunctionError: there is no such setting.
        """

        def setting(match: re.Match[str]) -> str:
            value = self.environment.get(match[1])
            if value is None:
                raise FunctionError(f"'%{match[1]}%' does not resolve to a value: set {match[1]}.")
            return value

        return _PERCENT.sub(setting, text)

    def is_disabled(self, function: str) -> bool:
        """Returns whether `AzureWebJobs.<function>.Disabled` is true."""
        names = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs_{function}_Disabled")
        return any(self.environment.get(name, "").lower() in {"1", "true"} for name in names)


def load_settings(root: Path) -> HostSettings:
    """Reads the settings of the app in a folder. The environment takes precedence over local.settings.json.

    Raises:
        StartError: a file is missing, or a value is wrong.
    """
    local = _read(root / "local.settings.json") if (root / "local.settings.json").exists() else {}
    own = _section(local, "Host")
    values = {key: str(value) for key, value in _section(local, "Values").items()}
    environment = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", **values, **os.environ}
    host: dict[str, Any] = _in_lower_case(_read(root / "host.json"))
    if host.get("version") != "2.0":
        raise StartError('host.json must have "version": "2.0".')
    _override(host, environment)
    extensions = _section(host, "extensions")
    return HostSettings(
        environment=environment,
        host_id=environment.get("AzureFunctionsWebHost__hostid") or _host_id(root),
        route_prefix=str(_section(extensions, "http").get("routeprefix", "api")).strip("/"),
        function_timeout_seconds=seconds_of(host.get("functiontimeout", "00:30:00")),
        queues=_queues(_section(extensions, "queues")),
        log_levels={k: str(v) for k, v in _section(_section(host, "logging"), "loglevel").items()},
        port=_number(own.get("LocalHttpPort", 7071), "Host.LocalHttpPort", 0, 65_535),
        cors=tuple(origin.strip() for origin in str(own.get("CORS", "")).split(",") if origin.strip()),
        cors_credentials=_is_true(own.get("CORSCredentials", False)),
        homepage=not _is_true(environment.get("AzureWebJobsDisableHomepage", "")),
        workers=_number(
            environment.get("FUNCTIONS_WORKER_PROCESS_COUNT") or 1,
            "FUNCTIONS_WORKER_PROCESS_COUNT",
            1,
            _MAX_WORKERS,
        ),
    )


def seconds_of(span: object) -> float:
    """Returns the seconds of a .NET TimeSpan such as "00:05:00" or "1.00:00:00". "-1" means no limit.

    Raises:
        StartError: the text is not a TimeSpan.
    """
    text = str(span)
    if text == "-1":
        return timedelta(days=3650).total_seconds()
    match = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)", text)
    if match is None:
        raise StartError(f"The time span is {text!r}; it must have the form hh:mm:ss.")
    days, hours, minutes, seconds = match.groups(default="0")
    return int(days) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _queues(raw: Mapping[str, Any]) -> QueueSettings:
    batch_size = _number(raw.get("batchsize", 16), "extensions.queues.batchSize", 1, 32)
    default = max(1, batch_size // 2) * (os.cpu_count() or 1)
    encoding = str(raw.get("messageencoding", "base64")).lower()
    if encoding not in {"base64", "none"}:
        raise StartError(f"extensions.queues.messageEncoding is {encoding!r}; it must be base64 or none.")
    return QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=_number(
            raw.get("newbatchthreshold", default), "extensions.queues.newBatchThreshold", 0, 10_000
        ),
        max_dequeue_count=_number(
            raw.get("maxdequeuecount", 5), "extensions.queues.maxDequeueCount", 1, 10_000
        ),
        max_polling_seconds=seconds_of(raw.get("maxpollinginterval", "00:01:00")),
        visibility_timeout_seconds=seconds_of(raw.get("visibilitytimeout", "00:00:00")),
        base64=encoding == "base64",
    )


def _number(value: object, name: str, least: int, most: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise StartError(f"{name} is {str(value)!r}; it must be {least} to {most}.")
    return number


def _is_true(value: object) -> bool:
    return str(value).lower() in {"1", "true"}


def _section(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


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


def _override(host: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Applies the settings AzureFunctionsJobHost__a__b__c to the content of host.json, whose keys are in lower case."""
    for name, value in environment.items():
        if not name.startswith(_OVERRIDE):
            continue
        *path, last = name.removeprefix(_OVERRIDE).lower().split("__")
        place = host
        for step in path:
            if not isinstance(place.get(step), dict):
                place[step] = {}
            place = place[step]
        place[last] = value


def _in_lower_case(value: Any) -> Any:
    """Returns the value with all keys in lower case, because the real host ignores their case."""
    if isinstance(value, dict):
        return {str(key).lower(): _in_lower_case(item) for key, item in value.items()}
    return value


def _host_id(root: Path) -> str:
    """Returns an id that is always the same for a machine and a folder, as in Core Tools."""
    machine = socket.gethostname()
    return f"{machine.lower()[:20]}-{hashlib.sha256(f'{machine}-{root}'.encode()).hexdigest()[:10]}"
