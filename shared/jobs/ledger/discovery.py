"""Where a job's discovery stands, between two slices of it: saved with every chunk, read by the next run."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from shared.damage import reading
from shared.jobs.ledger.chunks import ChunkLedger
from shared.jobs.ledger.rows import DiscoveryRow
from shared.records.blob_names import discovery_blob
from shared.storage.blobs import BlobStore

_MAX_CELL_BYTES = 60_000


@dataclass(slots=True)
class StreamState:
    """One query of one source: its cursor, and whether it has ended; `failures` counts those in a row.

    `waited_seconds` is how long the source has asked to wait since its last page. `until` is when it is to be asked
    again, in seconds since 1970, and `why` says why not before; that is empty where the wait is short.
    `gave_up` says that it ended because its source failed; a retry of the job asks it again. `left` are the labels of
    which it has more than was taken, since they were full, and `left_at` is the cursor before the first page of that.
    """

    cursor: str | None = None
    ended: bool = False
    failures: int = 0
    gave_up: bool = False
    waited_seconds: float = 0.0
    until: float = 0.0
    why: str = ""
    left: list[str] = field(default_factory=list)
    left_at: str | None = None

    def open(self) -> None:
        """Have it asked again, from its cursor on, as if it had never failed."""
        self.ended, self.gave_up, self.failures, self.until = False, False, 0, 0.0

    def leave(self, label: str) -> None:
        """Note that the label is full, and something of it is left from the cursor on."""
        if not self.left:
            self.left_at = self.cursor
        if label not in self.left:
            self.left.append(label)


@dataclass(slots=True)
class RescanState:
    """How far a retry has looked through the chunks before it: behind `after`, up to the chunk numbered `until`."""

    until: int
    after: str = ""


@dataclass(slots=True)
class DiscoveryState:
    """Everything that discovery knows. `streams` is by source position and query key, absent where untouched.

    `chunks` and `candidates` count what was added; up to `announced`, chunks have had their message sent. `found` is
    by label. `seen_blob` holds the keys of all candidates of the first `seen_chunks` chunks. `revision` is the job's
    that this state has been brought to, and so is `round`; `rescan` is None where nothing is to be looked through.
    `most` is how many candidates a label takes that an earlier round left short. `listed` are the labels of what no
    limit was set for: lists and websites.
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
    most: dict[str, int] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)

    def go_on(self, number: int, wanted: Mapping[str, int]) -> None:
        """Go to the job's next round: take up what was left of the labels that want more."""
        self.round = number
        self.most.update(wanted)
        for stream in self.streams.values():
            if not wanted.keys().isdisjoint(stream.left):
                stream.cursor, stream.left, stream.left_at = stream.left_at, [], None
                stream.open()
                self.complete = False

    def begin(self, revision: int) -> None:
        """Go to the job's next revision: look through what failed, ask the sources again that gave up."""
        self.revision = revision
        self.rescan = RescanState(self.chunks)
        for stream in self.streams.values():
            if stream.gave_up:
                stream.open()
                self.complete = False

    @property
    def can_continue(self) -> bool:
        """Whether a retry may find more candidates."""
        return not self.complete or any(stream.gave_up for stream in self.streams.values())


_adapter = TypeAdapter(DiscoveryState)


class DiscoveryStates:
    """Reads and writes the state: in the ledger's row, or in a blob that the row names where it is too long."""

    def __init__(self, ledger: ChunkLedger, blobs: BlobStore) -> None:
        self._ledger = ledger
        self._blobs = blobs

    async def read(self, job_id: str) -> tuple[DiscoveryState, DiscoveryRow]:
        """The state and the row it came from; fresh ones where discovery has not begun.

        Raises:
            Damaged: it is gone or cannot be read.
        """
        row = await self._ledger.discovery(job_id)
        if row is None or not row.state:
            return DiscoveryState(), row or DiscoveryRow(b"")
        data = row.state
        with reading("the state of the job's discovery"):
            if data.startswith(b"blob:"):
                data = await self._blobs.get(data.removeprefix(b"blob:").decode())
            return _adapter.validate_json(zlib.decompress(data)), row

    async def encode(self, job_id: str, state: DiscoveryState, nonce: str) -> bytes:
        """What to store in the row; writes the blob first where one is needed."""
        data = zlib.compress(_adapter.dump_json(state, exclude_defaults=True))
        if len(data) <= _MAX_CELL_BYTES:
            return data
        name = discovery_blob(job_id, state.chunks, nonce)
        await self._blobs.put(name, data)
        return b"blob:" + name.encode()
