"""Finds the images of datasets, by pages and by id, in the records that lie beside the dataset's files.

The records are a sequence of gzip members, one for each chunk of the crawl. The id of an image says where its member
begins, and the line in it. So a page reads up to 20 members, and one image reads one member, however large the
dataset is.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from shared.clock import Clock, Deadline
from shared.damage import reading
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.images.image import DerivedFolder, ImageFilter, KeptImage, decode_id, encode_id, facts_of
from shared.images.pages import READ_SECONDS, Batch, Entry, ImagePage, take
from shared.images.recent import Recent
from shared.jobs.ledger.record_pieces import Line, Piece, Place, final_pieces
from shared.records.blob_names import preview_blob, report_blob, revision_derived_prefix, revision_prefix
from shared.records.candidates import StoredRange
from shared.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class DatasetImages:
    """The images of all datasets."""

    catalog: Catalog
    blobs: BlobStore
    clock: Clock
    _recent: Recent[tuple[str, Place], Piece] = field(
        default_factory=lambda: Recent(lambda piece: piece.text_bytes), repr=False
    )

    async def page(
        self, user_id: str, dataset_id: str, wanted: ImageFilter, place: Place | None, size: int
    ) -> ImagePage:
        """Returns up to `size` images, in the order of the records. There may be fewer, though more follow.

        Raises:
            NotFound: this user has no such dataset, or its records are gone.
            Conflict: the records are in the Archive tier, or the page is one of an earlier revision.
            InvalidRequest: no page begins at the place.
            Damaged: the records cannot be read.
        """
        dataset = await self.catalog.require(user_id, dataset_id)
        begin = place or Place(revision=dataset.revision)
        if begin.revision != dataset.revision:
            raise Conflict(f"The dataset {dataset_id} has a new revision. List its images again.")
        deadline = Deadline.after(self.clock, READ_SECONDS)
        async with aclosing(self.batches(dataset, begin)) as batches:
            taken = await take(batches, wanted, size, deadline)
        images = [self.image(dataset, entry.at, entry.line) for entry in taken.entries]
        return ImagePage(images, taken.following)

    async def find(self, user_id: str, dataset_id: str, image_id: str) -> KeptImage:
        """Returns the image with this id.

        Raises:
            NotFound: this user has no such dataset, or its current revision has no such image.
            Conflict: the records are in the Archive tier.
            Damaged: the records cannot be read.
        """
        dataset = await self.catalog.require(user_id, dataset_id)
        place = decode_id(image_id)
        if place is not None and place.revision == dataset.revision:
            line = await self._line(dataset, place)
            if line is not None and ImageFilter().matches(line):
                return self.image(dataset, place, line)
        raise NotFound(f"The dataset {dataset_id} has no image of this id.")

    async def preview(self, user_id: str, dataset_id: str) -> bytes:
        """Returns the contact sheet that was made with the dataset's current revision, as a JPEG.

        Raises:
            NotFound: this user has no such dataset, or it has no preview because none of its images could be shown.
        """
        dataset = await self.catalog.require(user_id, dataset_id)
        try:
            return await self.blobs.get(preview_blob(dataset.id, dataset.revision))
        except NotFound:
            raise NotFound(f"The dataset {dataset_id} has no preview.") from None

    async def report(self, user_id: str, dataset_id: str) -> bytes:
        """Returns the report that was made with the dataset's current revision, as HTML.

        Raises:
            NotFound: this user has no such dataset, or it has no report.
        """
        dataset = await self.catalog.require(user_id, dataset_id)
        try:
            return await self.blobs.get(report_blob(dataset.id, dataset.revision))
        except NotFound:
            raise NotFound(f"The dataset {dataset_id} has no report.") from None

    async def batches(self, dataset: Dataset, begin: Place) -> AsyncGenerator[Batch]:
        """Yields the records from a place on. Raises what `page` raises."""
        skip = begin.lines
        async with aclosing(final_pieces(self.blobs, dataset.id, begin)) as pieces:
            async for piece in pieces:
                yield Batch(_entries(piece, skip), piece.after(len(piece.lines)))
                skip = 0

    def image(self, dataset: Dataset, at: Place, line: Line) -> KeptImage:
        """Returns the image whose record this is.

        Raises:
            Damaged: the record does not say where the image is.
        """
        with reading(f"the records of dataset {dataset.id}"):
            facts = facts_of(line)
            blob = f"{revision_prefix(dataset.id, dataset.revision)}{facts.blob}"
            if blob not in dataset.blobs:
                raise ValueError("the image is in no file of the dataset")
        stored = StoredRange(blob, facts.offset, facts.size_bytes)
        return KeptImage(encode_id(at), facts, stored, self.folder(dataset))

    def folder(self, dataset: Dataset) -> DerivedFolder:
        """Returns where blobs are stored that are derived from the dataset's images."""

        async def exists() -> bool:
            stored = await self.catalog.get(dataset.user_id, dataset.id)
            return stored is not None and stored.revision == dataset.revision

        prefix = revision_derived_prefix(dataset.id, dataset.revision)
        return DerivedFolder(prefix, dataset.user_id, exists, dataset.id)

    async def _line(self, dataset: Dataset, place: Place) -> Line | None:
        """Returns the line at this place, or None if there is none."""
        member = replace(place, lines=0)

        async def read() -> Piece:
            async with aclosing(final_pieces(self.blobs, dataset.id, member)) as pieces:
                return await anext(pieces, Piece(member, ()))

        try:
            piece = await self._recent.get((dataset.id, member), read)
        except InvalidRequest:
            # the caller has made up the id
            return None
        return piece.lines[place.lines] if place.lines < len(piece.lines) else None


def _entries(piece: Piece, skip: int) -> Iterator[Entry]:
    revision, offset = piece.begin.revision, piece.begin.offset
    for number, line in enumerate(piece.lines[skip:], skip):
        at, after = Place(number, "", revision, offset), Place(number + 1, "", revision, offset)
        yield Entry(at, after, line)
