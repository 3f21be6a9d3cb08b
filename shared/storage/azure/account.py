"""Connects to the storage account, and translates the errors of its services."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
)

from shared.errors import AlreadyExists, AppError, Changed, Conflict, NotFound, Permanent, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

CLIENT_OPTIONS: Mapping[str, Any] = {
    "retry_total": 4,
    "retry_connect": 4,
    "retry_read": 3,
    "retry_status": 4,
    "connection_timeout": 10,
    "read_timeout": 60,
    # otherwise each call looks in two threads for a proxy in the environment and for a password in .netrc
    "use_env_settings": bool(getproxies()),
}
"""Limits of every call: at most five attempts, and no endless wait for a connection or a byte.

Calls go through a proxy only if the environment names one.
"""

_ROLES = (
    "Storage Blob Data Owner, Storage Queue Data Contributor and Storage Table Data Contributor are needed"
)
_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """Either a connection string, or the endpoints of the services with a credential."""

    connection_string: str | None = None
    blob_uri: str | None = None
    queue_uri: str | None = None
    table_uri: str | None = None
    credential: "AsyncTokenCredential | None" = None

    @classmethod
    def named(cls, name: str, credential: "AsyncTokenCredential") -> "StorageAccount":
        """Returns the account of this name in the public cloud."""
        blob, queue, table = (
            f"https://{name}.{service}.core.windows.net" for service in ("blob", "queue", "table")
        )
        return cls(None, blob, queue, table, credential)


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises the app's errors in place of the SDK's. `what` names the blob, row or queue in their text."""
    try:
        yield
    except AzureError as error:
        raise translate(error, what) from error


async def creating[Result](
    write: Callable[[], Awaitable[Result]], create: Callable[[], Awaitable[object]], what: str
) -> Result:
    """Calls `write`. If its container, table or queue does not exist, calls `create`, and then `write` again.

    `what` names the container, table or queue in errors of `create`.
    """
    try:
        return await write()
    except NotFound:
        # another call may create it at the same time
        with contextlib.suppress(AlreadyExists), translated(what):
            await create()
        return await write()


def translate(error: AzureError, what: str) -> AppError:
    """Returns the app's error for an error of the SDK, by the service's error code or else by the HTTP status."""
    if isinstance(error, ClientAuthenticationError):
        return Permanent("The app may not use its storage account.")
    status = error.status_code if isinstance(error, HttpResponseError) else None
    code = getattr(error, "error_code", None) or ""
    code = str(getattr(code, "value", code))
    if not code and isinstance(error, ResourceExistsError):
        # the SDK for tables gives no code for a single insert
        code = "EntityAlreadyExists"
    known = _BY_CODE.get(code) or _BY_STATUS.get(status or 0)
    if known is not None:
        kind, text = known
        return kind(f"{what} {text}")
    if code == "AuthorizationPermissionMismatch":
        return Permanent(f"The app's identity lacks a role on the storage account: {_ROLES}.")
    if status is None or status in _TRANSIENT_STATUSES:
        return Unavailable("The storage account did not answer.")
    return Permanent(f"The storage account refused a request (status {status}, code {code or 'unknown'}).")


_BY_CODE: Mapping[str, tuple[type[AppError], str]] = {
    "BlobArchived": (Conflict, "is in the Archive tier."),
    "BlobBeingRehydrated": (Conflict, "is being rehydrated from the Archive tier."),
    "InvalidBlockList": (Conflict, "lacks a block."),
    "BlobAlreadyExists": (AlreadyExists, "exists already."),
    "ContainerAlreadyExists": (AlreadyExists, "exists already."),
    "EntityAlreadyExists": (AlreadyExists, "exists already."),
    "TableAlreadyExists": (AlreadyExists, "exists already."),
    "QueueAlreadyExists": (AlreadyExists, "exists already."),
    "TableNotFound": (NotFound, "does not exist."),
    "ResourceNotFound": (NotFound, "does not exist."),
}

_BY_STATUS: Mapping[int, tuple[type[AppError], str]] = {
    404: (NotFound, "does not exist."),
    409: (Conflict, "is in a state that does not allow it."),
    412: (Changed, "was changed by somebody else."),
}
