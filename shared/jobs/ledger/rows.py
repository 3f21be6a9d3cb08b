"""The rows of a job's ledger, and how a table keeps them."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.jobs.ledger.report import DiscoveryReport, report_change, report_of
from shared.jobs.ledger.tally import Tally
from shared.storage.cells import as_bytes, from_cells, to_cells
from shared.storage.entities import Change, Entity, Insert, Replace, Value

DISCOVERY = "discovery"
PROGRESS = "progress-"
CHUNK = "chunk-"


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk: its name (`shared.jobs.job.chunk_ids`), where its candidates are, how many, and whether it is done.

    `successors` are the chunks that took over what this one did not get to. `announcer` is who has taken it on to put
    its message on the queue, `announced` says that it was done. `transient` counts its candidates that failed for a
    transient reason and were not taken up again.
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
        """Whether two chunks took over, because this one crashed again and again."""
        return len(self.successors) > 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the chunks of a job are. `moved_at` is when a chunk was last added or done."""

    added: int = 0
    done: int = 0
    found: int = 0
    tally: Tally = field(default_factory=Tally)
    moved_at: datetime | None = None

    @property
    def transient(self) -> int:
        """Candidates that failed for a transient reason and are not under way again."""
        return self.tally.transient


@dataclass(frozen=True, slots=True)
class DiscoveryRow:
    """The saved discovery of a job: its state and its report, which are written together.

    Attributes:
        state: The state, as `DiscoveryStates` encodes it. It is empty if only a notice was saved so far.
        report: What the job's owner sees of it.
        etag: The version of the state's row. No report is written without a new version of the state.
    """

    state: bytes
    report: DiscoveryReport = field(default_factory=DiscoveryReport)
    etag: str = ""


def chunk_entity(job_id: str, chunk: ChunkRow) -> Entity:
    """A chunk as the table keeps it."""
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
    """The reverse of `chunk_entity`."""
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


def lane_change(job_id: str, lane: int, progress: Progress, version: str) -> Change:
    """The write of one of the progress rows; `version` is its etag, empty where it does not exist yet."""
    values: dict[str, Value] = {
        "added": progress.added,
        "done": progress.done,
        "found": progress.found,
        "folded_from": progress.tally.folded_from,
        **to_cells("tally", progress.tally.encode()),
    }
    if progress.moved_at is not None:
        values["moved_at"] = progress.moved_at
    entity = Entity(job_id, f"{PROGRESS}{lane}", values, version)
    return Replace(entity) if version else Insert(entity)


def lane_progress(entity: Entity) -> Progress:
    """One of the progress rows."""
    values = entity.values
    return Progress(
        added=_int(values["added"]),
        done=_int(values["done"]),
        found=_int(values["found"]),
        tally=Tally.decode(from_cells("tally", values), str(values.get("folded_from", ""))),
        moved_at=_moment(values.get("moved_at")),
    )


def discovery_changes(job_id: str, row: DiscoveryRow, now: datetime) -> list[Change]:
    """The writes of the state, which fails where its version is another one, and of the report."""
    entity = Entity(job_id, DISCOVERY, {"state": row.state}, row.etag)
    return [Replace(entity) if row.etag else Insert(entity), report_change(job_id, row.report, now)]


def discovery_row(entity: Entity, report: Entity | None) -> DiscoveryRow:
    """The reverse of `discovery_changes`."""
    return DiscoveryRow(as_bytes(entity.values["state"]), report_of(report), entity.etag)


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected an integer, found {type(value).__name__}")
    return value


def _moment(value: Value | None) -> datetime | None:
    return value if isinstance(value, datetime) else None
