"""Gets tokens of the app's identity, which show Azure AI Vision who calls."""

import asyncio
from typing import TYPE_CHECKING, Final

from azure.core.exceptions import AzureError, ClientAuthenticationError

from shared.clock import Clock
from shared.errors import Permanent, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

SCOPE: Final = "https://cognitiveservices.azure.com/.default"
# a token is not used in its last minutes, as azure-core does it
_RESERVE_SECONDS = 300


class Tokens:
    """Keeps one token, and gets the next one shortly before that ends. Many tasks of one event loop may use it."""

    def __init__(self, credential: "AsyncTokenCredential", clock: Clock) -> None:
        self._credential = credential
        self._clock = clock
        self._token = ""
        self._ends = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """Returns a token.

        Raises:
            Permanent: the app has no identity.
            Unavailable: the service of identities did not answer.
        """
        async with self._lock:
            if self._token and self._clock.now().timestamp() < self._ends - _RESERVE_SECONDS:
                return self._token
            try:
                found = await self._credential.get_token(SCOPE)
            except ClientAuthenticationError:
                raise Permanent("The app has no identity that it could show to Azure AI Vision.") from None
            except AzureError as error:
                raise Unavailable(
                    f"There is no token for Azure AI Vision ({type(error).__name__})."
                ) from None
            self._token, self._ends = found.token, float(found.expires_on)
            return self._token

    def forget(self, token: str) -> None:
        """Forgets a token that was refused."""
        if self._token == token:
            self._token = ""
