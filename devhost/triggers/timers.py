"""Timer triggers: they run functions on schedules, on one host at a time, and store a status blob."""

import asyncio
import contextlib
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from devhost.connections import Connections, first_line
from devhost.functions import Function, Outcome
from devhost.invoker import Invoker
from devhost.settings import HostSettings, StartError
from devhost.triggers.ncrontab import Schedule, parse_schedule
from devhost.worker.protos import TypedData

_log = logging.getLogger("devhost")

_CONTAINER = "azure-webjobs-hosts"
_LEASE_SECONDS = 60
_RELEASE_SECONDS = 2.0
_LONGEST_SLEEP_SECONDS = 3600.0
_SUB_MINUTE = timedelta(minutes=1)


class TimerListener:
    """Runs one function on its schedule. All hosts with the same id and storage have only one run at a time.

    Schedules are in local time, or in the time zone of the setting WEBSITE_TIME_ZONE.
    """

    def __init__(
        self, function: Function, invoker: Invoker, connections: Connections, settings: HostSettings
    ) -> None:
        trigger = function.trigger
        self._function = function
        self._invoker = invoker
        self._schedule = parse_schedule(settings.expand(str(trigger["schedule"])))
        self._zone = _zone(settings.environment.get("WEBSITE_TIME_ZONE", ""))
        self._monitored = trigger.get("useMonitor") is not False and not self._is_sub_minute()
        self._run_on_startup = bool(trigger.get("runOnStartup") or False)
        self._service = connections.blobs("AzureWebJobsStorage")
        self._status = self._blob(f"timers/{settings.host_id}/Host.Functions.{function.name}/status")
        self._lock = self._blob(f"locks/{settings.host_id}/Host.Functions.{function.name}.Listener")
        self._run_lock = asyncio.Lock()

    async def run(self) -> None:
        """Runs until cancelled: waits for the lease of the timer, and fires on schedule while this host has it."""
        while True:
            lease = await self._acquire()
            renewal = asyncio.create_task(self._renew(lease))
            firing = asyncio.create_task(self._fire_on_schedule())
            try:
                await asyncio.wait([renewal, firing], return_when=asyncio.FIRST_COMPLETED)
            finally:
                renewal.cancel()
                firing.cancel()
                ended = await asyncio.gather(renewal, firing, return_exceptions=True)
                # the lease ends by itself within a minute
                with contextlib.suppress(AzureError):
                    await lease.release()
            if isinstance(ended[1], Exception):
                raise ended[1]
            _log.warning("%s: the timer's lease is lost", self._function.name)

    async def settle(self, grace_seconds: float) -> None:
        """Begins no more runs, and waits a while for the current one."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._run_lock.acquire(), grace_seconds)

    async def fire(self, *, past_due: bool) -> Outcome:
        """Runs the function now. If it is running, waits for the end of that run first."""
        async with self._run_lock:
            status = await self._read_status()
            content = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
            reason = "The timer is past due" if past_due else "Timer fired"
            return await self._invoker.run(self._function, TypedData(json=json.dumps(content)), {}, reason)

    async def _fire_on_schedule(self) -> None:
        status = await self._read_status()
        now = datetime.now(UTC)
        due = _moment(status.get("Next")) if status else None
        if due is not None and due < now:
            await self.fire(past_due=True)
            await self._write_status(last=datetime.now(UTC))
        elif self._run_on_startup:
            await self.fire(past_due=False)
        elif status is None:
            await self._write_status(last=None)
        while True:
            following = next_run(self._schedule, datetime.now(UTC), self._zone)
            await _sleep_until(following)
            await self.fire(past_due=False)
            await self._write_status(last=following)

    async def _acquire(self) -> BlobLeaseClient:
        lease = BlobLeaseClient(self._lock)
        waiting = False
        while True:
            try:
                await self._ensure_lock()
                await _acquire_or_release(lease)
            except (AzureError, OSError) as error:
                if not waiting:
                    is_taken = isinstance(error, HttpResponseError) and error.status_code in {409, 412}
                    why = "another host has the timer" if is_taken else f"no lease: {first_line(error)}"
                    _log.log(
                        logging.INFO if is_taken else logging.WARNING, "%s: %s", self._function.name, why
                    )
                waiting = True
                await asyncio.sleep(5)
            else:
                return lease

    async def _ensure_lock(self) -> None:
        """Creates the blob of the lease. An existing blob is not changed, because another host may have its lease."""
        with contextlib.suppress(ResourceExistsError):
            await self._create(self._lock, b"", overwrite=False)

    async def _renew(self, lease: BlobLeaseClient) -> None:
        """Renews the lease, and returns when another host has it."""
        while True:
            await asyncio.sleep(_LEASE_SECONDS / 4)
            try:
                await lease.renew()
            except HttpResponseError as error:
                if error.status_code in {404, 409, 412}:
                    return
            except AzureError:
                # the next renewal may succeed
                continue

    async def _read_status(self) -> dict[str, Any] | None:
        if not self._monitored:
            return None
        try:
            download = await self._status.download_blob()
            found = json.loads(await download.readall())
        except (AzureError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    async def _write_status(self, last: datetime | None) -> None:
        if not self._monitored:
            return
        now = datetime.now(UTC)
        status = {
            "Last": (last or datetime(1, 1, 1, tzinfo=UTC)).isoformat(),
            "Next": next_run(self._schedule, now, self._zone).isoformat(),
            "LastUpdated": (last or now).isoformat(),
        }
        # only the next start needs the status
        with contextlib.suppress(AzureError):
            await self._create(self._status, json.dumps(status).encode())

    async def _create(self, blob: BlobClient, data: bytes, *, overwrite: bool = True) -> None:
        try:
            await blob.upload_blob(data, overwrite=overwrite)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                await self._service.create_container(_CONTAINER)
            await blob.upload_blob(data, overwrite=overwrite)

    def _blob(self, name: str) -> BlobClient:
        return self._service.get_blob_client(_CONTAINER, name)

    def _is_sub_minute(self) -> bool:
        first = next_run(self._schedule, datetime.now(UTC), self._zone)
        return next_run(self._schedule, first, self._zone) - first < _SUB_MINUTE


def next_run(schedule: Schedule, after: datetime, zone: ZoneInfo | None) -> datetime:
    """Returns the first time of a schedule that is later than `after`, in UTC, by the wall clock of a time zone.

    None means the time zone of the machine. A time that does not exist in spring is taken an hour later. A time that
    exists twice in autumn counts once.
    """
    if schedule.interval is not None:
        return after + schedule.interval
    wall = after.astimezone(zone).replace(tzinfo=None)
    found = schedule.next_after(wall)
    at = (found.replace(tzinfo=zone) if zone else found.astimezone()).astimezone(UTC)
    if at > after.astimezone(UTC):
        return at
    again = found.replace(fold=1)
    return (again.replace(tzinfo=zone) if zone else again.astimezone()).astimezone(UTC)


async def _acquire_or_release(lease: BlobLeaseClient) -> None:
    """Acquires a lease. If this is cancelled meanwhile, the lease is released, so that no host waits for its end."""
    acquiring = asyncio.ensure_future(lease.acquire(lease_duration=_LEASE_SECONDS))
    try:
        await asyncio.shield(acquiring)
    except asyncio.CancelledError:
        with contextlib.suppress(AzureError, OSError, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await acquiring
                await lease.release()
        raise


def _moment(text: object) -> datetime | None:
    """Returns a time from a status blob, or None if it is not valid. A time without a time zone is in UTC."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise StartError(f"WEBSITE_TIME_ZONE is {name!r}, which is not a known time zone.") from None


async def _sleep_until(moment: datetime) -> None:
    """Sleeps until a time, in short steps, so that a changed clock or a suspended machine delays it only shortly."""
    while (remaining := (moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110 - the clock is polled
        await asyncio.sleep(min(remaining, _LONGEST_SLEEP_SECONDS))
