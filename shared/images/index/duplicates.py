"""Shows which candidates were left out of a dataset as copies of other images, and of which ones.

The bytes of copies are working blobs of the job: they can be seen until these are deleted. A refresh does not take them
over, so afterwards only those of new copies can be seen.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from shared.datasets.dataset import Dataset
from shared.errors import Damaged
from shared.images.image import KeptImage
from shared.images.index.copies import CopyRows, copies_of
from shared.images.index.indexes import Indexes
from shared.images.index.record_lines import image_of, read_lines
from shared.images.index.rows import Rows
from shared.images.job_images import JobImages
from shared.jobs.job.job import Job
from shared.jobs.ledger.record_pieces import Line, Place
from shared.jobs.ledger.rows import ChunkRow


@dataclass(frozen=True, slots=True)
class Copy:
    """A candidate that was left out: its record, and its image if its bytes are still stored."""

    line: Line
    image: KeptImage | None


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Some copies of one image, and how many it has in all.

    `same_as` is the index of the image. `image` is None if it is in another dataset, whose id is `dataset`, or if it
    was left out itself because there were enough images.
    """

    same_as: int
    dataset: str | None
    count: int
    image: KeptImage | None
    copies: Sequence[Copy]


@dataclass(frozen=True, slots=True)
class CopyPage:
    """Some copies in groups. `following` is where the next page begins, or None if there is none.

    It `waits` if the index is not complete yet: the same call returns the page later.
    """

    groups: Sequence[CopyGroup]
    following: Place | None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The copies of all datasets."""

    indexes: Indexes
    job_images: JobImages

    async def page(
        self, user_id: str, dataset_id: str, reason: str, place: Place | None, size: int
    ) -> CopyPage:
        """Returns up to `size` copies. The `lines` of a place are a position. An empty `reason` means all reasons.

        Raises:
            NotFound: this user has no such dataset, or its records are gone.
            Conflict: the dataset has too many images or a new revision, or the records are in the Archive tier.
            Damaged: the records or the index cannot be read.
        """
        dataset = await self.indexes.dataset(user_id, dataset_id, place)
        begin = place or Place(revision=dataset.revision)
        index = (await self.indexes.get(dataset)).index
        if index is None:
            return CopyPage((), begin, waits=True)
        page = await self.indexes.compute(dataset, lambda: copies_of(index, reason, begin.lines, size))
        groups = await self._groups(dataset, page.groups)
        return CopyPage(groups, replace(begin, lines=begin.lines + size) if page.more else None)

    async def _groups(self, dataset: Dataset, found: Sequence[CopyRows]) -> Sequence[CopyGroup]:
        copies = [row for group in found for row in group.copies]
        named_by = [group.named_by for group in found]
        images = [group.image for group in found if group.image is not None]
        # all records of the page are read together, as they may be in the same members
        rows = [*copies, *named_by, *images]
        lines = await read_lines(self.indexes.blobs, dataset, _places(rows))
        by_index = {int(row["index"]): line for row, line in zip(rows, lines, strict=True)}
        stored = await self._stored(dataset, copies)
        groups = list[CopyGroup]()
        for group in found:
            image = None
            if group.image is not None:
                image = image_of(self.indexes.images, dataset, group.image, by_index[group.same_as])
            other = by_index[int(group.named_by["index"])].get("same_as_dataset")
            indices = [int(row["index"]) for row in group.copies]
            members = [Copy(by_index[index], stored.get(index)) for index in indices]
            groups.append(
                CopyGroup(group.same_as, str(other) if other else None, group.count, image, members)
            )
        return groups

    async def _stored(self, dataset: Dataset, copies: Sequence[Rows]) -> Mapping[int, KeptImage]:
        """Returns the images of the copies that are still stored, by their index."""
        jobs = self.job_images.data.jobs
        job = await jobs.get(dataset.user_id, dataset.id)
        if job is None or not copies or not await jobs.owns_work(job):
            return {}
        wanted: dict[int, set[int]] = {}
        for row in copies:
            wanted.setdefault(int(row["member"]), set()).add(int(row["index"]))
        found: dict[int, KeptImage] = {}
        for chunk, indices in await self._chunks(job, wanted):
            # the working blobs may be deleted meanwhile
            with suppress(Damaged):
                found |= await self.job_images.of_candidates(job, chunk, indices)
        return found

    async def _chunks(self, job: Job, wanted: Mapping[int, set[int]]) -> Sequence[tuple[ChunkRow, set[int]]]:
        """Returns the chunks of members of the records: the members are in the order of the chunks that count."""
        found = list[tuple[ChunkRow, set[int]]]()
        data, after, number = self.job_images.data, "", 0
        if job.refresh is not None:
            try:
                discovery = await data.discovery.state(job.id)
            except Damaged:
                # its blob may be deleted meanwhile, too
                return []
            after = discovery.counted_after
        async for chunk in data.ledger.chunks(job.id, after):
            if number in wanted:
                found.append((chunk, wanted[number]))
            if len(found) == len(wanted):
                break
            number += 1
        return found


def _places(rows: Sequence[Rows]) -> Rows:
    """Returns the places of rows of different kinds."""
    names = ["offset", "size", "line"]
    kind = np.dtype([(name, "<i8") for name in names])
    return np.array([tuple(int(row[name]) for name in names) for row in rows], kind)
