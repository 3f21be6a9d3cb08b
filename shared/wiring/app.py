"""Makes the app of this process, and reports its start, its use and its end."""

import asyncio
import atexit
import contextlib
import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from shared.settings import load_settings
from shared.telemetry import signals
from shared.telemetry.correlation import Operation
from shared.telemetry.recording import NoTelemetry
from shared.text.strict_json import shown
from shared.users.caller import Caller
from shared.wiring.lifecycle_services import LifecycleServices

if TYPE_CHECKING:
    from shared.health.health import Facts
    from shared.health.start_report import StartReport

_log = logging.getLogger(__name__)

VERSION = "0.1.0"


class App(LifecycleServices):
    """All services of the app, and the reports of its start, its use and its end."""

    version = VERSION
    answer_within_seconds = 8.0
    """How many seconds an HTTP call may take, so that it is answered within ten."""
    _imports: threading.Thread | None = None
    _start_report: "StartReport | None" = None

    @property
    def platform(self) -> "Facts":
        """Facts about the place where the process runs."""
        from shared.wiring.process.platform import platform_facts

        return platform_facts(self.settings)

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of Python and of the libraries, by name."""
        from shared.wiring.process.platform import versions

        return versions()

    def announce_start(self, startup_seconds: float, functions: Collection[str]) -> None:
        """Reports that the process is ready, with these functions. Its end is reported too, if it ends by itself.

        Usually the host kills its workers, so nothing else may depend on the end of a process.
        """
        for problem in self.settings.telemetry_problems:
            _log.warning("A setting of telemetry is wrong, and its default holds: %s", problem)
        unknown = sorted(self.settings.excluded_operations - {*functions})
        if unknown:
            names = ", ".join(map(shown, unknown))
            _log.warning("TELEMETRY_EXCLUDED_OPERATIONS names what is no function of the app: %s.", names)
        process = signals.ProcessFacts(
            environment=self.settings.environment,
            azure_blob_enabled=True,
            azure_insights_enabled=not isinstance(self.telemetry, NoTelemetry),
            running_in_azure=self.settings.running_in_azure,
        )
        signals.application_started(self.telemetry, process, startup_seconds=startup_seconds)
        if process.azure_insights_enabled:
            atexit.register(self._announce_stop, process)

    def report_services_after(self, imports: threading.Thread) -> None:
        """Has one log line report the health of the services, once the thread has imported their libraries."""
        self._imports = imports

    @contextlib.contextmanager
    def invocation(self) -> Iterator[None]:
        """Runs the block as an invocation.

        After `report_services_after`, the first ones check and log the services' health.
        """
        if self._imports is None:
            yield
            return
        if self._start_report is None:
            from shared.health.start_report import StartReport
            from shared.wiring.process.platform import service_of

            self._start_report = StartReport(self.health, service_of(self.settings), self._imports.join)
        with self._start_report.during_invocation():
            yield

    def reports(self, operation: Operation) -> bool:
        """Returns whether each run of the function is reported. Settings exclude functions that run very often."""
        return operation.name not in self.settings.excluded_operations

    def completed(self, operation: Operation) -> None:
        """Reports that a function has succeeded, unless a setting excludes the function."""
        if not self.reports(operation):
            return
        signals.operation_completed(
            self.telemetry,
            operation=operation.name,
            correlation_id=operation.correlation_id,
            environment=self.settings.environment,
        )

    async def used(self, caller: Caller, action: str) -> None:
        """Reports an action of a user, and records that the user is active today. This never fails."""
        await self.uses.note(caller, action)

    def _announce_stop(self, process: signals.ProcessFacts) -> None:
        signals.application_stopped(self.telemetry, process)
        # not asyncio.run, which would replace the handler of SIGINT
        with contextlib.closing(asyncio.new_event_loop()) as loop:
            loop.run_until_complete(self.telemetry.flush())


@cache
def app() -> App:
    """Returns the app of this process."""
    return App(load_settings())
