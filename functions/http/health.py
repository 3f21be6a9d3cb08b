"""HTTP: is the app alive, can it work, how are its parts."""

import azure.functions as func
from pydantic import BaseModel

from functions.http.endpoint import Answer, Call, endpoint
from shared.health import Check, Health

blueprint = func.Blueprint()


class HealthCheck(BaseModel):
    """How one part of the app is; `latency_ms` is how long it took to tell."""

    status: str
    latency_ms: float | None = None
    detail: str | None = None


class HealthAnswer(BaseModel):
    """How the app is, as a whole and part by part."""

    status: str
    version: str
    environment: str
    checks: dict[str, HealthCheck]


@blueprint.route(route="health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(public=True)
async def health_live(call: Call) -> Answer:
    """200 as long as the process answers; looks at nothing else."""
    return _answer(call, Health(()))


@blueprint.route(route="health/ready", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(public=True)
async def health_ready(call: Call) -> Answer:
    """200 when jobs can be taken: storage answers. 503 otherwise."""
    return _answer(call, await call.app.health.look(only_needed=True))


@blueprint.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(public=True)
async def health_full(call: Call) -> Answer:
    """Every part of the app with its latency; 503 where one that is needed fails."""
    return _answer(call, await call.app.health.look(only_needed=False))


def _answer(call: Call, health: Health) -> Answer:
    body = HealthAnswer(
        status=health.status,
        version=call.app.version,
        environment=call.app.settings.environment,
        checks={check.name: _check(check) for check in health.checks},
    )
    return Answer(body, status=503 if health.status == "unhealthy" else 200)


def _check(check: Check) -> HealthCheck:
    return HealthCheck(status=check.status, latency_ms=check.latency_ms, detail=check.detail)
