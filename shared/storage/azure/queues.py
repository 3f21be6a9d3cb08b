"""Queues on Azure Queue Storage."""

from typing import override

from azure.storage.queue.aio import QueueClient, QueueServiceClient

from shared.errors import NotFound
from shared.storage.azure.account import StorageAccount, creating, translated
from shared.storage.azure.transport import client_options
from shared.storage.queues import QueueSender, check_message
from shared.storage.sent import note_sent


class AzureQueues(QueueSender):
    """QueueSender over the account's queues. Messages are plain text: host.json says `messageEncoding: none`."""

    def __init__(self, account: StorageAccount) -> None:
        options = client_options()
        if account.connection_string:
            self._service = QueueServiceClient.from_connection_string(account.connection_string, **options)
        else:
            self._service = QueueServiceClient(account.queue_uri or "", account.credential, **options)
        self._queues: dict[str, QueueClient] = {}

    @override
    async def send(self, queue: str, body: str, *, delay_seconds: float = 0.0) -> None:
        check_message(body)
        client = self._queue(queue)
        delay = round(delay_seconds) or None

        async def put() -> None:
            with translated(f"The queue {queue}"):
                await client.send_message(body, visibility_timeout=delay)

        await creating(put, client.create_queue, f"The queue {queue}")
        note_sent(queue)

    @override
    async def depth(self, queue: str) -> int:
        try:
            with translated(f"The queue {queue}"):
                properties = await self._queue(queue).get_queue_properties()
        except NotFound:
            return 0
        return int(properties.approximate_message_count or 0)

    async def ping(self) -> None:
        """Sends the service a small request.

        Raises:
            Unavailable: it does not answer.
        """
        with translated("The queue service"):
            async for _ in self._service.list_queues(results_per_page=1):
                return

    async def close(self) -> None:
        """Closes the connections."""
        for client in self._queues.values():
            await client.close()
        await self._service.close()

    def _queue(self, name: str) -> QueueClient:
        if name not in self._queues:
            self._queues[name] = self._service.get_queue_client(name)
        return self._queues[name]
