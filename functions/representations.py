"""What the API's answers on jobs and datasets look like."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from pydantic import BaseModel

from shared.datasets.catalog import Download
from shared.datasets.dataset import Dataset
from shared.delivered import FileChecksum
from shared.jobs.job import Job, Webhook, WebhookState
from shared.jobs.ledger_rows import Progress
from shared.jobs.states import State
from shared.jobs.tally import KEPT, Tally
from shared.storage.blobs import Link

_API = "/api/v1"


class LabelCounts(BaseModel):
    """One label's candidates: all that were found, those kept, the rejected by reason."""

    found: int
    kept: int
    rejected: dict[str, int]


class ChunkCounts(BaseModel):
    """Chunks of work, all and done."""

    total: int
    done: int


class JobProgress(BaseModel):
    """How far a job is; found candidates that are neither kept nor rejected are still to be fetched."""

    chunks: ChunkCounts
    found: int
    kept: int
    rejected: int


class JobError(BaseModel):
    """Why a job failed."""

    code: str
    detail: str


class WebhookAnswer(BaseModel):
    """What became of the call of the job's webhook: "pending", "delivered" or "failed", and how its last try ended."""

    state: WebhookState
    tries: int
    status: int | None
    error: str | None
    at: datetime | None

    @classmethod
    def of(cls, webhook: Webhook) -> Self | None:
        """The answer for a webhook; None where none is wanted."""
        if webhook.state is WebhookState.NONE:
            return None
        error = webhook.error or None
        return cls(
            state=webhook.state, tries=webhook.tries, status=webhook.status, error=error, at=webhook.at
        )


class JobAnswer(BaseModel):
    """One job. `revision` is 1, and one more with each retry; `notice` says what became of a job that was cancelled.

    `message_id` is that of the queue message that the job came in; `requested_id` the `job_id` that this one asked for,
    where it was refused.
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
        progress: Progress,
        dataset: Dataset | None = None,
        problems: tuple[int, tuple[str, ...]] = (0, ()),
    ) -> Self:
        """The answer for a job; once it has a dataset, the counts are the dataset's, duplicates included."""
        whole = dataset is not None and job.state is State.COMPLETED
        tally = Tally(dataset.counts) if dataset is not None and whole else progress.tally
        kept = tally.kept
        return cls(
            id=job.id,
            name=job.name,
            state=job.state,
            revision=job.revision,
            notice=_notice(job, progress),
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
            problems=list(problems[1]),
            problem_count=problems[0],
            webhook=WebhookAnswer.of(job.webhook),
            error=JobError(code=job.failure.code, detail=job.failure.detail) if job.failure else None,
            message_id=job.message_id or None,
            requested_id=job.requested_id or None,
            links=_job_links(job, has_dataset=dataset is not None),
        )


class JobSummary(BaseModel):
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
        """The entry for a job."""
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


class JobPage(BaseModel):
    """A page of jobs, newest first; `next` is the path of the following page."""

    items: list[JobSummary]
    next: str | None


class DatasetAnswer(BaseModel):
    """One dataset."""

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
    links: dict[str, str]

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """The answer for a dataset."""
        path = f"{_API}/datasets/{dataset.id}"
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
            links={"self": path, "download": f"{path}/download", "job": f"{_API}/jobs/{dataset.id}"},
        )


class DatasetPage(BaseModel):
    """A page of datasets, newest first; `next` is the path of the following page."""

    items: list[DatasetAnswer]
    next: str | None


class DownloadLink(BaseModel):
    """One file, and where it can be downloaded."""

    url: str
    filename: str
    size_bytes: int | None


class DownloadFile(DownloadLink):
    """One file of a dataset. Where `sha256` is not known, `parts_sha256` is that of each `part_bytes` of the file."""

    sha256: str | None
    part_bytes: int | None
    parts_sha256: list[str]

    @classmethod
    def of(cls, name: str, link: Link, checksum: FileChecksum | None) -> Self:
        """The answer for a file."""
        return cls(
            url=link.url,
            filename=name,
            size_bytes=checksum.size_bytes if checksum else None,
            sha256=checksum.sha256 if checksum else None,
            part_bytes=checksum.part_bytes if checksum else None,
            parts_sha256=list(checksum.parts) if checksum else [],
        )


class DownloadAnswer(BaseModel):
    """Where a dataset can be downloaded until `expires_at`; `url` is the first file's, mostly the only one.

    `records` has a line for each candidate, with what became of it.
    """

    url: str
    filename: str
    expires_at: datetime
    size_bytes: int
    sha256: str | None
    files: list[DownloadFile]
    records: DownloadLink | None

    @classmethod
    def of(cls, download: Download) -> Self:
        """The answer for a download."""
        dataset = download.dataset
        checksums = [dataset.checksums.get(blob) for blob in dataset.blobs]
        files = [
            DownloadFile.of(name, link, checksum)
            for (name, link), checksum in zip(download.files, checksums, strict=True)
        ]
        return cls(
            url=files[0].url,
            filename=files[0].filename,
            expires_at=download.expires_at,
            size_bytes=dataset.size_bytes,
            sha256=dataset.sha256,
            files=files,
            records=_records_link(download),
        )


def _records_link(download: Download) -> DownloadLink | None:
    if download.records is None:
        return None
    name, link, size_bytes = download.records
    return DownloadLink(url=link.url, filename=name, size_bytes=size_bytes)


def _labels(counts: Mapping[str, Mapping[str, int]]) -> dict[str, LabelCounts]:
    return {
        label: LabelCounts(
            found=sum(outcomes.values()),
            kept=outcomes.get(KEPT, 0),
            rejected={reason: number for reason, number in sorted(outcomes.items()) if reason != KEPT},
        )
        for label, outcomes in counts.items()
    }


def _notice(job: Job, progress: Progress) -> str | None:
    if job.state is not State.CANCELLED:
        return None
    done = f"{progress.tally.found} of {progress.found} candidates found were worked through"
    return f"Cancelled: {done} and {progress.tally.kept} images kept. They stay for a while; a retry goes on from here."


def _job_links(job: Job, *, has_dataset: bool) -> dict[str, str]:
    path = f"{_API}/jobs/{job.id}"
    action = "retry" if job.state.terminal else "cancel"
    links = {"self": path, action: f"{path}/{action}"}
    if has_dataset:
        dataset = f"{_API}/datasets/{job.id}"
        links |= {"dataset": dataset, "download": f"{dataset}/download"}
    return links
