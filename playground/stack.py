"""The whole product on one machine: Azurite and the Functions host, on free ports unless told which."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from playground.azurite import Azurite, Ports, provision
from playground.host import Host
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE
from shared.settings import Settings

_MESSAGE_LEASE_SECONDS = 30


class Stack:
    """Azurite and a host over one folder for state. The host can be killed and started again, and others join it."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        storage_ports: Ports | None = None,
        settings: Mapping[str, str] | None = None,
        message_lease_seconds: int = _MESSAGE_LEASE_SECONDS,
        log_requests: bool = False,
    ) -> None:
        self.folder = folder
        self.azurite = Azurite(folder / "azurite", storage_ports, log_requests=log_requests)
        self.api_key = secrets.token_urlsafe(24)
        self._settings = dict(settings or {})
        self._lease = message_lease_seconds
        self.queue_endpoint: str | None = None
        """Where the hosts find the queues, if not at Azurite itself."""
        self._host = Host(folder / "host.log", port=port, message_lease_seconds=self._lease)
        self._further: list[Host] = []

    @property
    def url(self) -> str:
        """Where the API is."""
        return self._host.url

    @property
    def log(self) -> Path:
        """The host's log."""
        return self._host.log

    @property
    def hosts(self) -> Sequence[Host]:
        """The first host, and those that joined it."""
        return [self._host, *self._further]

    def start(self) -> None:
        """Start both.

        Raises:
            RuntimeError: one does not start; the text holds the end of its log.
        """
        self.start_storage()
        self.start_host()

    def start_storage(self) -> None:
        """Start Azurite, with the container and the queues that the app and its producers use.

        Raises:
            RuntimeError: it does not start; the text holds the end of its log.
        """
        self.azurite.start()
        container = Settings.model_fields["datasets_container"].default
        provision(
            self.azurite.connection_string,
            container,
            (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE, WEBHOOKS_QUEUE),
        )

    def start_host(self) -> None:
        """Start the host, and wait until it is ready.

        Raises:
            RuntimeError: it does not start; the text holds the end of its log.
        """
        self._host.start(self.environment())

    def start_further_host(self) -> Host:
        """Start one more host over the same storage, with the same settings, and wait until it is ready.

        Raises:
            RuntimeError: it does not start; the text holds the end of its log.
        """
        log = self.folder / f"host-{len(self.hosts) + 1}.log"
        host = Host(log, message_lease_seconds=self._lease)
        self._further.append(host)
        host.start(self.environment())
        return host

    @property
    def host_pid(self) -> int:
        """The host's process id.

        Raises:
            RuntimeError: it was not started.
        """
        return self._host.pid

    @property
    def host_is_running(self) -> bool:
        """Whether the host's process lives."""
        return self._host.is_running

    def kill_host(self) -> None:
        """End the host as a power cut would."""
        self._host.kill()

    def stop(self) -> None:
        """Stop all hosts and the storage, and wait until they are gone."""
        for host in self.hosts:
            host.stop()
        self.azurite.stop()

    def tail(self) -> str:
        """The end of the host's log."""
        return self._host.tail()

    def environment(self) -> dict[str, str]:
        """The hosts' environment: this process's, and the app's settings."""
        return {
            **os.environ,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AzureWebJobsStorage": self._connection(),
            "ADMIN_API_KEY": self.api_key,
            "LIFECYCLE_SCHEDULE": "0 0 2 * * *",
            "WATCHDOG_SCHEDULE": "0 */10 * * * *",
            **self._settings,
        }

    def _connection(self) -> str:
        straight = f"http://127.0.0.1:{self.azurite.ports.queue}/"
        return self.azurite.connection_string.replace(
            straight, f"{self.queue_endpoint or straight.rstrip('/')}/"
        )


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """The stack, running within the block."""
    stack.folder.mkdir(parents=True, exist_ok=True)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
