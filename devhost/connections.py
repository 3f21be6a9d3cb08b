"""Makes storage clients for the connections that bindings name."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.request import getproxies

from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from devhost.settings import StartError

_STORAGE = "AzureWebJobsStorage"
# Four tries within seconds, so that a storage that is not running is reported soon. Without a proxy in the environment,
# a call need not look for one in a thread.
_OPTIONS: Mapping[str, Any] = {
    "initial_backoff": 1,
    "increment_base": 2,
    "use_env_settings": bool(getproxies()),
}
# Azurite's well-known account and key, which are public and the same on every machine.
_AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


class Connections:
    """Holds one client for each storage account and service, which all bindings share.

    A connection is the setting `AzureWebJobs<name>`, or else the setting `<name>`. The setting is a connection string.
    Otherwise `…__accountName`, `…__queueServiceUri` or `…__blobServiceUri` names the service, and `…__credential` and
    `…__clientId` name the identity.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._services: dict[tuple[str, str], Any] = {}
        self._open = AsyncExitStack()

    def queue(self, connection: object, name: str) -> QueueClient:
        """Returns the client for a queue of a connection. An empty connection means AzureWebJobsStorage.

        Raises:
            StartError: the connection has no setting.
        """
        service: QueueServiceClient = self._service(QueueServiceClient, "queue", str(connection or _STORAGE))
        return service.get_queue_client(name)

    def blobs(self, connection: object) -> BlobServiceClient:
        """Returns the client for the blobs of a connection. An empty connection means AzureWebJobsStorage.

        Raises:
            StartError: the connection has no setting.
        """
        service: BlobServiceClient = self._service(BlobServiceClient, "blob", str(connection or _STORAGE))
        return service

    async def close(self) -> None:
        """Closes all clients."""
        await self._open.aclose()

    def _service(self, client: Any, kind: str, connection: str) -> Any:
        found = self._services.get((kind, connection))
        if found is None:
            found = self._services[kind, connection] = self._make(client, kind, connection)
            self._open.push_async_callback(found.close)
        return found

    def _make(self, client: Any, kind: str, connection: str) -> Any:
        for name in (f"AzureWebJobs{connection}", connection):
            text = self._environment.get(name, "").strip()
            if text:
                is_azurite = text.lower().rstrip(";") == "usedevelopmentstorage=true"
                return client.from_connection_string(_AZURITE if is_azurite else text, **_OPTIONS)
            url = self._environment.get(f"{name}__{kind}ServiceUri")
            account = self._environment.get(f"{name}__accountName")
            if url or account:
                credential = self._credential(name)
                self._open.push_async_callback(credential.close)
                return client(url or f"https://{account}.{kind}.core.windows.net", credential, **_OPTIONS)
        raise StartError(f"The connection {connection} has no setting.")

    def _credential(self, connection: str) -> Any:
        """Returns the identity that a connection names, or the default credential if it names none."""
        from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

        client_id = self._environment.get(f"{connection}__clientId") or None
        named = self._environment.get(f"{connection}__credential", "").lower()
        if named == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id)
        if named:
            raise StartError(f"{connection}__credential is {named!r}; it must be managedidentity.")
        return DefaultAzureCredential(**({"managed_identity_client_id": client_id} if client_id else {}))


def first_line(error: Exception) -> str:
    """Returns the type and the first line of an error. Storage adds details in further lines."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0].strip()}"
