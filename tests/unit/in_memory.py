"""Storage in memory, and what services get from a process, for tests that are about other things."""

from shared.clock import SystemClock
from shared.ids import RandomIds
from shared.runtime import Runtime
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.storage.storage import Storage
from shared.telemetry.recording import RecordingTelemetry


def memory_storage(blobs=None) -> Storage:
    """A storage account of its own, with these blobs if any are given."""
    return Storage(blobs or MemoryBlobs(), MemoryEntities(), MemoryQueues())


def runtime_of(clock=None, telemetry=None) -> Runtime:
    """The system's time and random ids; signals are recorded."""
    return Runtime(clock or SystemClock(), RandomIds(), telemetry or RecordingTelemetry())
