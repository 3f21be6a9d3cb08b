"""Runs the whole product on one machine: Azurite and the Functions host. By default they take free ports."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from playground.azurite import Azurite, Ports, provision
from playground.host import Host
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.settings import Settings

_MESSAGE_LEASE_SECONDS = 30


class Stack:
    """Azurite and hosts with their state in one folder. The first host can be killed and started again."""

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
        """The base URL of the queue service for the hosts. None means Azurite itself."""
        self._host = Host(folder / "host.log", port=port, message_lease_seconds=self._lease)
        self._further: list[Host] = []

    @property
    def url(self) -> str:
        """The base URL of the first host's API."""
        return self._host.url

    @property
    def log(self) -> Path:
        """The log of the first host."""
        return self._host.log

    @property
    def hosts(self) -> Sequence[Host]:
        """The first host and the further hosts, in the order of their start."""
        return [self._host, *self._further]

    def start(self) -> None:
        """Starts Azurite and the first host.

        Raises:
            RuntimeError: one of them does not start. The text contains the end of its log.
        """
        self.start_storage()
        self.start_host()

    def start_storage(self) -> None:
        """Starts Azurite and creates the container and the queues that the app and its producers use.

        Raises:
            RuntimeError: Azurite does not start. The text contains the end of its log.
        """
        self.azurite.start()
        container = Settings.model_fields["datasets_container"].default
        provision(
            self.azurite.connection_string,
            container,
            (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE, WEBHOOKS_QUEUE, LIFECYCLE_QUEUE),
        )

    def start_host(self) -> None:
        """Starts the first host and waits until it is ready.

        Raises:
            RuntimeError: the host does not start. The text contains the end of its log.
        """
        self._host.start(self.environment())

    def start_further_host(self) -> Host:
        """Starts one more host with the same storage and settings, and waits until it is ready.

        Raises:
            RuntimeError: the host does not start. The text contains the end of its log.
        """
        log = self.folder / f"host-{len(self.hosts) + 1}.log"
        host = Host(log, message_lease_seconds=self._lease)
        self._further.append(host)
        host.start(self.environment())
        return host

    @property
    def host_pid(self) -> int:
        """The process id of the first host.

        Raises:
            RuntimeError: the host was not started.
        """
        return self._host.pid

    @property
    def host_is_running(self) -> bool:
        """Whether the first host is running."""
        return self._host.is_running

    def kill_host(self) -> None:
        """Kills the first host by SIGKILL, as if its machine failed."""
        self._host.kill()

    def stop(self) -> None:
        """Stops all hosts and Azurite, and waits until they have ended."""
        for host in self.hosts:
            host.stop()
        self.azurite.stop()

    def tail(self) -> str:
        """Returns the end of the first host's log."""
        return self._host.tail()

    def environment(self) -> dict[str, str]:
        """Returns the environment of the hosts: that of this process, and the app's settings."""
        return {
            **os.environ,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AzureWebJobsStorage": self._connection(),
            "ADMIN_API_KEY": self.api_key,
            "LIFECYCLE_SCHEDULE": "0 0 2 * * *",
            "BUSINESS_METRICS_SCHEDULE": "0 */10 1-4 * * *",
            "WATCHDOG_SCHEDULE": "0 */10 * * * *",
            # as in the deployment; the tests and the figures do not wait for idle queues
            "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.500",
            "WAKE_QUEUES": "false",
            **self._settings,
        }

    def _connection(self) -> str:
        if self.queue_endpoint is None:
            return self.azurite.connection_string
        azurite = f"http://127.0.0.1:{self.azurite.ports.queue}/"
        return self.azurite.connection_string.replace(azurite, f"{self.queue_endpoint}/")


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Runs the stack during the block."""
    stack.folder.mkdir(parents=True, exist_ok=True)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
