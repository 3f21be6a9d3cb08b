"""Storage in memory and a runtime, for tests of other things."""

from shared.clock import Deadline, SystemClock
from shared.ids import RandomIds
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.jobs.flow.quotas import Quotas
from shared.jobs.ledger.job_data import JobData
from shared.jobs.submission.uploaded_list import ListLimits
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.runtime import Runtime
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.storage.storage import Storage
from shared.telemetry.recording import RecordingTelemetry
from shared.users.quotas.usage import UsageStore
from shared.users.store import UserStore
from shared.users.tiers import DEFAULT_TIERS


def memory_storage(blobs=None) -> Storage:
    """Returns a new storage account in memory, with these blobs if any are given."""
    return Storage(blobs or MemoryBlobs(), MemoryEntities(), MemoryQueues())


def quotas_of(storage: Storage, data: JobData) -> Quotas:
    """The quotas of the users in this storage, with the default tiers."""
    limits = OwnerLimits(UserStore(storage.entities), DEFAULT_TIERS, 10)
    return Quotas(UsageStore(storage.entities), limits, data.jobs, runtime_of())


def lists_of(storage: Storage) -> UploadedLists:
    """The uploaded lists of the users in this storage."""
    return UploadedLists(storage, runtime_of(), ListLimits(lists=10, bytes=1_000_000, unused_days=30))


def runtime_of(clock=None, telemetry=None) -> Runtime:
    """Returns a runtime with the system's time, random ids, and telemetry that records signals."""
    return Runtime(clock or SystemClock(), RandomIds(), telemetry or RecordingTelemetry())


def far_deadline() -> Deadline:
    """Returns a deadline that no test reaches."""
    return Deadline.after(SystemClock(), 1000)


async def blobs_about(blobs: MemoryBlobs, text: str) -> list[str]:
    """Returns the names of the blobs that contain the text."""
    return [info.name async for info in blobs.list("") if text in info.name]


def rows_about(entities: MemoryEntities, text: str) -> list[tuple[str, str, str]]:
    """Returns the table, the partition and the key of each row that contains the text in its keys or values."""
    return [
        (table, partition, row)
        for table, partitions in entities._tables.items()
        for partition, rows in partitions.items()
        for row, entity in rows.items()
        if text in f"{partition} {row} {entity.values}"
    ]
