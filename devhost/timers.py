"""Timer triggers: schedules, their status blob, and one host at a time."""

import asyncio
import contextlib
import json
import logging
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, BlobServiceClient

from devhost.ncrontab import parse_schedule
from devhost.protos import TypedData
from devhost.settings import connection_string, expand
from devhost.worker import Function, Outcome, Worker

_log = logging.getLogger("devhost")

_CONTAINER = "azure-webjobs-hosts"
_LEASE_SECONDS = 60
_LONGEST_SLEEP_SECONDS = 3600.0


class TimerListener:
    """Runs one function on its schedule, never two runs at a time, over all hosts of one id and storage."""

    def __init__(self, function: Function, worker: Worker, host_id: str) -> None:
        trigger = function.trigger
        self._function = function
        self._worker = worker
        self._argument = str(trigger["name"])
        self._schedule = parse_schedule(expand(str(trigger["schedule"])))
        monitor = trigger.get("useMonitor", True)
        self._monitored = bool(True if monitor is None else monitor)
        self._run_on_startup = bool(trigger.get("runOnStartup") or False)
        self._service = BlobServiceClient.from_connection_string(connection_string("AzureWebJobsStorage"))
        self._status = self._blob(f"timers/{host_id}/Host.Functions.{function.name}/status")
        self._lock = self._blob(f"locks/{host_id}/Host.Functions.{function.name}.Listener")
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Wait for the singleton's lease, then fire on schedule until cancelled."""
        lease = await self._acquire()
        renewal = asyncio.create_task(self._renew(lease))
        try:
            await self._fire_on_schedule()
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal
            with contextlib.suppress(AzureError):  # it ends by itself within a minute
                await lease.release()

    async def close(self) -> None:
        """Close the connections."""
        await self._service.close()

    async def fire(self, *, past_due: bool) -> Outcome:
        """Run the function now."""
        async with self._turn:
            status = await self._read_status()
            content = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
            outcome = await self._worker.invoke(
                self._function, {self._argument: TypedData(json=json.dumps(content))}
            )
        if outcome.error is not None:
            _log.error("%s failed (%s): %s", self._function.name, outcome.invocation_id, outcome.error)
        return outcome

    async def _fire_on_schedule(self) -> None:
        status = await self._read_status()
        now = datetime.now().astimezone()
        due = datetime.fromisoformat(status["Next"]) if status and status.get("Next") else None
        if due is not None and due < now:
            await self.fire(past_due=True)
            await self._write_status(last=datetime.now().astimezone())
        elif self._run_on_startup:
            await self.fire(past_due=False)
        elif status is None:
            await self._write_status(last=None)
        while True:
            following = self._schedule.next_after(datetime.now().astimezone())
            await _sleep_until(following)
            await self.fire(past_due=False)
            await self._write_status(last=following)

    async def _acquire(self) -> BlobLeaseClient:
        lease = BlobLeaseClient(self._lock)
        waiting = False
        while True:
            try:
                await lease.acquire(lease_duration=_LEASE_SECONDS)
            except ResourceNotFoundError:
                await self._create(self._lock, b"")
            except AzureError:
                if not waiting:
                    _log.info("%s: another host has the timer", self._function.name)
                waiting = True
                await asyncio.sleep(5)
            else:
                return lease

    async def _renew(self, lease: BlobLeaseClient) -> None:
        while True:
            await asyncio.sleep(_LEASE_SECONDS / 2)
            with contextlib.suppress(AzureError):  # the next renewal may succeed
                await lease.renew()

    async def _read_status(self) -> dict[str, Any] | None:
        if not self._monitored:
            return None
        try:
            download = await self._status.download_blob()
            found = json.loads(await download.readall())
        except (AzureError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    async def _write_status(self, last: datetime | None) -> None:
        if not self._monitored:
            return
        now = datetime.now().astimezone()
        status = {
            "Last": (last or datetime(1, 1, 1, tzinfo=UTC)).isoformat(),
            "Next": self._schedule.next_after(now).isoformat(),
            "LastUpdated": (last or now).isoformat(),
        }
        with contextlib.suppress(AzureError):  # it only serves the next start
            await self._create(self._status, json.dumps(status).encode())

    async def _create(self, blob: BlobClient, data: bytes) -> None:
        try:
            await blob.upload_blob(data, overwrite=True)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                await self._service.create_container(_CONTAINER)
            await blob.upload_blob(data, overwrite=True)

    def _blob(self, name: str) -> BlobClient:
        return self._service.get_blob_client(_CONTAINER, name)


async def _sleep_until(moment: datetime) -> None:
    """In naps, so that a changed clock or a suspended machine does not delay it for long."""
    while (left := (moment - datetime.now().astimezone()).total_seconds()) > 0:  # noqa: ASYNC110 - the clock is polled
        await asyncio.sleep(min(left, _LONGEST_SLEEP_SECONDS))
