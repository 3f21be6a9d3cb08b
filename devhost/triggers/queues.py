"""Queue triggers: a listener for each function, with the host's batches, back-off, renewal and poison queues."""

import asyncio
import base64
import binascii
import contextlib
import json
import logging
import random
from collections.abc import Callable, Mapping
from datetime import datetime

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from devhost.bindings import put, scalars_of
from devhost.connections import Connections, first_line
from devhost.functions import Function, Outcome
from devhost.invoker import Invoker
from devhost.settings import HostSettings, StartError
from devhost.worker.protos import TypedData

_log = logging.getLogger("devhost")

_MIN_POLL_SECONDS = 0.1
_RECEIVING_SECONDS = 2.0
_TRANSIENT_CODES = {"QueueBeingDeleted", "QueueDisabled"}


class QueueListener:
    """Receives the messages of one queue and runs one function for each.

    `lease_seconds` is how long a received message is invisible. It is renewed after half of this time.
    """

    def __init__(
        self,
        function: Function,
        invoker: Invoker,
        connections: Connections,
        settings: HostSettings,
        lease_seconds: int,
        wake: Callable[[str], None],
    ) -> None:
        trigger = function.trigger
        self.queue = settings.expand(str(trigger["queueName"]))
        self._is_poison = self.queue.endswith("-poison")
        self._is_binary = str(trigger.get("dataType") or "").lower() == "binary"
        self._function = function
        self._invoker = invoker
        self._settings = settings.queues
        self._lease_seconds = lease_seconds
        self._wake_other = wake
        self._client = connections.queue(trigger.get("connection"), self.queue)
        self._poison = connections.queue(trigger.get("connection"), f"{self.queue}-poison")
        self._running: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._receiving = asyncio.Lock()
        self._stopping = False

    def wake(self) -> None:
        """Polls the queue now."""
        self._awake.set()

    async def run(self) -> None:
        """Listens until `stop` is called.

        Raises:
            StartError: storage refused to read the queue.
        """
        empty_polls = 0
        while not self._stopping:
            if len(self._running) > self._settings.new_batch_threshold:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                continue
            if await self._take():
                empty_polls = 0
                continue
            empty_polls += 1
            await self._pause(empty_polls)

    async def stop(self, grace_seconds: float) -> None:
        """Receives no more messages, waits a while for running invocations, and makes unfinished messages visible."""
        self._stopping = True
        self._awake.set()
        with contextlib.suppress(TimeoutError):
            # messages that are being received are released
            await asyncio.wait_for(self._receiving.acquire(), _RECEIVING_SECONDS)
        if self._running:
            await asyncio.wait(self._running, timeout=grace_seconds)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def run_by_hand(self, text: str) -> Outcome:
        """Runs the function for a message that is not in the queue."""
        trigger, metadata = self._trigger_data(text.encode("utf-8", "replace"), {})
        return await self._invoker.run(self._function, trigger, metadata, "By hand")

    async def _take(self) -> bool:
        """Receives messages and begins to handle them. Returns whether there were any."""
        async with self._receiving:
            received = await self._receive()
            if self._stopping:
                await asyncio.gather(*(self._release(message, 0) for message in received))
                return False
            for message in received:
                task = asyncio.create_task(self._handle(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            return bool(received)

    async def _receive(self) -> list[QueueMessage]:
        count = self._settings.batch_size
        try:
            pages = self._client.receive_messages(
                max_messages=count, messages_per_page=count, visibility_timeout=self._lease_seconds
            )
            return [message async for message in pages]
        except ResourceNotFoundError:
            # the queue is created with its first message
            return []
        except (AzureError, OSError) as error:
            if _stops_the_host(error):
                raise StartError(_refusal(self.queue, error)) from None
            _log.warning("%s cannot be read: %s", self.queue, first_line(error))
            return []

    async def _pause(self, empty_polls: int) -> None:
        spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads polls
        seconds = pause_seconds(empty_polls, self._settings.max_polling_seconds, spread)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), seconds)
        self._awake.clear()

    async def _handle(self, message: QueueMessage) -> None:
        updating = asyncio.Lock()
        renewal = asyncio.create_task(self._renew(message, updating))
        try:
            await self._process(message, updating)
        except asyncio.CancelledError:
            await self._release(message, 0)
            raise
        except (AzureError, OSError) as error:  # the message becomes visible again when its lease ends
            _log.warning("%s: %s", self.queue, first_line(error))
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal

    async def _process(self, message: QueueMessage, updating: asyncio.Lock) -> None:
        limit = self._settings.max_dequeue_count
        dequeued = message.dequeue_count or 0
        body = self._decode(message)
        if body is None or dequeued > limit:
            await self._to_poison(message)
            return
        trigger, metadata = self._trigger_data(body, _metadata(message))
        reason = f"New queue message detected on '{self.queue}'."
        outcome = await self._invoker.run(self._function, trigger, metadata, reason)
        # no renewal may change the pop receipt from here on
        await updating.acquire()
        if outcome.error is None:
            await self._client.delete_message(message)
        elif self._is_poison:
            # it stays invisible until its lease ends, so that it does not fail in a fast loop
            pass
        elif dequeued >= limit:
            await self._to_poison(message)
        else:
            await self._release(message, round(self._settings.visibility_timeout_seconds))

    def _trigger_data(
        self, body: bytes, metadata: dict[str, TypedData]
    ) -> tuple[TypedData, Mapping[str, TypedData]]:
        """Returns the input of the function: the body in its data type, and the trigger's metadata.

        If a text is a JSON object, its top-level scalars overwrite metadata of the same name, whatever the case. A
        binary body overwrites no metadata.
        """
        text = body.decode("utf-8", "replace")
        metadata["QueueTrigger"] = TypedData(string=text)
        if self._is_binary:
            return TypedData(bytes=body), metadata
        names = {name.upper(): name for name in metadata}
        for key, value in scalars_of(text).items():
            metadata[names.setdefault(key.upper(), key)] = TypedData(string=value)
        return TypedData(string=text), metadata

    def _decode(self, message: QueueMessage) -> bytes | None:
        text = str(message.content)
        if not self._settings.base64:
            return text.encode()
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None

    async def _renew(self, message: QueueMessage, updating: asyncio.Lock) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 2)
            async with updating:
                # the next renewal may succeed
                with contextlib.suppress(AzureError):
                    renewed = await self._client.update_message(
                        message, visibility_timeout=self._lease_seconds
                    )
                    message.pop_receipt = renewed.pop_receipt

    async def _release(self, message: QueueMessage, seconds: int) -> None:
        # otherwise the message becomes visible at the end of its lease
        with contextlib.suppress(AzureError):
            await self._client.update_message(message, visibility_timeout=seconds)

    async def _to_poison(self, message: QueueMessage) -> None:
        """Moves a message to the poison queue. A message of a poison queue is left there until it expires."""
        if self._is_poison:
            _log.error(
                "%s: a message is left after %s attempts, and is not tried again",
                self.queue,
                message.dequeue_count,
            )
            return
        _log.error("%s: a message goes to %s-poison", self.queue, self.queue)
        await put(self._poison, str(message.content))
        self._wake_other(f"{self.queue}-poison")
        await self._client.delete_message(message)


def pause_seconds(empty_polls: int, most_seconds: float, spread: float) -> float:
    """Returns the seconds to wait after this many empty polls in a row.

    The wait is 100 ms after the first. After poll n it is 100 ms and `spread` times 100 ms times 2^(n - 2), up to
    `most_seconds`.
    """
    growth = spread * 2.0 ** min(empty_polls - 2, 16) if empty_polls > 1 else 0.0
    return min(_MIN_POLL_SECONDS * (1 + growth), most_seconds)


def _stops_the_host(error: Exception) -> bool:
    """Returns whether an error ends the host: storage refused the call. The host waits for other errors to end."""
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return False
    return error.status_code < 500 and getattr(error, "error_code", None) not in _TRANSIENT_CODES


def _refusal(queue: str, error: Exception) -> str:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    problem = "cannot be read"
    if status in {401, 403}:
        problem = (
            "may not be read: the identity needs the role Storage Queue Data Contributor, or the key is wrong"
        )
    return f"The queue {queue} {problem} ({first_line(error)})"


def _metadata(message: QueueMessage) -> dict[str, TypedData]:
    def moment(value: datetime | None) -> TypedData:
        return TypedData(json=json.dumps(value.isoformat() if value else None))

    return {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": moment(message.inserted_on),
        "ExpirationTime": moment(message.expires_on),
        "NextVisibleTime": moment(message.next_visible_on),
    }
