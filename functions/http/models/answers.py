"""Models of the answers on jobs and datasets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

from pydantic import ConfigDict

from functions.http.declared import Model
from functions.http.models.keeping import KeepingAnswer
from functions.http.models.webhooks import WebhookAnswer
from shared.jobs.job.delivered import has_records
from shared.jobs.job.job import Job, WebhookState
from shared.jobs.job.states import State

if TYPE_CHECKING:
    from shared.datasets.dataset import Dataset
    from shared.jobs.ledger.report import DiscoveryReport
    from shared.jobs.ledger.rows import Progress
    from shared.jobs.webhooks.delivery import Delivery
    from shared.storage.blobs import BlobInfo

_API = "/api/v1"
_LINKS = ("download", "images", "preview", "report", "statistics", "duplicates")


class LabelCounts(Model):
    """The numbers of candidates of one label: found, kept, and rejected by reason."""

    found: int
    kept: int
    rejected: dict[str, int]


class ChunkCounts(Model):
    """The numbers of chunks: all, and those that are done."""

    total: int
    done: int


class JobProgress(Model):
    """The progress of a job. Found candidates that are neither kept nor rejected are not fetched yet."""

    chunks: ChunkCounts
    found: int
    kept: int
    rejected: int


class JobError(Model):
    """Why a job failed."""

    code: str
    detail: str


class JobAnswer(Model):
    """One job. `revision` is 1 for a new job, and each retry adds 1.

    `notice` says for which sources a discovering job waits, until when and why, how many candidates a cancelled job
    has processed, or that the owner's tier limited the dataset. `message_id` is the id of the queue message that
    submitted the job. `requested_id` is the `job_id` in a refused message.
    """

    id: str
    name: str
    state: State
    revision: int
    notice: str | None
    created_at: datetime
    updated_at: datetime
    progress: JobProgress
    labels: dict[str, LabelCounts]
    rejections: dict[str, int]
    problems: list[str]
    problem_count: int
    error: JobError | None
    webhook: WebhookAnswer | None
    message_id: str | None
    requested_id: str | None
    links: dict[str, str]

    @classmethod
    def of(
        cls,
        job: Job,
        progress: "Progress",
        dataset: "Dataset | None" = None,
        report: "DiscoveryReport | None" = None,
        *,
        can_retry: bool = False,
        delivery: "Delivery | None" = None,
    ) -> Self:
        """Returns the answer for a job. A completed job has the counts of its dataset, which include the duplicates."""
        from shared.jobs.ledger.tally import Tally

        completed = dataset is not None and job.state is State.COMPLETED
        tally = Tally(dataset.counts) if dataset is not None and completed else progress.tally
        kept = tally.kept
        return cls(
            id=job.id,
            name=job.name,
            state=job.state,
            revision=job.revision,
            notice=_notice(job, progress, report),
            created_at=job.created_at,
            updated_at=job.updated_at,
            progress=JobProgress(
                chunks=ChunkCounts(total=progress.added, done=progress.done),
                found=progress.found,
                kept=kept,
                rejected=tally.found - kept,
            ),
            labels=_labels(tally.counts),
            rejections=dict(tally.rejections),
            problems=list(report.problems) if report else [],
            problem_count=report.problem_count if report else 0,
            webhook=WebhookAnswer.of(job, delivery),
            error=JobError(code=job.failure.code, detail=job.failure.detail) if job.failure else None,
            message_id=job.message_id or None,
            requested_id=job.requested_id or None,
            links=_job_links(job, has_dataset=dataset is not None, can_retry=can_retry),
        )


class JobSummary(Model):
    """One job in a list."""

    id: str
    name: str
    state: State
    created_at: datetime
    updated_at: datetime
    error: JobError | None
    message_id: str | None
    requested_id: str | None
    links: dict[str, str]

    @classmethod
    def of(cls, job: Job) -> Self:
        """Returns the entry for a job."""
        return cls(
            id=job.id,
            name=job.name,
            state=job.state,
            created_at=job.created_at,
            updated_at=job.updated_at,
            error=JobError(code=job.failure.code, detail=job.failure.detail) if job.failure else None,
            message_id=job.message_id or None,
            requested_id=job.requested_id or None,
            links=_job_links(job, has_dataset=job.state is State.COMPLETED),
        )


class JobPage(Model):
    """A page of jobs, newest first. `next` is the path of the following page, or None on the last page."""

    items: list[JobSummary]
    next: str | None


class RefreshBody(Model):
    """What a refresh does beside asking the sources again.

    With `check`, hosts are asked whether known images have changed. With `remove_gone`, images leave the dataset that
    their sources no longer list or their hosts no longer have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    check: bool = False
    remove_gone: bool = False


class DiffCounts(Model):
    """How many images a refresh found to be of each kind, compared with the revision `since`."""

    since: int
    added: int
    changed: int
    gone: int
    opted_out: int
    dropped: int
    unchanged: int

    @classmethod
    def of(cls, dataset: "Dataset") -> Self | None:
        """Returns the counts of a dataset, or None if its job was never refreshed."""
        if dataset.diff is None or dataset.base_revision is None:
            return None
        return cls(since=dataset.base_revision, **dataset.diff)


class DatasetAnswer(Model):
    """One dataset. `diff` counts what its last refresh has changed; it is null before the first one.

    `links` has `diff` after a refresh, and `rehydrate` in place of `refresh` in the Archive tier.
    """

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
    diff: DiffCounts | None
    keeping: KeepingAnswer
    links: dict[str, str]

    @classmethod
    def of(cls, dataset: "Dataset", files: "Sequence[BlobInfo] | None" = None) -> Self:
        """Returns the answer for a dataset and, if they are known, its files that move between tiers."""
        path = f"{_API}/datasets/{dataset.id}"
        links = {name: f"{path}/{name}" for name in _LINKS}
        links |= {"self": path, "job": f"{_API}/jobs/{dataset.id}"}
        if dataset.diff is not None:
            links["diff"] = f"{path}/diff"
        possible = "rehydrate" if dataset.tier == "archive" else "refresh"
        links[possible] = f"{path}/{possible}"
        return cls(
            id=dataset.id,
            name=dataset.name,
            revision=dataset.revision,
            image_count=dataset.image_count,
            size_bytes=dataset.size_bytes,
            tier=dataset.tier,
            format=dataset.format,
            created_at=dataset.created_at,
            labels=_labels(dataset.counts),
            splits=dict(dataset.splits),
            sha256=dataset.sha256,
            diff=DiffCounts.of(dataset),
            keeping=KeepingAnswer.of(dataset, files),
            links=links,
        )


class DatasetPage(Model):
    """A page of datasets, newest first. `next` is the path of the following page, or None on the last page."""

    items: list[DatasetAnswer]
    next: str | None


def _labels(counts: Mapping[str, Mapping[str, int]]) -> dict[str, LabelCounts]:
    from shared.records.records import KEPT

    return {
        label: LabelCounts(
            found=sum(outcomes.values()),
            kept=outcomes.get(KEPT, 0),
            rejected={reason: number for reason, number in sorted(outcomes.items()) if reason != KEPT},
        )
        for label, outcomes in counts.items()
    }


def _notice(job: Job, progress: "Progress", report: "DiscoveryReport | None") -> str | None:
    if job.state is State.DISCOVERING:
        return (report.notice or None) if report else None
    if job.state is State.COMPLETED and job.limit_of_tier is not None and job.images >= job.limit_of_tier:
        return f"Limited: the dataset has {job.images:,} images, as many as the tier of its owner allowed for the job."
    if job.state is not State.CANCELLED:
        return None
    tally = progress.tally
    counts = f"{progress.found} candidates were found, {tally.found} processed, and {tally.kept} kept"
    return f"Cancelled: {counts}. A retry continues from here, until the job's working files are deleted."


def _job_links(job: Job, *, has_dataset: bool, can_retry: bool = False) -> dict[str, str]:
    """Returns the paths of the calls that are possible now. Lists have no `retry`, which needs a check for each job."""
    path = f"{_API}/jobs/{job.id}"
    links = {"self": path}
    if not job.state.terminal:
        links |= {"cancel": f"{path}/cancel", "images": f"{path}/images"}
    if can_retry:
        links["retry"] = f"{path}/retry"
    if has_dataset:
        dataset = f"{_API}/datasets/{job.id}"
        links |= {"dataset": dataset, "download": f"{dataset}/download"}
    if job.webhook is not WebhookState.NONE:
        links["deliveries"] = f"{path}/deliveries"
    if has_records(job) and (has_dataset or job.state is not State.COMPLETED):
        links["records"] = f"{path}/records/download"
    return links
