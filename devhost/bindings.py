"""Input and output bindings of queues and blobs, with binding expressions."""

import base64
import contextlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from devhost.connections import Connections
from devhost.functions import Function, Outcome, new_guid
from devhost.settings import HostSettings, StartError
from devhost.worker.protos import TypedData

_EXPRESSION = re.compile(r"\{([^{}]+)\}")
_INPUTS = {"blob"}
_OUTPUTS = {"blob", "queue", "http"}


class BindingError(Exception):
    """A binding cannot be resolved for an invocation. The text says why."""


class Bindings:
    """Reads the input bindings of functions, and writes their output bindings after they have succeeded.

    `wake` makes the listener of a queue in the same process poll at once.
    """

    def __init__(self, settings: HostSettings, connections: Connections, wake: Callable[[str], None]) -> None:
        self._settings = settings
        self._connections = connections
        self._wake = wake

    def check(self, function: Function) -> None:
        """Checks that all bindings of a function are supported and have a connection.

        Raises:
            StartError: a binding is not supported or has no connection.
        """
        for binding, known in [
            *((binding, _INPUTS) for binding in function.inputs),
            *((binding, _OUTPUTS) for binding in function.outputs),
        ]:
            kind = str(binding["type"]).lower()
            if kind not in known:
                raise StartError(f"{function.name}: bindings of type {binding['type']} are not supported.")
            if kind == "queue":
                self._settings.expand(str(binding["queueName"]))
                self._connections.queue(binding.get("connection"), "any")
            if kind == "blob":
                self._settings.expand(str(binding["path"]))
                self._connections.blobs(binding.get("connection"))

    async def read(self, function: Function, data: Mapping[str, str]) -> dict[str, TypedData]:
        """Returns the values of the input bindings by name. A blob that does not exist has no value.

        Raises:
            BindingError: an expression has no value.
            AzureError: the storage does not answer.
        """
        return {str(binding["name"]): await self._read_blob(binding, data) for binding in function.inputs}

    async def write(self, function: Function, outcome: Outcome, data: Mapping[str, str]) -> None:
        """Writes all output of an invocation, in the order of the bindings.

        Raises:
            BindingError: an expression has no value.
            AzureError: the storage does not answer.
        """
        for binding in function.outputs:
            kind = str(binding["type"]).lower()
            value = outcome.returned if binding["name"] == "$return" else outcome.outputs.get(binding["name"])
            if kind == "http" or value is None or value.WhichOneof("data") is None:
                continue
            if kind == "queue":
                await self._send(binding, _messages(value), data)
            else:
                await self._write_blob(binding, _bytes_of(value), data)

    async def _send(self, binding: Mapping[str, Any], messages: list[bytes], data: Mapping[str, str]) -> None:
        name = self._resolve(binding["queueName"], data)
        client = self._connections.queue(binding.get("connection"), name)
        for message in messages:
            await put(client, encode_body(message, as_base64=self._settings.queues.base64))
        self._wake(name)

    async def _read_blob(self, binding: Mapping[str, Any], data: Mapping[str, str]) -> TypedData:
        container, name = self._path(binding, data)
        blob = self._connections.blobs(binding.get("connection")).get_blob_client(container, name)
        try:
            content = await (await blob.download_blob()).readall()
        except ResourceNotFoundError:
            return TypedData()
        return TypedData(bytes=content)

    async def _write_blob(self, binding: Mapping[str, Any], content: bytes, data: Mapping[str, str]) -> None:
        container, name = self._path(binding, data)
        service = self._connections.blobs(binding.get("connection"))
        blob = service.get_blob_client(container, name)
        try:
            await blob.upload_blob(content, overwrite=True)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                await service.create_container(container)
            await blob.upload_blob(content, overwrite=True)

    def _path(self, binding: Mapping[str, Any], data: Mapping[str, str]) -> tuple[str, str]:
        container, _, name = self._resolve(binding["path"], data).strip("/").partition("/")
        if not name:
            raise BindingError(f"The path {binding['path']} has no name of a blob.")
        return container, name

    def _resolve(self, template: object, data: Mapping[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1].lower()
            if name in {"rand-guid", "sys.randguid"}:
                return new_guid()
            if name in {"datetime", "sys.utcnow"}:
                return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
            if name not in data:
                raise BindingError(f"The binding expression {match[0]} has no value.")
            return data[name]

        return _EXPRESSION.sub(value, self._settings.expand(str(template)))


def binding_data(metadata: Mapping[str, TypedData]) -> dict[str, str]:
    """Returns the values for binding expressions: the trigger's metadata as text, by name in lower case."""
    found: dict[str, str] = {}
    for name, value in metadata.items():
        if value.WhichOneof("data") == "string":
            found[name.lower()] = str(value.string)
            continue
        decoded = json.loads(value.json)
        found[name.lower()] = decoded if isinstance(decoded, str) else json.dumps(decoded)
    return found


def scalars_of(text: str) -> dict[str, str]:
    """Returns the top-level values of a JSON object as texts, without arrays, objects and nulls.

    The result is empty if the text is not a JSON object.
    """
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    found = decoded if isinstance(decoded, dict) else {}
    return {
        key: value if isinstance(value, str) else str(value) if isinstance(value, bool) else json.dumps(value)
        for key, value in found.items()
        if isinstance(value, str | int | float)
    }


async def put(client: QueueClient, text: str) -> None:
    """Sends a message. Creates the queue if it does not exist."""
    try:
        await client.send_message(text)
    except ResourceNotFoundError:
        with contextlib.suppress(ResourceExistsError):
            await client.create_queue()
        await client.send_message(text)


def encode_body(body: bytes, *, as_base64: bool) -> str:
    """Returns the text of a message in the encoding of host.json."""
    return base64.b64encode(body).decode() if as_base64 else body.decode("utf-8", "replace")


def _messages(value: TypedData) -> list[bytes]:
    """Returns the messages of an output: one for each item of a list or of a JSON array, else a single one.

    An object is encoded as JSON again, as in the real host.
    """
    if value.WhichOneof("data") == "bytes":
        return [_bytes_of(value)]
    text = _bytes_of(value).decode()
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return [text.encode()]
    if isinstance(decoded, list):
        return [item.encode() if isinstance(item, str) else json.dumps(item).encode() for item in decoded]
    return [json.dumps(decoded).encode() if isinstance(decoded, dict) else text.encode()]


def _bytes_of(value: TypedData) -> bytes:
    kind = value.WhichOneof("data")
    found = getattr(value, str(kind))
    return bytes(found) if kind == "bytes" else str(found).encode()
