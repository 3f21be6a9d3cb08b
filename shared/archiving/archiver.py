"""Makes datasets from records and shards (step 4 of a job).

A plan is made and stored first. Its parts may be written in any order, by any function instance. The instance that
writes the last part finishes the dataset.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto

from shared.archiving.formats.registry import format_of
from shared.archiving.order import Archived, ArchiveOrder
from shared.archiving.planning.parts import WrittenSlices, block_bytes_of
from shared.archiving.planning.plan import Plan
from shared.archiving.planning.planner import PlanConfig, Planner
from shared.archiving.planning.preview import PREVIEW, PreviewMaker
from shared.archiving.report.page import REPORT
from shared.archiving.texts.croissant import CROISSANT, encode_croissant, file_object, with_files
from shared.archiving.writing.part_ledger import PartLedger
from shared.archiving.writing.slices import SliceWriting
from shared.archiving.writing.write import commit_file, compute_sha256
from shared.clock import Deadline
from shared.concurrency import process_concurrently, task_group
from shared.errors import Conflict, NotFound
from shared.optouts.optout_list import OptOutList
from shared.records.blob_names import dataset_of, preview_blob, report_blob
from shared.records.delivered import FileChecksum
from shared.runtime import Runtime
from shared.storage.blobs import BlobAttributes, Tier
from shared.storage.joined_reads import Gaps, join_reads
from shared.storage.storage import Storage
from shared.telemetry import signals

_MB = 1_000_000
_COMMITS_AT_A_TIME = 8
_CHECKSUMS = "SHA256SUMS"
_PAGES = {PREVIEW: (preview_blob, "image/jpeg"), REPORT: (report_blob, "text/html; charset=utf-8")}
_PAGE_READS = Gaps(4 << 20)
# larger files of several parts get checksums of their parts only
_MAX_BYTES_TO_READ_AGAIN = 16 << 30


class Progress(Enum):
    """The result of a call of `Archiver.write_part`.

    OUT_OF_TIME: the part is incomplete; call again. PART_WRITTEN: the part is complete, and the caller has nothing more
    to do: other parts are missing, or another caller got ALL_WRITTEN. ALL_WRITTEN: all parts are complete, and the
    caller must finish the dataset. If it dies before that, its message is delivered again and gets ALL_WRITTEN again.
    """

    OUT_OF_TIME = auto()
    PART_WRITTEN = auto()
    ALL_WRITTEN = auto()


class Archiver:
    """Makes datasets. Every method may be repeated, also at the same time: it writes the same bytes."""

    def __init__(
        self,
        storage: Storage,
        runtime: Runtime,
        config: PlanConfig | None = None,
        previews: PreviewMaker | None = None,
        optouts: OptOutList | None = None,
    ) -> None:
        self._blobs = storage.blobs
        self._ledger = PartLedger(storage.entities)
        self._planner = Planner(storage.blobs, runtime, config or PlanConfig(), previews, optouts)
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry
        self._writing = SliceWriting(storage.blobs, runtime)

    async def begin(self, order: ArchiveOrder, deadline: Deadline) -> Plan:
        """Makes and stores the plan of the order, or loads it. The plan of a dataset without images has no files.

        If one part will do, and the format has images before texts, images are written while the texts are made, until
        the deadline passes. `write_part` continues there if it gets the same object.

        Raises:
            Permanent: something that the order needs is gone.
            Retryable: storage did not answer.
        """
        plan = await self.load_plan(order.work_prefix, order.digest)
        if plan is None:
            plan = await self._make_plan(order, deadline)
        slices = sum(len(part.slices) for part in plan.parts)
        plan.written = await self._ledger.open(order.job_id, order.digest, slices, self._clock.now())
        if plan.files:
            signals.dataset_upload_started(
                self._telemetry, job_id=order.job_id, image_count=len(plan.images), destination=order.prefix
            )
        return plan

    async def _make_plan(self, order: ArchiveOrder, deadline: Deadline) -> Plan:
        draft = await self._planner.draft(order)
        has_texts = asyncio.Event()
        async with task_group() as tasks:
            begun = tasks.create_task(
                self._writing.begin(draft.plan, lambda: has_texts.is_set() or deadline.passed)
            )
            plan = await self._planner.complete(draft)
            # the blocks that are composed already are sent while the plan is stored
            has_texts.set()
            plan = await self._planner.store(order, plan)
        plan.begun = begun.result()
        return plan

    async def load_plan(self, work_prefix: str, digest: str) -> Plan | None:
        """Loads the plan of the order with this digest; returns None if it is gone."""
        return await self._planner.load(work_prefix, digest)

    async def find_missing(self, plan: Plan) -> Sequence[int]:
        """Returns the numbers of the parts that are not complete yet, in order."""
        return _missing_parts(plan, (await self._written(plan)).digests)

    async def write_part(
        self,
        plan: Plan,
        number: int,
        deadline: Deadline,
        before_noted: Callable[[], Awaitable[None]] | None = None,
    ) -> Progress:
        """Writes the slices of a part that are missing, until the deadline passes.

        `before_noted` is called once the part is complete, before the ledger notes that. So if the ledger says that
        a part is complete, the call was made.

        Raises:
            Permanent: stored images are gone.
            Retryable: storage did not answer.
        """
        known = await self._written(plan)
        if not _missing_parts(plan, known.digests):
            return Progress.ALL_WRITTEN
        missing = [piece for piece in plan.parts[number].slices if known.digests[piece.number] is None]
        digests = await self._writing.write(plan, missing, deadline)
        complete = len(digests) == len(missing)
        if complete and digests and before_noted is not None:
            await before_noted()
        if digests:
            plan.written = await self._ledger.note(known, digests, self._clock.now())
            if plan.written is not None:
                return Progress.ALL_WRITTEN
        return Progress.PART_WRITTEN if complete else Progress.OUT_OF_TIME

    async def finish(self, plan: Plan, deadline: Deadline) -> Archived | None:
        """Commits the files of a plan whose parts are complete; returns None if parts must be written again.

        Raises:
            Retryable: storage did not answer.
        """
        known = await self._written(plan)
        if _missing_parts(plan, known.digests) or not await self._commit(plan, known):
            return None
        checksums = {
            plan.blob(file): await self._checksum(plan, number, known.digests, deadline)
            for number, file in enumerate(plan.files)
        }
        if plan.header.description and plan.files:
            data = _description(plan, checksums)
            checksums |= await self._put_text(plan, CROISSANT, data, "application/ld+json")
        if len(plan.files) > 1:
            data = _sha256sums(plan.header.prefix, checksums)
            checksums |= await self._put_text(plan, _CHECKSUMS, data, "text/plain; charset=utf-8")
        await self._copy_pages(plan)
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
            diff=plan.header.diff,
        )

    async def _written(self, plan: Plan) -> WrittenSlices:
        """Returns which slices are written, as the step before in this run has learned, or else as stored."""
        return plan.take_written() or await self._ledger.read(plan.header.job_id, plan.header.digest)

    async def _put_text(
        self, plan: Plan, file: str, data: bytes, media_type: str
    ) -> Mapping[str, FileChecksum]:
        """Stores a text file of the dataset; returns its checksum, by the blob's name."""
        name = f"{plan.header.prefix}{file}"
        await self._blobs.put(name, data, BlobAttributes(media_type, tier=Tier.HOT))
        return {name: FileChecksum(len(data), hashlib.sha256(data).hexdigest())}

    async def _copy_pages(self, plan: Plan) -> None:
        """Stores the plan's preview and report apart from the files, so that they stay readable in the Archive tier.

        If the working blobs are deleted, another run has done this before.
        """
        dataset = dataset_of(plan.header.prefix)
        if dataset is None:
            return
        pages = [text for text in plan.header.contents.texts if text.name in _PAGES]
        for read in join_reads(pages, lambda text: text.piece, _PAGE_READS):
            with contextlib.suppress(NotFound):
                data = await self._blobs.get(read.blob, offset=read.offset, length=read.size)
                for text in read.wanted:
                    name_of, media_type = _PAGES[text.name]
                    page = read.cut(data, text.piece)
                    await self._blobs.put(name_of(*dataset), page, BlobAttributes(media_type))

    async def _commit(self, plan: Plan, known: WrittenSlices) -> bool:
        """Commits all files; returns whether all blocks were there.

        If not, the ledger notes that the slices of the files that lack blocks must be written again.
        """
        incomplete: set[int] = set()

        async def commit(number: int) -> None:
            try:
                await commit_file(plan, plan.files[number], self._blobs)
            except Conflict:
                incomplete.add(number)

        await process_concurrently(range(len(plan.files)), commit, _COMMITS_AT_A_TIME)
        if incomplete:
            slices = [piece for part in plan.parts for piece in part.slices if piece.file in incomplete]
            again = [piece.number for piece in slices]
            await self._ledger.forget(known, again, self._clock.now())
        return not incomplete

    async def _checksum(
        self, plan: Plan, number: int, digests: Sequence[str | None], deadline: Deadline
    ) -> FileChecksum:
        """Returns the checksum of a file. If the file is one slice, it is that of the slice.

        If it is several slices, they are the checksums of the slices, and that of the whole file if time allows: it
        must be read for that.
        """
        file = plan.files[number]
        slices = [piece for part in plan.parts for piece in part.slices if piece.file == number]
        parts = tuple(digest for piece in slices if (digest := digests[piece.number]) is not None)
        if len(slices) == 1:
            return FileChecksum(file.size, parts[0])
        block_bytes = block_bytes_of(file.size, plan.header.block_bytes)
        part_bytes = (slices[0].end - slices[0].start) * block_bytes
        whole = None
        if file.size <= _MAX_BYTES_TO_READ_AGAIN:
            whole = await compute_sha256(plan.blob(file), file.size, self._blobs, deadline)
        return FileChecksum(file.size, whole, part_bytes, parts)


def _missing_parts(plan: Plan, digests: Sequence[str | None]) -> list[int]:
    done = {number for number, digest in enumerate(digests) if digest is not None}
    return [part.number for part in plan.parts if not done.issuperset(piece.number for piece in part.slices)]


def _description(plan: Plan, checksums: Mapping[str, FileChecksum]) -> bytes:
    """Returns croissant.json with the checksums of the files of images, which are not known before they are written."""
    encoding = format_of(plan.header.format).encoding
    files = [
        file_object(file.name.rpartition("/")[2], encoding, checksums[plan.blob(file)])
        for file in plan.files
        if file.kind == "images"
    ]
    return encode_croissant(with_files(plan.header.description, files))


def _sha256sums(prefix: str, checksums: Mapping[str, FileChecksum]) -> bytes:
    """Returns the text of SHA256SUMS, which `sha256sum --check` reads.

    Files whose checksum is not known are left out.
    """
    lines = [
        f"{found.sha256}  {name.removeprefix(prefix).rpartition('/')[2]}\n"
        for name, found in checksums.items()
        if found.sha256
    ]
    return "".join(lines).encode()
