"""Access keys, stored as the real host does: in blobs of the container azure-webjobs-secrets."""

import contextlib
import hmac
import json
import secrets
from collections.abc import Iterable

from aiohttp import web
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from devhost.functions import Function

_CONTAINER = "azure-webjobs-secrets"


class Keys:
    """The master key, the host's key for all functions, and the keys of each function."""

    def __init__(self, blobs: BlobServiceClient, host_id: str) -> None:
        self._blobs = blobs
        self._host_id = host_id
        self._master: tuple[str, ...] = ()
        self._host: tuple[str, ...] = ()
        self._functions: dict[str, tuple[str, ...]] = {}

    @property
    def master(self) -> str:
        """The key that gives access to everything."""
        return self._master[0]

    @property
    def default(self) -> str:
        """The host's key for all functions."""
        return self._host[0]

    async def load(self, functions: Iterable[Function]) -> None:
        """Reads the keys, and creates missing ones."""
        made: dict[str, object] = {
            "masterKey": _new_key("master"),
            "functionKeys": [_new_key("default")],
            "systemKeys": [],
        }
        found = await self._read_or_make("host", made)
        self._master = _values([found["masterKey"]])
        self._host = _values(found["functionKeys"])
        for function in functions:
            found = await self._read_or_make(function.name.lower(), {"keys": [_new_key("default")]})
            self._functions[function.name] = _values(found["keys"])

    def opens(self, request: web.Request, function: Function | None) -> bool:
        """Returns whether a request's key gives access to a function. None means the endpoints of the host."""
        level = str(function.trigger.get("authLevel") or "function").lower() if function else "admin"
        if level == "anonymous":
            return True
        given = request.headers.get("x-functions-key") or request.query.get("code") or ""
        accepted = self._master
        if function is not None and level == "function":
            accepted += self._host + self._functions[function.name]
        return any(
            hmac.compare_digest(given.encode("utf-8", "surrogateescape"), key.encode()) for key in accepted
        )

    async def _read_or_make(self, name: str, made: dict[str, object]) -> dict[str, object]:
        blob = self._blobs.get_blob_client(_CONTAINER, f"{self._host_id}/{name}.json")
        with contextlib.suppress(ResourceExistsError):
            try:
                await blob.upload_blob(json.dumps(made), overwrite=False)
            except ResourceNotFoundError:
                with contextlib.suppress(ResourceExistsError):
                    await self._blobs.create_container(_CONTAINER)
                await blob.upload_blob(json.dumps(made), overwrite=False)
            return made
        content = await (await blob.download_blob()).readall()
        found: dict[str, object] = json.loads(content)
        return found


def _new_key(name: str) -> dict[str, object]:
    return {"name": name, "value": secrets.token_urlsafe(40), "encrypted": False}


def _values(keys: object) -> tuple[str, ...]:
    return tuple(str(key["value"]) for key in keys) if isinstance(keys, list) else ()
