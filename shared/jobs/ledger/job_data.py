"""Everything that is stored of jobs."""

from dataclasses import dataclass
from typing import Self

from shared.jobs.job.store import JobStore
from shared.jobs.ledger.chunks import ChunkLedger
from shared.jobs.ledger.discovery import DiscoveryStates
from shared.jobs.spec.spec import SpecReader
from shared.storage.storage import Storage


@dataclass(frozen=True, slots=True)
class JobData:
    """What is stored of jobs, and where: their rows and specs, their chunks, and how far their discovery is.

    `storage` has their working blobs, and the queues for their messages.
    """

    storage: Storage
    jobs: JobStore
    ledger: ChunkLedger
    discovery: DiscoveryStates

    @classmethod
    def over(cls, storage: Storage, specs: SpecReader) -> Self:
        """The data in this storage; `specs` reads the specs of the jobs."""
        ledger = ChunkLedger(storage.entities)
        jobs = JobStore(storage.entities, storage.blobs, specs)
        return cls(storage, jobs, ledger, DiscoveryStates(ledger, storage.blobs))
