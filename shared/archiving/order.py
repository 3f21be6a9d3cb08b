"""What the archive step is asked for, and what it gives back."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter

from shared.archiving.options import Dedup, FormatName, Output, Splits
from shared.records.delivered import FileChecksum


@dataclass(frozen=True, slots=True)
class EarlierDataset:
    """A dataset's id and the blob of its delivered records."""

    id: str
    records_blob: str


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """One dataset to make. The archive is a pure function of the order and of the record blobs that it names.

    `record_blobs` are in order of age: where two have a record of one candidate, the later one's counts. `earlier` are
    the datasets whose images are to be left out, `parents` the ids of those that images were taken from. `changes` says
    in words what the crawl did to the images. `max_images_per_label` is not for the `whole_labels`. `created_at` (the
    job's) stamps every entry, so that a second run writes the same bytes. `seed` decides the splits. `prefix` ends in
    "/" and is where the dataset's blobs go (`datasets/job_{id}/`); `work_prefix` likewise for what only the archiver
    needs.
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

    @property
    def digest(self) -> str:
        """Twelve hex digits that tell this order from every other of the job.

        They are the same in every version of the app, so that two of them that archive one job share one plan: what
        only texts tell is no part of them, and neither is a field that is added later.
        """
        return hashlib.sha256(_adapter.dump_json(self, exclude={"parents", "changes"})).hexdigest()[:12]


_adapter = TypeAdapter(ArchiveOrder)


@dataclass(frozen=True, slots=True)
class Archived:
    """A dataset that stands whole in storage.

    `blobs` names what a user downloads (the ZIP; or the tar shards, then the texts), in order, and `checksums` has an
    entry for each. `counts` is, by label, the number of candidates by outcome: "kept", or a rejection's reason.
    `splits` is the number of images by split.
    """

    format: FormatName
    blobs: tuple[str, ...]
    records_blob: str
    size_bytes: int
    image_count: int
    counts: Mapping[str, Mapping[str, int]]
    splits: Mapping[str, int]
    checksums: Mapping[str, FileChecksum] = field(default_factory=dict)


def changes_of(order: ArchiveOrder) -> str:
    """Sentences on what was changed, or may have been before; empty where every image is as it was found.

    Licences ask for this notice, as CC BY 4.0 does in section 3(a)(1)(B).
    """
    told = [f"Images were changed: {order.changes}."] if order.changes else []
    if order.parents:
        told.append(
            f"Those of {', '.join(order.parents)} may have been changed before: the cards there tell."
        )
    return " ".join(told)
