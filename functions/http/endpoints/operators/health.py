"""HTTP functions that report whether the process works, whether jobs can be accepted, and how healthy the parts are.

Administrators see the parts, and all other callers only the status.
"""

import asyncio
from collections.abc import Mapping
from typing import Self

from pydantic import RootModel

from functions.http.call import Answer, Call
from functions.http.declared import PUBLIC, Declared, Model
from functions.http.edge.admission import Admission
from functions.http.endpoint import Endpoints
from shared.health.health import Check, Fact, Health, HealthStatus
from shared.users.caller import Scope

endpoints = Endpoints()

_KEY_SECONDS = 2.0


class HealthVerdict(Model):
    """The health of the app as a whole."""

    status: HealthStatus


class HealthCheck(Model):
    """The health of one part, and how long its answer took. `detail` says why it is not healthy."""

    status: HealthStatus
    latency_ms: float
    detail: str | None
    facts: Mapping[str, Fact]

    @classmethod
    def of(cls, check: Check) -> Self:
        """Returns the answer for a part."""
        return cls(
            status=check.status, latency_ms=check.latency_ms, detail=check.detail, facts=dict(check.facts)
        )


class HealthAnswer(HealthVerdict):
    """The health of the app and of its parts.

    `platform` is the place where it runs, `versions` are those of libraries.
    """

    version: str
    environment: str
    platform: Mapping[str, Fact]
    versions: Mapping[str, str]
    checks: Mapping[str, HealthCheck]

    @classmethod
    def of(cls, call: Call, health: Health) -> Self:
        """Returns the answer for an administrator."""
        return cls(
            status=health.status,
            version=call.app.version,
            environment=call.app.settings.environment,
            platform=dict(call.app.platform),
            versions=dict(call.app.versions),
            checks={check.name: HealthCheck.of(check) for check in health.checks},
        )


class HealthOrVerdict(RootModel[HealthAnswer | HealthVerdict]):
    """The details for an administrator, or the status alone for all other callers."""


_ANSWERS = {200: HealthOrVerdict, 503: HealthOrVerdict}


@endpoints.serve(Declared("GET", "health/live", {200: HealthVerdict}, scope=PUBLIC, is_counted=False))
async def health_live(call: Call) -> Answer:
    """Answers 200 as long as the process works. Nothing else is checked."""
    del call
    return Answer(HealthVerdict(status=HealthStatus.HEALTHY))


@endpoints.serve(Declared("GET", "health/ready", _ANSWERS, scope=PUBLIC, optional_key=True, is_counted=False))
async def health_ready(call: Call) -> Answer:
    """Answers 200 if jobs can be accepted, because storage answers, or else 503."""
    return await _answer(call, needed_only=True)


@endpoints.serve(Declared("GET", "health", _ANSWERS, scope=PUBLIC, optional_key=True, is_counted=False))
async def health_full(call: Call) -> Answer:
    """Answers the health of all parts, with 503 if a part that the app needs does not work."""
    return await _answer(call, needed_only=False)


async def _answer(call: Call, *, needed_only: bool) -> Answer:
    has_details, health = await asyncio.gather(
        _administers(call), call.app.health.check(needed_only=needed_only)
    )
    body = HealthAnswer.of(call, health) if has_details else HealthVerdict(status=health.status)
    return Answer(body, status=503 if health.status is HealthStatus.UNHEALTHY else 200)


async def _administers(call: Call) -> bool:
    """Returns whether an administrator calls. If that cannot be found out in time, the answer is no."""
    key = call.request.headers.get("x-api-key")
    if not key:
        return False
    try:
        async with asyncio.timeout(_KEY_SECONDS):
            caller = await Admission(call.app, call.request).identify()
    except Exception:  # noqa: BLE001 - the status is answered whatever fails here
        return False
    return Scope.ADMIN in caller.scopes
