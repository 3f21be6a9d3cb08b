"""Sends items in a thread, and sends those again that the service may still accept."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.clock import Clock
from shared.telemetry.azure_monitor.buffer import Buffer
from shared.telemetry.azure_monitor.items import Item, Sendable
from shared.telemetry.connection_string import Destination
from shared.telemetry.telemetry import TelemetryState

if TYPE_CHECKING:
    from shared.telemetry.azure_monitor.envelopes import Envelopes
    from shared.telemetry.azure_monitor.transport import Sent, TokenCredential, Transport

_log = logging.getLogger(__name__)

_LONGEST_BACK_OFF_SECONDS = 60.0
_LONGEST_RETRY_AFTER_SECONDS = 3600.0
_MOST_REFUSALS = 5
_LOG_EVERY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class SenderConfig:
    """A batch is sent when it is full, or `interval_seconds` after its first item.

    All waiting items together have at most `max_items` and `max_bytes`. Further items are dropped and counted.
    """

    interval_seconds: float = 2.0
    timeout_seconds: float = 10.0
    batch_items: int = 100
    batch_bytes: int = 500_000
    max_items: int = 10_000
    max_bytes: int = 16_000_000
    back_off_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class _Waiter:
    """A call of `flush`. It ends once `settled` items in all were sent or dropped."""

    settled: int
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]

    def wake(self) -> None:
        # if the loop is closed, nobody waits any more
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(_finish, self.done)


class Sender:
    """Sends items in batches, in order. The thread is a daemon, and the first item starts it."""

    def __init__(
        self,
        destination: Destination,
        tags: Mapping[str, str],
        config: SenderConfig,
        clock: Clock,
        make_credential: "Callable[[], TokenCredential] | None" = None,
    ) -> None:
        self._destination = destination
        self._tags = tags
        self._config = config
        self._clock = clock
        self._make_credential = make_credential
        self._buffer = Buffer(config.max_items, config.max_bytes)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._again: list[Sendable] = []
        self._waiters: list[_Waiter] = []
        self._accepted = 0
        self._settled = 0
        self._dropped = 0
        self._failures = 0
        self._paused = False
        self._sending_since: float | None = None
        self._last_success: datetime | None = None
        self._problem: str | None = None
        self._logged: dict[str, float] = {}

    def put(self, item: Item) -> None:
        """Accepts an item, or counts it as dropped if the buffer is full."""
        if self._buffer.put(item):
            with self._lock:
                self._accepted += 1
            self._start()
            return
        with self._lock:
            self._dropped += 1

    async def flush(self, seconds: float) -> None:
        """Waits until all items so far were sent or dropped, but at most `seconds`.

        Does not wait while sending fails.
        """
        with self._lock:
            failing = self._paused or self._failures or self._is_late()
            if failing or self._settled >= self._accepted:
                return
            loop = asyncio.get_running_loop()
            waiter = _Waiter(self._accepted, loop, loop.create_future())
            self._waiters.append(waiter)
        self._buffer.hurry()
        try:
            async with asyncio.timeout(seconds):
                await waiter.done
        except TimeoutError:
            return
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._waiters.remove(waiter)

    def state(self) -> TelemetryState:
        """See `Telemetry.state`."""
        with self._lock:
            problem = self._problem or ("the service is slow to answer" if self._is_late() else None)
            backlog = max(0, self._accepted - self._settled)
            return TelemetryState(True, backlog, self._dropped, self._last_success, problem)

    def _is_late(self) -> bool:
        """Whether the answer of the service takes too long. One that drips its headers does not time out."""
        since = self._sending_since
        return since is not None and time.monotonic() - since > self._config.timeout_seconds

    def _start(self) -> None:
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        """Sends until the process ends. If nothing can be sent at all, it logs why and ends."""
        try:
            self._run_on()
        except Exception as error:  # noqa: BLE001 - the thread ends, and only this log line says why
            _log.exception("Telemetry cannot be sent.")
            with self._lock:
                self._problem = f"cannot be sent: {type(error).__name__}"
                self._paused = True
            self._wake()

    def _run_on(self) -> None:
        """Sends until the process ends.

        The libraries are imported after the first batch is complete, so a cold start does not wait for them.

        Raises:
            ImportError: the libraries cannot be imported.
        """
        config = self._config
        items = self._buffer.take(config.batch_items, config.batch_bytes, config.interval_seconds, wait=True)
        from shared.telemetry.azure_monitor.envelopes import Envelopes
        from shared.telemetry.azure_monitor.transport import Transport

        envelopes = Envelopes(self._destination.key, self._tags)
        transport = Transport(
            self._destination.endpoint, config.timeout_seconds, self._clock, self._make_credential
        )
        while True:
            try:
                self._send(envelopes, transport, items)
            except Exception:  # noqa: BLE001 - no error may end the thread
                _log.exception("Telemetry could not be sent.")
                time.sleep(config.back_off_seconds)
            items = self._buffer.take(
                config.batch_items - len(self._again),
                config.batch_bytes,
                config.interval_seconds,
                wait=not self._again,
            )

    def _send(self, envelopes: "Envelopes", transport: "Transport", items: list[tuple[Item, int]]) -> None:
        batch = self._again
        self._again = []
        for item, size in items:
            try:
                batch.append(Sendable(envelopes.of(item), size))
            except Exception:  # noqa: BLE001 - other items must not be lost
                self._drop(1, "an item could not be written")
        self._hold(batch)
        if not batch:
            self._wake()
            return
        self._sending_since = time.monotonic()
        try:
            sent = transport.send(batch)
        finally:
            self._sending_since = None
        self._note(batch, sent)
        if sent.again or sent.throttled:
            self._pause(sent.wait_seconds)

    def _note(self, batch: list[Sendable], sent: "Sent") -> None:
        """Counts the outcome of a batch, and keeps the items that will be sent again."""
        given_up = 0
        for item in sent.again:
            if sent.arrived:
                item.refusals += 1
            if item.refusals >= _MOST_REFUSALS:
                given_up += 1
            else:
                self._again.append(item)
        self._hold(self._again)
        with self._lock:
            self._settled += len(batch) - len(sent.again) - sent.dropped
            self._problem = sent.error
            if sent.arrived:
                self._last_success = self._clock.now()
                self._failures = 0
            else:
                self._failures += 1
        if sent.error is not None:
            self._log_once(f"The service does not accept telemetry: {sent.error}.")
        if sent.dropped or given_up:
            self._drop(sent.dropped + given_up, sent.error or "refused item by item")
        self._wake()

    def _pause(self, wait_seconds: float | None) -> None:
        """Pauses as long as the service asks, or else longer after each failure.

        Calls of `flush` do not wait for it.
        """
        back_off = min(
            _LONGEST_BACK_OFF_SECONDS, self._config.back_off_seconds * 2 ** min(self._failures, 20)
        )
        # Retry-After may be 0, which must not make a fast loop
        seconds = min(wait_seconds or 0.0, _LONGEST_RETRY_AFTER_SECONDS) or back_off
        with self._lock:
            self._paused = True
        self._wake()
        time.sleep(seconds)
        with self._lock:
            self._paused = False

    def _hold(self, batch: list[Sendable]) -> None:
        self._buffer.hold(len(batch), sum(item.size for item in batch))

    def _drop(self, count: int, why: str) -> None:
        with self._lock:
            self._dropped += count
            self._settled += count
        self._log_once(f"Telemetry was dropped: {why}.")

    def _log_once(self, line: str) -> None:
        """Logs a line at most once an hour."""
        now = time.monotonic()
        if now - self._logged.get(line, -_LOG_EVERY_SECONDS) >= _LOG_EVERY_SECONDS:
            if len(self._logged) >= 100:
                self._logged.clear()
            self._logged[line] = now
            _log.warning("%s", line)

    def _wake(self) -> None:
        """Ends the calls of `flush` whose items were sent or dropped. Ends all of them during a pause."""
        with self._lock:
            ended = [waiter for waiter in self._waiters if self._paused or waiter.settled <= self._settled]
        for waiter in ended:
            waiter.wake()


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
