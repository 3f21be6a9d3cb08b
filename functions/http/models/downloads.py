"""Models of the answers with links to files."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from functions.http.declared import Model
from functions.http.models.answers import DiffCounts

if TYPE_CHECKING:
    from shared.datasets.dataset import Dataset
    from shared.datasets.downloads import Download, SavedFile
    from shared.records.delivered import FileChecksum


class DownloadLink(Model):
    """One file and its link. `url` is null if the file is in the Archive tier, where it cannot be read."""

    url: str | None
    filename: str
    size_bytes: int
    tier: str | None

    @classmethod
    def of_file(cls, file: "SavedFile") -> Self:
        """Returns the answer for a file without checksums."""
        return cls(
            url=file.link.url if file.link else None,
            filename=file.name,
            size_bytes=file.size_bytes,
            tier=file.tier,
        )


class DownloadFile(DownloadLink):
    """One file of a dataset. If `sha256` is null, `parts_sha256` has those of its parts of `part_bytes` each."""

    sha256: str | None
    part_bytes: int | None
    parts_sha256: list[str]

    @classmethod
    def of(cls, file: "SavedFile", checksum: "FileChecksum | None") -> Self:
        """Returns the answer for a file."""
        return cls(
            **DownloadLink.of_file(file).model_dump(),
            sha256=checksum.sha256 if checksum else None,
            part_bytes=checksum.part_bytes if checksum else None,
            parts_sha256=list(checksum.parts) if checksum else [],
        )


class DownloadAnswer(Model):
    """The links to a dataset's files, which are valid until `expires_at`. `url` is that of the first file.

    A ZIP is a single file. `records` has a line for each candidate with its outcome. `notice` says why a file has no
    `url`.
    """

    url: str | None
    filename: str
    expires_at: datetime
    size_bytes: int
    sha256: str | None
    files: list[DownloadFile]
    records: DownloadLink | None
    notice: str | None

    @classmethod
    def of(cls, download: "Download") -> Self:
        """Returns the answer for a download."""
        from shared.datasets.downloads import in_archive_tier

        dataset = download.dataset
        files = [DownloadFile.of(file, dataset.checksums.get(file.blob)) for file in download.files]
        archived = any(file.url is None for file in files)
        return cls(
            url=files[0].url,
            filename=files[0].filename,
            expires_at=download.expires_at,
            size_bytes=dataset.size_bytes,
            sha256=dataset.sha256,
            files=files,
            records=DownloadLink.of_file(download.records) if download.records else None,
            notice=in_archive_tier(dataset.id) if archived else None,
        )


class DiffAnswer(Model):
    """What the last refresh of a dataset has changed. `file` has a line for each image but the unchanged ones."""

    revision: int
    counts: DiffCounts
    file: DownloadLink | None
    expires_at: datetime | None

    @classmethod
    def of(cls, dataset: "Dataset", counts: DiffCounts, file: "SavedFile | None") -> Self:
        """Returns the answer for a dataset. Without a file, the answer has the counts only."""
        return cls(
            revision=dataset.revision,
            counts=counts,
            file=DownloadLink.of_file(file) if file else None,
            expires_at=file.link.expires_at if file and file.link else None,
        )


class RecordsAnswer(DownloadLink):
    """The link to a job's records, which is valid until `expires_at`."""

    expires_at: datetime

    @classmethod
    def of(cls, file: "SavedFile") -> Self:
        """Returns the answer for a job's records.

        Raises:
            ValueError: the records have no link.
        """
        if file.link is None:
            raise ValueError("the records have no link")
        return cls(**DownloadLink.of_file(file).model_dump(), expires_at=file.link.expires_at)
