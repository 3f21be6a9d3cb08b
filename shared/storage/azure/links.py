"""Makes links to blobs: with the app's identity, or locally with the key of the storage account."""

import ipaddress
from datetime import timedelta
from urllib.parse import quote, urlsplit

from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.clock import Clock
from shared.storage.azure.delegation import CLOCK_SKEW, DelegationKeys
from shared.storage.azure.signature import Grant
from shared.storage.blobs import Link
from shared.text.content_disposition import attachment

_READ = "r"
_CREATE = "c"


class AzureLinks:
    """Makes links to single blobs of a container. Each allows one thing, and ends by itself.

    Off loopback, links work over TLS only.
    """

    def __init__(self, service: BlobServiceClient, container: ContainerClient, clock: Clock) -> None:
        self._container = container.container_name
        self._url = str(container.url).rstrip("/")
        self._account = account_of(self._url)
        self._https_only = not _is_loopback(self._url)
        self._account_key: str | None = getattr(service.credential, "account_key", None)
        self._keys = DelegationKeys(service.get_user_delegation_key, clock)
        self._clock = clock

    async def reading(self, blob: str, lifetime_seconds: float, filename: str) -> Link:
        """Returns a link that reads the blob. A browser saves it as `filename`."""
        return await self._signed(blob, _READ, lifetime_seconds, attachment(filename))

    async def creating(self, blob: str, lifetime_seconds: float) -> Link:
        """Returns a link that creates the blob. It changes no blob that exists."""
        return await self._signed(blob, _CREATE, lifetime_seconds)

    async def close(self) -> None:
        """Ends what runs in the background."""
        await self._keys.close()

    async def _signed(
        self, blob: str, permissions: str, lifetime_seconds: float, disposition: str = ""
    ) -> Link:
        now = self._clock.now().replace(microsecond=0)
        expires_at = now + timedelta(seconds=int(lifetime_seconds))
        delegation = None
        if self._account_key is None:
            delegation = await self._keys.lasting(expires_at)
            expires_at = min(expires_at, delegation.expires_at)
        grant = Grant(
            account=self._account,
            container=self._container,
            blob=blob,
            permissions=permissions,
            start=now - CLOCK_SKEW,
            expiry=expires_at,
            https_only=self._https_only,
            content_disposition=disposition,
        )
        query = (
            grant.signed_by_account(self._account_key or "")
            if delegation is None
            else grant.signed_by_delegation(delegation.key)
        )
        return Link(f"{self._url}/{quote(blob, safe='~/')}?{query}", expires_at)


def account_of(url: str) -> str:
    """Returns the name of the storage account in the URL of a container or blob.

    It begins the host name. Only emulators have it in the path, as their hosts are addresses.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.path.split("/")[1] if _is_loopback(url) else host.partition(".")[0]


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
