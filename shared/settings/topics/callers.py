from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.settings.topics.topic import Topic
from shared.settings.value_types import Origins


class CallerSettings(Topic):
    """Limits and pages of other sites."""

    address_requests_per_minute: Annotated[int, Field(ge=10, le=1_000_000)] = 120
    """Public calls, and calls without a valid key, of one address in a minute. See [limits](limits.md)."""
    trusted_forwarders: Annotated[int, Field(ge=0, le=10)] | None = None
    """How many proxies, one after another, write to `X-Forwarded-For` before a call reaches the app. The default is 1
    on Azure, where the platform does, and 0 elsewhere. Behind Front Door or API Management it is 2."""
    cors_allowed_origins: Origins | None = None
    """Origins whose pages may call the app, such as `https://app.example.com`, with commas between them, or `*` for
    all."""
    cors_allow_credentials: bool = False
    """Whether these pages may send cookies, such as that of a sign-in. Their origins must be named, not `*`."""

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins whose pages may call the app."""
        return frozenset(filter(None, (self.cors_allowed_origins or "").split(",")))

    @model_validator(mode="after")
    def _credentials_are_for_named_origins(self) -> Self:
        if self.cors_allow_credentials and "*" in self.allowed_origins:
            raise ValueError("CORS_ALLOW_CREDENTIALS needs origins by name in CORS_ALLOWED_ORIGINS, not *")
        return self
