"""Reports invocations to Application Insights, as the host does: each one is an item of the table `requests`.

Names, properties and the meaning of `success` are those of Microsoft.Azure.WebJobs.Logging.ApplicationInsights. The
envelope is that of the ingestion service, schema version 2.
"""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from devhost.functions import Function, Invocation, Outcome

_log = logging.getLogger("devhost")

_SETTING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
_DEFAULT_ENDPOINT = "https://dc.services.visualstudio.com"
_INTERVAL_SECONDS = 0.5
_POST_SECONDS = 5.0
_LAST_POST_SECONDS = 2.0
_MOST_WAITING = 5000
_MOST_IN_A_BATCH = 500


@dataclass(frozen=True, slots=True)
class Run:
    """When an invocation began, how long it took, and why it was started."""

    began: datetime
    milliseconds: float
    reason: str


class RequestItems:
    """Sends one item for each invocation, if the connection string of Application Insights is set.

    An item is sent once. If the service does not accept it, it is lost, with a warning. No invocation waits for it.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._key, self._url = _destination(environment.get(_SETTING, ""))
        self._tags = _tags(environment)
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST_WAITING)
        self._arrived = asyncio.Event()
        self._closing = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._refused = False

    def add(self, function: Function, invocation: Invocation, run: Run, outcome: Outcome) -> None:
        """Reports an invocation that has ended."""
        if not self._url:
            return
        self._waiting.append(self._envelope(function, invocation, run, outcome))
        self._arrived.set()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def close(self) -> None:
        """Sends the waiting items, for two seconds at most."""
        self._closing.set()
        self._arrived.set()
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=_LAST_POST_SECONDS)
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_POST_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while self._waiting or not self._closing.is_set():
                await self._arrived.wait()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), _INTERVAL_SECONDS)
                self._arrived.clear()
                while self._waiting:
                    count = min(len(self._waiting), _MOST_IN_A_BATCH)
                    await self._post(session, [self._waiting.popleft() for _ in range(count)])

    async def _post(self, session: aiohttp.ClientSession, batch: list[dict[str, Any]]) -> None:
        try:
            async with session.post(self._url, json=batch) as response:
                problem = "" if response.status == 200 else f"HTTP {response.status}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            problem = type(error).__name__
        if problem and not self._refused:
            _log.warning("Application Insights did not accept %s requests: %s", len(batch), problem)
        self._refused = bool(problem)

    def _envelope(
        self, function: Function, invocation: Invocation, run: Run, outcome: Outcome
    ) -> dict[str, Any]:
        _, trace, span, _ = invocation.trace_parent.split("-")
        failed = outcome.error is not None
        properties = {
            "Category": f"Function.{function.name}",
            "LogLevel": "Error" if failed else "Information",
            "FullName": f"Functions.{function.name}",
            "InvocationId": invocation.id,
            "FunctionExecutionTimeMs": f"{run.milliseconds:.4f}",
            "TriggerReason": run.reason,
        }
        data: dict[str, Any] = {
            "ver": 2,
            "id": span,
            "name": function.name,
            "duration": _duration(run.milliseconds),
            "success": not failed,
            "responseCode": _response_code(function, outcome),
            "properties": properties,
        }
        if function.kind == "httptrigger":
            http = invocation.inputs[str(function.trigger["name"])].http
            data["url"] = str(http.url).partition("?")[0]
            path = "/" + data["url"].split("/", 3)[-1]
            properties |= {"HttpMethod": str(http.method), "HttpPath": path}
        tags = {**self._tags, "ai.operation.id": trace, "ai.operation.name": function.name}
        if invocation.parent_id:
            tags["ai.operation.parentId"] = invocation.parent_id
        return {
            "ver": 1,
            "name": "Microsoft.ApplicationInsights.Request",
            "time": run.began.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "sampleRate": 100.0,
            "iKey": self._key,
            "tags": tags,
            "data": {"baseType": "RequestData", "baseData": data},
        }


def _destination(text: str) -> tuple[str, str]:
    """Returns the key and the URL in a connection string. Both are empty if nothing can be sent."""
    pairs = [pair.partition("=") for pair in text.split(";") if pair.strip()]
    parts = {name.strip().lower(): value.strip() for name, _, value in pairs}
    key = parts.get("instrumentationkey", "")
    endpoint = parts.get("ingestionendpoint") or _DEFAULT_ENDPOINT
    if key and endpoint.lower().startswith(("http://", "https://")):
        return key, f"{endpoint.rstrip('/')}/v2.1/track"
    if text.strip():
        _log.warning("%s cannot be used: no requests are reported.", _SETTING)
    return "", ""


def _tags(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the tags with the names of the app and of the instance, which Azure sets. No caller's address is sent."""
    site, slot = environment.get("WEBSITE_SITE_NAME", ""), environment.get("WEBSITE_SLOT_NAME", "").lower()
    name = f"{site}-{slot}" if site and slot not in {"", "production"} else site
    role = environment.get("WEBSITE_CLOUD_ROLENAME") or name.lower()
    named = (
        environment.get(setting) for setting in ("WEBSITE_INSTANCE_ID", "COMPUTERNAME", "CONTAINER_NAME")
    )
    instance = next(filter(None, named), socket.gethostname())
    tags = {
        "ai.cloud.roleInstance": instance,
        "ai.location.ip": "0.0.0.0",
        "ai.internal.sdkVersion": "devhost",
    }
    return {"ai.cloud.role": role, **tags} if role else tags


def _response_code(function: Function, outcome: Outcome) -> str:
    """Returns the status of an HTTP response as text, or 0 for other functions."""
    if function.kind != "httptrigger":
        return "0"
    if outcome.error is not None:
        return "500"
    value = outcome.returned
    kind = value.WhichOneof("data") if value is not None else None
    if kind is None:
        return "204"
    return str(value.http.status_code) if kind == "http" else "200"


def _duration(milliseconds: float) -> str:
    """Writes milliseconds as d.hh:mm:ss.fff."""
    rest, thousandths = divmod(round(milliseconds), 1000)
    rest, seconds = divmod(rest, 60)
    rest, minutes = divmod(rest, 60)
    days, hours = divmod(rest, 24)
    return f"{days}.{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}"
