"""Models of the answers on images."""

from typing import TYPE_CHECKING, Self

from functions.http.declared import Model

if TYPE_CHECKING:
    from shared.images.image import KeptImage


class Scores(Model):
    """How the picture looks, in numbers; records have the same fields. `relevance` is null if it was not measured."""

    sharpness: float
    brightness: float
    contrast: float
    entropy: float
    aspect_ratio: float
    bytes_per_pixel: float
    relevance: float | None


class ImageEntry(Model):
    """One image. `n` is its id: it always names the same bytes.

    `width`, `height` and `size_bytes` are those of the stored image. `url` is the address from which it was fetched,
    and `page_url` the page on which its source shows it. `dominant_color` can stand for it until it is loaded.
    `outlier` names what makes it differ much from the others of its label, and is empty for most images.
    """

    n: str
    index: int
    label: str
    split: str | None
    caption: str | None
    license: str
    license_url: str | None
    title: str | None
    creator: str | None
    creator_url: str | None
    attribution: str | None
    source: str
    url: str
    page_url: str | None
    format: str
    width: int
    height: int
    size_bytes: int
    scores: Scores
    dominant_color: str
    outlier: str
    links: dict[str, str]

    @classmethod
    def of(cls, image: "KeptImage", path: str) -> Self:
        """Returns the entry of an image; `path` is that of the list."""
        facts = image.facts
        link = f"{path}/{image.id}"
        return cls(
            n=image.id,
            index=facts.index,
            label=facts.label,
            split=facts.split,
            caption=facts.caption,
            license=facts.license,
            license_url=facts.license_url,
            title=facts.title,
            creator=facts.creator,
            creator_url=facts.creator_url,
            attribution=facts.attribution,
            source=facts.source,
            url=facts.url,
            page_url=facts.page_url,
            format=facts.format,
            width=facts.width,
            height=facts.height,
            size_bytes=facts.size_bytes,
            scores=Scores(
                sharpness=facts.sharpness,
                brightness=facts.brightness,
                contrast=facts.contrast,
                entropy=facts.entropy,
                aspect_ratio=facts.aspect_ratio,
                bytes_per_pixel=facts.bytes_per_pixel,
                relevance=facts.relevance,
            ),
            dominant_color=facts.dominant_color,
            outlier=facts.outlier,
            links={"image": link, "small": f"{link}?width=256"},
        )


class ImageList(Model):
    """A page of images. `next` is the path of the following page, or null on the last page.

    A page may have fewer entries than `limit`, or none, though more follow.
    """

    items: list[ImageEntry]
    next: str | None
