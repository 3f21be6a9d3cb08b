"""Step 4 of a job, the part that knows archives: from records and shards to a dataset in storage.

A plan is made and stored, its parts are written in any order by anyone, and who writes the last one finishes.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto

from shared.archiving.order import Archived, ArchiveOrder
from shared.archiving.planning.parts import Slice, block_bytes_of
from shared.archiving.planning.plan import Plan
from shared.archiving.planning.planner import PlanConfig, Planner
from shared.archiving.writing.part_ledger import PartLedger
from shared.archiving.writing.write import checksum, commit_file, write_slice
from shared.clock import Deadline
from shared.concurrency import process_concurrently
from shared.errors import Conflict, Retryable
from shared.records.delivered import FileChecksum
from shared.runtime import Runtime
from shared.storage.blobs import BlobAttributes, Tier
from shared.storage.storage import Storage
from shared.telemetry import signals

_MB = 1_000_000
_COMMITS = 8
_PARTS = 1  # that a process writes at a time: a second one would take as much memory again, and save no time
_SUMS = "SHA256SUMS"
_MOST_READ_THROUGH = 16 << 30


class Written(Enum):
    """What a call of `Archiver.write` came to.

    LESS than the part, since time ran out: call again. The whole PART, while others are missing or somebody else has
    seen that none is. With it ALL: the caller is to finish; if it dies before that, its message comes again, and finds
    ALL written.
    """

    LESS = auto()
    PART = auto()
    ALL = auto()


class Archiver:
    """Makes datasets. Every method may be repeated, also at the same time: the bytes are the same."""

    def __init__(self, storage: Storage, runtime: Runtime, config: PlanConfig | None = None) -> None:
        self._blobs = storage.blobs
        self._ledger = PartLedger(storage.entities)
        self._planner = Planner(storage.blobs, runtime, config or PlanConfig())
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry
        self._writing = asyncio.Semaphore(_PARTS)

    async def begin(self, order: ArchiveOrder) -> Plan:
        """The plan of the order, stored. Where nothing was kept it has no files.

        Raises:
            Permanent: something that the order needs is gone.
            Retryable: storage did not answer.
        """
        plan = await self._planner.plan(order)
        slices = sum(len(part.slices) for part in plan.parts)
        await self._ledger.open(order.job_id, order.digest, slices)
        signals.dataset_upload_started(
            self._telemetry, job_id=order.job_id, image_count=len(plan.images), destination=order.prefix
        )
        return plan

    async def stored(self, work_prefix: str, digest: str) -> Plan | None:
        """A plan that was begun; None where it is gone."""
        return await self._planner.stored(work_prefix, digest)

    async def missing(self, plan: Plan) -> Sequence[int]:
        """The numbers of the parts that are not written yet."""
        written = await self._ledger.written(plan.header.job_id, plan.header.digest)
        return _missing(plan, written)

    async def write(
        self,
        plan: Plan,
        number: int,
        deadline: Deadline,
        go_on: Callable[[], Awaitable[None]] | None = None,
    ) -> Written:
        """Write a part, behind what is there of it; `go_on` is called before the whole of it is noted as written.

        So whoever finds it noted knows that this was done.

        Raises:
            Permanent: stored images are gone.
            Retryable: storage did not answer.
        """
        header = plan.header
        written = await self._ledger.written(header.job_id, header.digest)
        if not _missing(plan, written):
            return Written.ALL
        slices = [piece for piece in plan.parts[number].slices if written[piece.number] is None]
        digests: dict[int, bytes] = {}
        for piece in slices:
            async with self._writing:
                digest = None if digests and deadline.passed else await self._write(plan, piece, deadline)
            if digest is None:
                break
            digests[piece.number] = digest
        if go_on is not None and digests and len(digests) == len(slices):
            await go_on()
        if digests and await self._ledger.note(header.job_id, header.digest, digests):
            return Written.ALL
        return Written.PART if len(digests) == len(slices) else Written.LESS

    async def finish(self, plan: Plan, deadline: Deadline) -> Archived | None:
        """Make the files of their parts, once all of them are written; None where parts have to be written again."""
        written = await self._ledger.written(plan.header.job_id, plan.header.digest)
        if _missing(plan, written) or not await self._commit(plan):
            return None
        checksums = {
            plan.blob(file): await self._checksum(plan, number, written, deadline)
            for number, file in enumerate(plan.files)
        }
        if len(plan.files) > 1:
            name, data = f"{plan.header.prefix}{_SUMS}", _sums(plan.header.prefix, checksums)
            await self._blobs.put(name, data, BlobAttributes("text/plain; charset=utf-8", tier=Tier.HOT))
            checksums[name] = FileChecksum(len(data), hashlib.sha256(data).hexdigest())
        if plan.files:
            signals.dataset_upload_completed(
                self._telemetry,
                signals.UploadedDataset(
                    plan.blob(plan.files[0]), Tier.HOT, plan.size_bytes / _MB, len(plan.images)
                ),
                job_id=plan.header.job_id,
                duration_seconds=(self._clock.now() - plan.header.planned_at).total_seconds(),
            )
        return Archived(
            format=plan.header.format,
            blobs=tuple(checksums),
            records_blob=plan.header.records_blob,
            size_bytes=plan.size_bytes,
            image_count=len(plan.images),
            counts=plan.header.counts,
            splits=plan.header.split_counts,
            checksums=checksums,
        )

    async def _write(self, plan: Plan, piece: Slice, deadline: Deadline) -> bytes | None:
        """Write a slice, and report it."""
        began = self._clock.monotonic()
        failed: Exception | None = None
        try:
            return await write_slice(plan, piece, self._blobs, deadline)
        except Retryable as error:
            failed = error
            raise
        finally:
            file = plan.files[piece.file]
            size = min(
                file.size, (piece.end - piece.start) * block_bytes_of(file.size, plan.header.block_bytes)
            )
            signals.azure_blob_upload(
                self._telemetry,
                target=plan.blob(file),
                duration_seconds=self._clock.monotonic() - began,
                file_size_mb=size / _MB,
                error=failed,
            )

    async def _commit(self, plan: Plan) -> bool:
        """Commit all files, some at a time; False where blocks are gone, which then count as not written."""
        gone: set[int] = set()

        async def commit(number: int) -> None:
            try:
                await commit_file(plan, plan.files[number], self._blobs)
            except Conflict:
                gone.add(number)

        await process_concurrently(range(len(plan.files)), commit, _COMMITS)
        if gone:
            slices = [piece for part in plan.parts for piece in part.slices if piece.file in gone]
            again = [piece.number for piece in slices]
            await self._ledger.forget(plan.header.job_id, plan.header.digest, again)
        return not gone

    async def _checksum(
        self, plan: Plan, number: int, written: Sequence[str | None], deadline: Deadline
    ) -> FileChecksum:
        """By the slices of a file; where it has several, also by reading it through, as long as that is in time."""
        file = plan.files[number]
        slices = [piece for part in plan.parts for piece in part.slices if piece.file == number]
        digests = tuple(digest for piece in slices if (digest := written[piece.number]) is not None)
        if len(slices) == 1:
            return FileChecksum(file.size, digests[0])
        block_bytes = block_bytes_of(file.size, plan.header.block_bytes)
        part_bytes = (slices[0].end - slices[0].start) * block_bytes
        whole = None
        if file.size <= _MOST_READ_THROUGH:
            whole = await checksum(plan.blob(file), file.size, self._blobs, deadline)
        return FileChecksum(file.size, whole, part_bytes, digests)


def _missing(plan: Plan, written: Sequence[str | None]) -> list[int]:
    done = {number for number, digest in enumerate(written) if digest is not None}
    return [part.number for part in plan.parts if not done.issuperset(piece.number for piece in part.slices)]


def _sums(prefix: str, checksums: Mapping[str, FileChecksum]) -> bytes:
    """What `sha256sum --check` reads, of the files whose checksum is known."""
    lines = [
        f"{found.sha256}  {name.removeprefix(prefix).rpartition('/')[2]}\n"
        for name, found in checksums.items()
        if found.sha256
    ]
    return "".join(lines).encode()
