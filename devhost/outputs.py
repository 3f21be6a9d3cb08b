"""What functions write to: queue output bindings, sent after the function succeeded."""

import base64
import contextlib
import json
from collections.abc import Callable
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from devhost.settings import HostSettings, StartError, connection_string, expand
from devhost.worker import Function, Outcome


class QueueOutputs:
    """Sends the messages of output bindings; `wake` tells a listener of the same process that its queue has one."""

    def __init__(self, settings: HostSettings, wake: Callable[[str], None]) -> None:
        self._base64 = settings.queues.base64
        self._wake = wake

    async def send(self, function: Function, outcome: Outcome) -> None:
        """Send all that an invocation wrote, in order."""
        for binding in function.outputs:
            kind = str(binding["type"]).lower()
            value = outcome.returned if binding["name"] == "$return" else outcome.outputs.get(binding["name"])
            if kind == "http" or value is None:
                continue
            if kind != "queue":
                raise StartError(f"{function.name}: output bindings of type {kind} are not supported.")
            await self._send_all(binding, _messages(value))

    async def _send_all(self, binding: Any, messages: list[bytes]) -> None:
        name = expand(str(binding["queueName"]))
        connection = connection_string(str(binding.get("connection") or ""))
        async with QueueClient.from_connection_string(connection, name) as client:
            for message in messages:
                await put(client, encode_body(message, self._base64))
        self._wake(name)


async def put(client: QueueClient, text: str) -> None:
    """Send a message; the queue is created where there is none."""
    try:
        await client.send_message(text)
    except ResourceNotFoundError:
        with contextlib.suppress(ResourceExistsError):
            await client.create_queue()
        await client.send_message(text)


def encode_body(body: bytes, as_base64: bool) -> str:  # noqa: FBT001 - one flag of host.json
    """The text of a message in the host's encoding."""
    return base64.b64encode(body).decode() if as_base64 else body.decode("utf-8", "replace")


def _messages(value: Any) -> list[bytes]:
    """A list is many messages, and so is a text that holds a JSON array; an object is serialised again."""
    kind = value.WhichOneof("data")
    if kind == "bytes":
        return [value.bytes]
    text = value.string if kind == "string" else value.json
    if text is None:
        return []
    try:
        decoded = json.loads(text)
    except ValueError:
        return [text.encode()]
    if isinstance(decoded, list):
        return [item.encode() if isinstance(item, str) else json.dumps(item).encode() for item in decoded]
    return [json.dumps(decoded).encode() if isinstance(decoded, dict) else text.encode()]
