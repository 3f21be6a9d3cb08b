"""Models of the answers on what a dataset has and what was left out of it."""

from typing import TYPE_CHECKING, Self

from functions.http.declared import Model
from functions.http.images.models import ImageEntry

if TYPE_CHECKING:
    from shared.images.index.duplicates import Copy, CopyGroup
    from shared.images.index.statistics import Statistics
    from shared.jobs.ledger.record_pieces import Line


class HistogramAnswer(Model):
    """The numbers of images between neighbouring `edges`, so there is one edge more than `counts`.

    Each range begins with its edge, and ends before the next one.
    """

    edges: list[float]
    counts: list[int]


class StatisticsAnswer(Model):
    """The numbers of a dataset's images. There are none while `progress` is below 1.

    `progress` is the share of the records that was read. `histograms` has the images by `pixels` (width by height),
    `sharpness` and `brightness`. `licenses` and `sources` name the 100 most frequent ones, and `labels` has the images
    of the 1,000 most frequent labels by split; the name of the split is empty if the dataset has no splits.
    """

    progress: float
    images: int
    histograms: dict[str, HistogramAnswer]
    licenses: dict[str, int]
    sources: dict[str, int]
    labels: dict[str, dict[str, int]]

    @classmethod
    def of(cls, statistics: "Statistics") -> Self:
        """Returns the answer for the numbers of a dataset."""
        return cls(
            progress=statistics.progress,
            images=statistics.images,
            histograms={
                name: HistogramAnswer(edges=list(found.edges), counts=list(found.counts))
                for name, found in statistics.histograms.items()
            },
            licenses=dict(statistics.licenses),
            sources=dict(statistics.sources),
            labels={label: dict(splits) for label, splits in statistics.labels.items()},
        )


class CopyEntry(Model):
    """A candidate that was left out as a copy. `image` is null once the working files of the job are deleted."""

    index: int
    reason: str
    label: str
    source: str
    url: str
    page_url: str | None
    title: str | None
    license: str | None
    image: ImageEntry | None

    @classmethod
    def of(cls, copy: "Copy", path: str) -> Self:
        """Returns the entry of a copy; `path` is that of the images of its job."""
        line = copy.line
        return cls(
            index=int(str(line["index"])),
            reason=str(line["reason"]),
            label=str(line["label"]),
            source=str(line["source"]),
            url=str(line["url"]),
            page_url=_text(line, "page_url"),
            title=_text(line, "title"),
            license=_text(line, "license"),
            image=None if copy.image is None else ImageEntry.of(copy.image, path),
        )


class CopyGroupEntry(Model):
    """Copies of one image, and how many it has in all.

    `same_as` is the index of the image. If it is in another dataset, `same_as_dataset` has the id of that one. `image`
    is null then, and also if the image itself was left out because there were enough images.
    """

    same_as: int
    same_as_dataset: str | None
    count: int
    image: ImageEntry | None
    copies: list[CopyEntry]

    @classmethod
    def of(cls, group: "CopyGroup", dataset_id: str) -> Self:
        """Returns the entry of a group of this dataset."""
        image = group.image
        return cls(
            same_as=group.same_as,
            same_as_dataset=group.dataset,
            count=group.count,
            image=None if image is None else ImageEntry.of(image, f"/api/v1/datasets/{dataset_id}/images"),
            copies=[CopyEntry.of(copy, f"/api/v1/jobs/{dataset_id}/images") for copy in group.copies],
        )


class DuplicateList(Model):
    """A page of copies in groups. `next` is the path of the following page, or null on the last page.

    A group that has more copies goes on in the next page.
    """

    items: list[CopyGroupEntry]
    next: str | None


def _text(line: "Line", name: str) -> str | None:
    value = line.get(name)
    return None if value is None else str(value)
