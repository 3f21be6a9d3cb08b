"""The answers of the API that the client reads.

Fields that a newer server adds are kept, so `model_dump` has them, too. docs/reference/api.md says what the fields
mean.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

T = TypeVar("T")

# no file is larger than 8 EiB, and a larger number is an error in the calls of the operating system
FileBytes = Annotated[int, Field(ge=0, lt=2**63)]
FINAL_STATES = frozenset({"completed", "failed", "cancelled"})


class Answer(BaseModel):
    """The base of all answers."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def as_json(self) -> Any:
        """Returns the answer as JSON values."""
        return self.model_dump(mode="json")


class Page(Answer, Generic[T]):
    """A page of a list. `next` is the path of the following page, or None on the last page."""

    items: list[T]
    next: str | None = None


class LabelCounts(Answer):
    """The numbers of candidates of one label: found, kept, and rejected by reason."""

    found: int
    kept: int
    rejected: dict[str, int]


class ChunkCounts(Answer):
    """The numbers of chunks: all, and those that are done."""

    total: int
    done: int


class JobProgress(Answer):
    """The progress of a job."""

    chunks: ChunkCounts
    found: int
    kept: int
    rejected: int


class JobError(Answer):
    """The reason why a job failed."""

    code: str
    detail: str


class JobSummary(Answer):
    """One job in a list."""

    id: str
    name: str
    state: str
    created_at: datetime
    updated_at: datetime
    error: JobError | None

    @property
    def has_ended(self) -> bool:
        """Whether the job is in a final state."""
        return self.state in FINAL_STATES


class Job(JobSummary):
    """One job."""

    revision: int
    notice: str | None
    progress: JobProgress
    labels: dict[str, LabelCounts]
    rejections: dict[str, int]
    problems: list[str]
    problem_count: int
    links: dict[str, str]


class Outlook(Answer):
    """The effects that a spec would have. `refusals` are the problems that its submission would meet now.

    `estimate` has the likely size, duration and cost of the job, or is None if they are not known.
    """

    accepted: bool
    images_max: int | None
    warnings: list[JsonValue]
    refusals: list[JsonValue]
    estimate: dict[str, JsonValue] | None = None


class Record(Answer):
    """The outcome of one candidate."""

    index: int
    label: str
    url: str
    outcome: str
    reason: str | None = None
    detail: str | None = None


class Image(Answer):
    """One image of a dataset, or one that a job has kept so far. `n` is its id, which always names the same bytes."""

    n: str
    index: int
    label: str
    split: str | None
    license: str
    source: str
    format: str
    width: int
    height: int
    size_bytes: int


class Dataset(Answer):
    """One dataset. Its id is that of its job. `links` are the paths of the calls that are possible now."""

    id: str
    name: str
    revision: int
    image_count: int
    size_bytes: int
    tier: str
    format: str
    created_at: datetime
    labels: dict[str, LabelCounts]
    splits: dict[str, int]
    sha256: str | None
    keeping: dict[str, JsonValue]
    links: dict[str, str]
    diff: dict[str, int] | None = None


class Link(Answer):
    """One file and its link. `url` is None if the file is in the Archive tier."""

    url: str | None
    filename: str
    size_bytes: FileBytes


class FileLink(Link):
    """One file of a dataset. If `sha256` is None, `parts_sha256` has those of its parts of `part_bytes` each."""

    sha256: str | None
    part_bytes: Annotated[int, Field(gt=0)] | None
    parts_sha256: list[str]


class Links(Answer):
    """The links to a dataset's files. `notice` says why a file has none."""

    expires_at: datetime
    files: list[FileLink]
    records: Link | None
    notice: str | None


class User(Answer):
    """One user."""

    id: str
    name: str
    tier: str
    status: str
    created_at: datetime


class Profile(Answer):
    """The caller: tier, scopes, use and limits. The administrator of the app's settings has scopes only."""

    id: str
    name: str
    tier: str | None
    scopes: list[str]
    usage: dict[str, JsonValue] | None
    limits: dict[str, JsonValue] | None


class Key(Answer):
    """One API key, without its secret."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewKey(Key):
    """A key that was just made. `key` is its text, which is never shown again."""

    key: str


class Keys(Answer):
    """All keys of a user."""

    items: list[Key]


class ReportColumn(Answer):
    """One column of a report."""

    name: str


class Report(Answer):
    """A report with its rows."""

    name: str
    title: str
    columns: list[ReportColumn]
    rows: list[dict[str, JsonValue]]
    notice: str | None


class Health(Answer):
    """The health of the app. `checks` has its parts, if the key is an administrator's."""

    status: str
    checks: dict[str, JsonValue] | None = None


class UploadLink(Answer):
    """One request that stores a list. It needs no API key."""

    url: str
    headers: dict[str, str]


class StoredList(Answer):
    """A list of URLs. `blob` is the name by which a spec uses it, once `state` is `stored`."""

    id: str
    name: str
    blob: str
    state: str
    size_bytes: int
    created_at: datetime
    upload: UploadLink | None = None


class OptOut(Answer):
    """One opt-out. `kind` says what `value` is: an address, a host, or a hash of a file or a picture."""

    id: str
    kind: str
    value: str
    distance: int
    created_at: datetime
    created_by: str


class OptOutDataset(Answer):
    """A dataset with images that are opted out. `complete` is false if its records were not read to the end."""

    user_id: str
    dataset_id: str
    name: str
    revision: int
    images: int
    indices: list[int]
    complete: bool
