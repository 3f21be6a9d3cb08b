"""Who calls: an API key is looked up, and a caller comes back."""

import hmac
from dataclasses import dataclass
from typing import Self

from shared.errors import Unauthenticated

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user on whose behalf a call runs."""

    user_id: str

    @classmethod
    def anonymous(cls) -> Self:
        """The caller of public endpoints, who owns nothing."""
        return cls("")


class Access:
    """Knows the one key that the app is set up with. Without a key, nobody gets in."""

    def __init__(self, admin_api_key: str | None) -> None:
        self._admin_api_key = (admin_api_key or "").encode("utf-8", "surrogatepass")

    def identify(self, api_key: str | None) -> Caller:
        """The caller who holds the key; compared in constant time.

        Raises:
            Unauthenticated: there is no key, or nobody holds it.
        """
        if not api_key:
            raise Unauthenticated("Send your API key in the header X-API-Key.")
        given = api_key.encode("utf-8", "surrogatepass")  # whatever the host makes of bytes
        if not self._admin_api_key or not hmac.compare_digest(given, self._admin_api_key):
            raise Unauthenticated("This API key is not known.")
        return Caller(ADMIN)
