"""The state of a job's discovery: every save of a chunk writes it, and the next run reads it."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from shared.damage import reading
from shared.jobs.job.chunk_ids import chunk_id
from shared.jobs.ledger.chunks import ChunkLedger
from shared.jobs.ledger.rows import DiscoveryRow
from shared.records.blob_names import discovery_blob
from shared.storage.blobs import BlobStore

_MAX_CELL_BYTES = 60_000


WHOLE_JOB = ""
"""Stands for all labels together where streams skip candidates: the job as a whole has found enough."""


@dataclass(slots=True)
class StreamState:
    """The state of one query of one source.

    Attributes:
        cursor: The cursor after the last page that was taken whole; None before the first.
        ended: Whether the stream is not visited any more.
        failures: How often the source has failed since its last page.
        gave_up: Whether it ended because its source failed. A retry of the job asks the source again.
        waited_seconds: How long the source has asked to wait since its last page.
        wait_until: The moment, in seconds since 1970, before which the source is not asked again; 0 for none.
        wait_reason: Why it is not asked before; empty for short waits.
        skipped_labels: The labels of which the source has candidates that were not taken, since the label was full.
        skipped_at: The cursor before the first page with a skipped candidate.
    """

    cursor: str | None = None
    ended: bool = False
    failures: int = 0
    gave_up: bool = False
    waited_seconds: float = 0.0
    wait_until: float = 0.0
    wait_reason: str = ""
    skipped_labels: list[str] = field(default_factory=list)
    skipped_at: str | None = None

    def reopen(self) -> None:
        """Has the source asked again from the cursor on, as if it had never failed."""
        self.ended, self.gave_up, self.failures, self.wait_until = False, False, 0, 0.0

    def skip(self, label: str) -> None:
        """Notes that the label is full, and that the source has more of it from the cursor on."""
        if not self.skipped_labels:
            self.skipped_at = self.cursor
        if label not in self.skipped_labels:
            self.skipped_labels.append(label)


@dataclass(slots=True)
class RescanState:
    """The place of a retry's rescan: it goes on after the chunk `after`, up to the chunk numbered `until`."""

    until: int
    after: str = ""


@dataclass(slots=True)
class RefreshState:
    """How far a refresh is.

    Attributes:
        began: The revision that it began as.
        base: The revision of the dataset that it starts from.
        first_index: The index of the first candidate that the dataset did not know.
        known_blob: The blob with the keys of the known candidates.
        listed_blob: The blob with the marks of known candidates that sources have listed; empty if there are none.
        listed: The number of known candidates that sources have listed.
        lines: The number of lines of the dataset's records that are taken over.
        taken_over: Whether all lines are taken over.
    """

    began: int
    base: int
    first_index: int
    known_blob: str
    listed_blob: str = ""
    listed: int = 0
    lines: int = 0
    taken_over: bool = False


@dataclass(slots=True)
class DiscoveryState:
    """Everything that discovery stores between two runs.

    Attributes:
        streams: The states of the streams that were visited, by source position and query key.
        found: How many candidates were found, by label.
        chunks: How many chunks were added.
        candidates: How many candidates were added.
        announced: Up to which chunk number discovery has announced chunks.
        complete: Whether all streams have ended.
        seen_blob: The blob with the keys of all candidates of the first `seen_chunks` chunks.
        seen_chunks: How many chunks the blob covers.
        revision: The job's revision that the state belongs to.
        rescan: The place of the rescan; None if no rescan is under way.
        round: The job's round that the state belongs to.
        raised_limits: How many candidates a label, or the whole job, takes in all, if an earlier round left it short.
        unlimited_labels: The labels of candidates from streams without a limit, which are lists and websites.
        refresh: How far the last refresh is; None if the job was never refreshed.
        chunks_before: The number of the last chunk before that refresh. Chunks up to it no longer count.
    """

    streams: dict[str, StreamState] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    chunks: int = 0
    candidates: int = 0
    announced: int = 0
    complete: bool = False
    seen_blob: str = ""
    seen_chunks: int = 0
    revision: int = 1
    rescan: RescanState | None = None
    round: int = 0
    raised_limits: dict[str, int] = field(default_factory=dict)
    unlimited_labels: set[str] = field(default_factory=set)
    refresh: RefreshState | None = None
    chunks_before: int = 0

    def begin_round(self, number: int, wanted: Mapping[str, int]) -> None:
        """Goes to the job's next round: visits again the streams that have more of the wanted labels."""
        self.round = number
        self.raised_limits.update(wanted)
        for stream in self.streams.values():
            if not wanted.keys().isdisjoint(stream.skipped_labels):
                stream.cursor, stream.skipped_labels, stream.skipped_at = stream.skipped_at, [], None
                stream.reopen()
                self.complete = False

    def begin_revision(self, revision: int) -> None:
        """Goes to the job's next revision: starts a rescan, and visits again the streams that were given up."""
        self.revision = revision
        self.rescan = RescanState(self.chunks, self.counted_after)
        for stream in self.streams.values():
            if stream.gave_up:
                stream.reopen()
                self.complete = False

    @property
    def counted_after(self) -> str:
        """The text after which the ids of all chunks are that count. It is empty if the job was never refreshed."""
        # the tilde is behind the halves of the chunk
        return f"{chunk_id(self.chunks_before)}~" if self.chunks_before else ""

    @property
    def sought(self) -> int:
        """How many candidates the sources have given: new ones and, in a refresh, known ones that they list."""
        refresh = self.refresh
        return self.candidates if refresh is None else self.candidates - refresh.first_index + refresh.listed

    def lists_all_of(self, label: str) -> bool:
        """Returns whether all sources were asked for all that they have of a label, and answered."""
        unseen = {label, WHOLE_JOB}
        return not any(
            stream.gave_up or not unseen.isdisjoint(stream.skipped_labels) for stream in self.streams.values()
        )

    @property
    def can_continue(self) -> bool:
        """Whether a retry may find more candidates."""
        return not self.complete or any(stream.gave_up for stream in self.streams.values())


_adapter = TypeAdapter(DiscoveryState)


class DiscoveryStates:
    """Reads and encodes the state. It stands in the ledger's row, or in a blob that the row names if it is too long."""

    def __init__(self, ledger: ChunkLedger, blobs: BlobStore) -> None:
        self._ledger = ledger
        self._blobs = blobs

    async def read(self, job_id: str) -> tuple[DiscoveryState, DiscoveryRow]:
        """Returns the state, and the row that it was read from; new ones if discovery has not begun.

        Raises:
            Damaged: it is gone or cannot be read.
        """
        row = await self._ledger.discovery(job_id) or DiscoveryRow(b"")
        return await self._decoded(row.state), row

    async def state(self, job_id: str) -> DiscoveryState:
        """Returns the state, by one call if it stands in the row; a new one if discovery has not begun.

        Raises:
            Damaged: it is gone or cannot be read.
        """
        return await self._decoded(await self._ledger.state(job_id))

    async def _decoded(self, data: bytes) -> DiscoveryState:
        if not data:
            return DiscoveryState()
        with reading("the state of the job's discovery"):
            if data.startswith(b"blob:"):
                data = await self._blobs.get(data.removeprefix(b"blob:").decode())
            return _adapter.validate_json(zlib.decompress(data))

    async def encode(self, job_id: str, state: DiscoveryState, nonce: str) -> bytes:
        """Returns the bytes to store in the row. If the state needs a blob, the blob is written before."""
        data = zlib.compress(_adapter.dump_json(state, exclude_defaults=True))
        if len(data) <= _MAX_CELL_BYTES:
            return data
        name = discovery_blob(job_id, state.chunks, nonce)
        await self._blobs.put(name, data)
        return b"blob:" + name.encode()
