"""Groups the stores of all data of jobs."""

from dataclasses import dataclass
from typing import Self

from shared.jobs.job.store import JobStore
from shared.jobs.ledger.chunks import ChunkLedger
from shared.jobs.ledger.discovery import DiscoveryStates
from shared.jobs.spec.spec import SpecReader
from shared.storage.storage import Storage


@dataclass(frozen=True, slots=True)
class JobData:
    """The stores of all data of jobs.

    Attributes:
        storage: The working blobs of jobs, and the queues for their messages.
        jobs: The rows and specs of jobs.
        ledger: Their chunks and progress.
        discovery: The states of their discovery.
    """

    storage: Storage
    jobs: JobStore
    ledger: ChunkLedger
    discovery: DiscoveryStates

    @classmethod
    def over(cls, storage: Storage, specs: SpecReader) -> Self:
        """Makes the stores over this storage. `specs` reads the specs of jobs."""
        ledger = ChunkLedger(storage.entities)
        jobs = JobStore(storage.entities, storage.blobs, specs)
        return cls(storage, jobs, ledger, DiscoveryStates(ledger, storage.blobs))
