"""Defines the input and the result of the archive step."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from shared.archiving.options import Dedup, FormatName, Output, Splits
from shared.records.delivered import FileChecksum
from shared.records.scores import ScoreRanges


@dataclass(frozen=True, slots=True)
class EarlierDataset:
    """A dataset's id and the blob of its delivered records."""

    id: str
    records_blob: str


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """Describes one dataset to make. The dataset is a pure function of the order and of the blobs that it names.

    There is one exception: fields of the preview for whose images no time was left.

    `record_blobs` are in order of age. If several of them have a record of one candidate, the last one counts. Images
    of the `earlier` datasets are left out. `parents` are the ids of the datasets that images were taken from. `changes`
    says in words how the crawl changed all images. `blurs_faces` says that it blurred faces, in the images that have
    some. `max_images_per_label` does not apply to the `whole_labels`; `max_images`, which limits the whole dataset,
    applies to all.
    The archive step applies only the percentiles of the `scores`. The crawl has applied the values.
    `created_at` is that of the job, and the time of every entry in the archive files, so that a second run writes the
    same bytes. `seed` decides the splits, and the order of images in shards. `prefix` begins the names of the dataset's
    blobs, and `work_prefix` those of the archiver's working blobs; both end in "/".
    `optional_columns` are those of the annotations' optional columns that the dataset has (`texts.metadata`).
    `base_revision` is the revision of the dataset that a refresh starts from; None if the job is not refreshed.
    """

    job_id: str
    name: str
    created_at: datetime
    record_blobs: tuple[str, ...]
    max_images_per_label: int | None
    dedup: Dedup
    splits: Splits
    output: Output
    seed: int
    prefix: str
    work_prefix: str
    earlier: tuple[EarlierDataset, ...] = ()
    whole_labels: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    changes: str = ""
    blurs_faces: bool = False
    max_images: int | None = None
    scores: ScoreRanges = field(default_factory=dict)
    base_revision: int | None = None
    optional_columns: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A hash of twelve hex digits that identifies this order among the orders of its job.

        Every version of the app computes the same digits, so that two versions that archive one job share one plan.
        Therefore `parents`, `changes` and `blurs_faces`, which only texts show, are not hashed, and a field that is
        added later must not be hashed either, such as `max_images`, `scores`, `base_revision` and `optional_columns`,
        which are the same in all orders of a job's revision.
        """
        return hashlib.sha256(_adapter.dump_json(self, exclude={**_NOT_HASHED})).hexdigest()[:12]


_adapter = TypeAdapter(ArchiveOrder)
_NOT_HASHED: Mapping[str, Any] = {
    "parents": True,
    "changes": True,
    "blurs_faces": True,
    "max_images": True,
    "scores": True,
    "base_revision": True,
    "optional_columns": True,
    "output": {"relevance", "embeddings"},
}


@dataclass(frozen=True, slots=True)
class Archived:
    """Describes a dataset that is complete in storage.

    `blobs` are the files to download, in order: the ZIP file, or the tar shards and then the texts. `checksums` has an
    entry for each of them. `counts` is the number of candidates by label and outcome: "kept", or the reason of a
    rejection. `splits` is the number of images by split. `diff` counts what a refresh has changed; it is None if there
    was no refresh.
    """

    format: FormatName
    blobs: tuple[str, ...]
    records_blob: str
    size_bytes: int
    image_count: int
    counts: Mapping[str, Mapping[str, int]]
    splits: Mapping[str, int]
    checksums: Mapping[str, FileChecksum] = field(default_factory=dict)
    diff: Mapping[str, int] | None = None


def changes_of(order: ArchiveOrder) -> str:
    """Returns sentences on how images were changed, or may have been changed before; empty if none was changed.

    Licences ask for this notice (CC BY 4.0, section 3(a)(1)(B)).
    """
    sentences = [f"Images were changed: {order.changes}."] if order.changes else []
    if order.blurs_faces:
        sentences.append("Faces that a model found were blurred.")
        if not order.changes:
            sentences.append(
                "Pictures with such faces were encoded anew, upright, in sRGB, on white, without metadata; of an "
                "animation, only the first frame is left. All others are as they were found."
            )
    if order.parents:
        sentences.append(
            f"Those of {', '.join(order.parents)} may have been changed before: the cards there tell."
        )
    return " ".join(sentences)
