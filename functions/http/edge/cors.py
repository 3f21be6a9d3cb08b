"""Says to browsers which pages of other origins may read answers (https://fetch.spec.whatwg.org/#http-cors-protocol).

Azure and the development host answer such questions themselves where the host has allowed origins of its own. Then
their headers replace these.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

ANY: Final = "*"
_MAX_AGE_SECONDS = 7200
_SENT = "Content-Type, Idempotency-Key, If-None-Match, traceparent, X-API-Key, X-Correlation-ID"
_READ = (
    "Allow, Content-Disposition, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "X-Correlation-ID, X-Notice"
)


@dataclass(frozen=True, slots=True)
class Cors:
    """The origins whose pages may call the app: their names, or `*` for all.

    Only pages of named origins may send credentials, and only if `credentials` is true.
    """

    origins: Collection[str] = ()
    credentials: bool = False

    def headers(self, origin: str | None) -> dict[str, str]:
        """Returns the headers of an answer to a page of an origin."""
        allowed = self._allowed(origin)
        if not allowed:
            return {"Vary": "Origin"} if self.origins and ANY not in self.origins else {}
        found = {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": _READ}
        if allowed != ANY:
            found["Vary"] = "Origin"
            if self.credentials:
                found["Access-Control-Allow-Credentials"] = "true"
        return found

    def preflight(self, origin: str | None, asked: str | None, methods: Collection[str]) -> dict[str, str]:
        """Returns the further headers of the answer to a preflight request, which has the method `asked`."""
        if not asked or not self._allowed(origin):
            return {}
        return {
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": _SENT,
            "Access-Control-Max-Age": str(_MAX_AGE_SECONDS),
        }

    def _allowed(self, origin: str | None) -> str:
        if not origin:
            return ""
        if ANY in self.origins:
            return ANY
        return origin if origin in self.origins else ""
