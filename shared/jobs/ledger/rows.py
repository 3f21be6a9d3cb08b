"""Defines the rows of a job's ledger, and converts them to table rows and back."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.jobs.ledger.activity import Activity
from shared.jobs.ledger.report import DiscoveryReport, report_change, report_of
from shared.jobs.ledger.tally import Tally
from shared.storage.cells import as_bytes, from_cells, to_cells
from shared.storage.entities import Change, Entity, Insert, Replace, Value

DISCOVERY = "discovery"
PROGRESS = "progress-"
CHUNK = "chunk-"


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk.

    Attributes:
        id: Its name, see `shared.jobs.job.chunk_ids`.
        candidates_blob: The blob that holds its candidates.
        count: How many candidates it has.
        done: Whether it is done.
        successors: The names of the chunks that have its unprocessed candidates.
        announcer: Who has undertaken to send its message: the name of another chunk, or "discovery". Empty for nobody.
        announced: Whether the announcer has sent the message.
        transient: How many of its candidates failed for a transient reason and were not retried.
        etag: The version of the stored row.
    """

    id: str
    candidates_blob: str
    count: int
    done: bool = False
    successors: tuple[str, ...] = ()
    announcer: str = ""
    announced: bool = False
    transient: int = 0
    etag: str = ""

    @property
    def halved(self) -> bool:
        """Whether the chunk was divided into two, because it crashed again and again."""
        return len(self.successors) > 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the chunks of a job are.

    Attributes:
        added: How many chunks were added.
        done: How many of them are done.
        found: How many candidates were found.
        tally: The outcomes of the candidates of done chunks.
        moved_at: When a chunk was last added or done.
        activity: When chunks of this lane were done. The progress of a whole job leaves it out.
    """

    added: int = 0
    done: int = 0
    found: int = 0
    tally: Tally = field(default_factory=Tally)
    moved_at: datetime | None = None
    activity: Activity = field(default_factory=Activity)

    @property
    def transient(self) -> int:
        """How many candidates failed for a transient reason and were not retried."""
        return self.tally.transient


@dataclass(frozen=True, slots=True)
class DiscoveryRow:
    """The stored discovery of a job: its state and its report, which are written together.

    Attributes:
        state: The state, as `DiscoveryStates` encodes it. It is empty if only a notice was saved so far.
        report: What the job's owner sees of discovery.
        etag: The version of the state's row, which changes with the report too. Empty if nothing is stored.
    """

    state: bytes
    report: DiscoveryReport = field(default_factory=DiscoveryReport)
    etag: str = ""


def chunk_entity(job_id: str, chunk: ChunkRow) -> Entity:
    """Returns the table row of a chunk."""
    values: dict[str, Value] = {
        "candidates_blob": chunk.candidates_blob,
        "count": chunk.count,
        "done": chunk.done,
        "successors": " ".join(chunk.successors),
        "announcer": chunk.announcer,
        "announced": chunk.announced,
        "transient": chunk.transient,
    }
    return Entity(job_id, CHUNK + chunk.id, values, chunk.etag)


def chunk_row(entity: Entity) -> ChunkRow:
    """Reverses `chunk_entity`."""
    values = entity.values
    return ChunkRow(
        id=entity.row.removeprefix(CHUNK),
        candidates_blob=str(values["candidates_blob"]),
        count=_int(values["count"]),
        done=bool(values["done"]),
        successors=tuple(str(values["successors"]).split()),
        announcer=str(values["announcer"]),
        announced=bool(values["announced"]),
        transient=_int(values["transient"]),
        etag=entity.etag,
    )


def lane_row(lane: int) -> str:
    """Returns the key of a lane's row."""
    return f"{PROGRESS}{lane:02}"


def lane_change(job_id: str, lane: int, progress: Progress, version: str) -> Change:
    """Returns the change that writes a lane. `version` is the lane's etag, or empty if it does not exist yet."""
    values: dict[str, Value] = {
        "added": progress.added,
        "done": progress.done,
        "found": progress.found,
        "folded_from": progress.tally.folded_from,
        "activity": progress.activity.encode(),
        **to_cells("tally", progress.tally.encode()),
    }
    if progress.moved_at is not None:
        values["moved_at"] = progress.moved_at
    entity = Entity(job_id, lane_row(lane), values, version)
    return Replace(entity) if version else Insert(entity)


def lane_progress(entity: Entity) -> Progress:
    """Returns the progress that a lane counts."""
    values = entity.values
    return Progress(
        added=_int(values["added"]),
        done=_int(values["done"]),
        found=_int(values["found"]),
        tally=Tally.decode(from_cells("tally", values), str(values.get("folded_from", ""))),
        moved_at=_moment(values.get("moved_at")),
        activity=Activity.decode(str(values.get("activity", ""))),
    )


def discovery_changes(job_id: str, row: DiscoveryRow, now: datetime) -> list[Change]:
    """Returns the changes that write the state and the report. The first fails if the state has another version."""
    entity = Entity(job_id, DISCOVERY, {"state": row.state}, row.etag)
    return [Replace(entity) if row.etag else Insert(entity), report_change(job_id, row.report, now)]


def discovery_row(entity: Entity, report: Entity | None) -> DiscoveryRow:
    """Reverses `discovery_changes`."""
    return DiscoveryRow(as_bytes(entity.values["state"]), report_of(report), entity.etag)


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected an integer, found {type(value).__name__}")
    return value


def _moment(value: Value | None) -> datetime | None:
    return value if isinstance(value, datetime) else None
