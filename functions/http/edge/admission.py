"""Decides whether a call is admitted: who calls, and whether that caller may call now."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import azure.functions as func

from functions.http.callers import check_scope, identify
from functions.http.declared import PUBLIC, Declared
from functions.http.edge.client_address import client_address, network_of
from shared.errors import RateLimited, Unauthenticated
from shared.telemetry import signals
from shared.users.caller import Caller
from shared.wiring import App

if TYPE_CHECKING:
    from shared.users.limits.counts import Limit
    from shared.users.limits.rate_limits import Standing, Verdict
    from shared.users.tiers import Tier

_USER, _KEY = "user", "key"
_MAX_PATH_CHARACTERS = 200
IMAGES_FACTOR: Final = 10
"""How many times as many images as other calls a caller may ask for in a minute."""


class Admission:
    """Counts one call: of its user and key, or of its address if nobody is identified."""

    def __init__(self, services: App, request: func.HttpRequest) -> None:
        self._services = services
        self._request = request
        self._address = client_address(request, services.settings.trusted_hops)
        self._network = network_of(self._address) if self._address else None
        self._standings: Sequence[Standing] = ()

    async def admit(self, declared: Declared) -> Caller:
        """Returns who calls, and counts the call. A call that is not counted is never refused.

        Raises:
            Unauthenticated: the endpoint is not public, and the call has no valid key and no trusted sign-in.
            Forbidden: the caller does not have the scope, or another website made a signed-in browser call.
            RateLimited: the user, the key or the address has made too many calls.
        """
        if declared.scope is PUBLIC:
            if declared.is_counted:
                self._check(await self._services.address_limits.take(self._network))
            return Caller.anonymous()
        caller = await self.identify()
        tier = self._services.tiers[caller.tier]
        subject, limits = f"user-{caller.user_id}", _limits(caller, tier)
        if declared.answers_image:
            subject, limits = f"images-{caller.user_id}", tuple(map(_of_images, limits))
        self._check(await self._services.rate_limits.take(subject, limits))
        check_scope(caller, declared)
        return caller

    async def identify(self) -> Caller:
        """Returns who calls. Only a call without a valid key is counted, as one of its address.

        Raises:
            Unauthenticated: the call has no valid key and no trusted sign-in.
            RateLimited: the address has made too many such calls.
        """
        key = self._request.headers.get("x-api-key")
        try:
            if not key or not self._services.access.must_look_up(key):
                return await identify(self._services, self._request)
            async with self._services.address_limits.looking_up(self._network):
                refusal = self._services.address_limits.refusal(self._network)
                if refusal is not None:
                    self._check(refusal)
                return await identify(self._services, self._request)
        except Unauthenticated:
            self._check(await self._services.address_limits.take(self._network))
            raise

    def headers(self) -> dict[str, str]:
        """Returns the headers that say what is left of each limit (draft-ietf-httpapi-ratelimit-headers-10).

        There are none if the call was not counted, because the endpoint does not count calls or storage did not answer.
        """
        from shared.users.limits.counts import WINDOW_SECONDS

        if not self._standings:
            return {}
        policies, states = [], []
        for standing in self._standings:
            name = standing.limit.name.partition("-")[0]
            policies.append(f'"{name}";q={standing.limit.calls};w={WINDOW_SECONDS}')
            states.append(f'"{name}";r={standing.remaining};t={math.ceil(standing.resets_in_seconds)}')
        return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}

    def _check(self, verdict: "Verdict") -> None:
        self._standings = verdict.standings
        if verdict.allowed:
            return
        if verdict.first_refusal:
            signals.rate_limit_exceeded(
                self._services.telemetry,
                path=urlsplit(self._request.url).path[:_MAX_PATH_CHARACTERS],
                method=self._request.method,
                client_ip=self._address or "",
                expires_in_seconds=verdict.retry_after_seconds,
            )
        used_up = min(verdict.standings, key=lambda standing: standing.remaining).limit
        whose = used_up.name.partition("-")[0]
        detail = f"This {whose} has made too many calls; {used_up.calls:,} in a minute are allowed."
        raise RateLimited(detail, verdict.retry_after_seconds)


def _limits(caller: Caller, tier: "Tier") -> "tuple[Limit, ...]":
    from shared.users.limits.counts import Limit

    limits = (Limit(_USER, tier.requests_per_minute),)
    of_a_key = tier.requests_per_minute_per_key
    if of_a_key is None or not caller.key_id:
        return limits
    return (*limits, Limit(f"{_KEY}-{caller.key_id}", of_a_key))


def _of_images(limit: "Limit") -> "Limit":
    """Returns the limit for calls of images in place of one for other calls."""
    return replace(limit, calls=IMAGES_FACTOR * limit.calls)
