"""What the endpoints of images have in common: their parameters, pages, and the answer with one image."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from functions.http.call import Answer, Call, Data
from functions.http.declared import Parameter, Reply
from functions.http.edge.revalidation import has_current
from functions.http.images.models import ImageEntry, ImageList
from functions.http.inputs import wrong_value
from shared.errors import Conflict

if TYPE_CHECKING:
    from shared.images.image import ImageFilter, KeptImage, Limits, Measure
    from shared.images.pages import ImagePage
    from shared.jobs.ledger.record_pieces import Place

_MAX_CHARACTERS = 200
_FOREVER = "private, max-age=31536000, immutable"
_MAX_ID_CHARACTERS = 100
_READ_AGAIN_SECONDS = 1


def _text(description: str) -> Parameter:
    return Parameter(description, {"type": "string", "minLength": 1, "maxLength": _MAX_CHARACTERS})


_MEASURES: Final[Mapping["Measure", tuple[str, str, int]]] = {
    "pixels": ("width by height, in pixels,", "integer", 999_999_999),
    "width": ("width in pixels", "integer", 999_999),
    "height": ("height in pixels", "integer", 999_999),
    "sharpness": ("sharpness", "number", 1_000_000),
    "brightness": ("brightness, from 0 to 1,", "number", 1),
}
"""The numbers by which a list can be limited: how they are called, their type, and their highest value."""


def _limits(name: str, words: str, kind: str, most: int) -> Mapping[str, Parameter]:
    schema = {"type": kind, "minimum": 0, "maximum": most}
    return {
        f"min_{name}": Parameter(f"Only images whose {words} is at least this.", schema),
        f"max_{name}": Parameter(f"Only images whose {words} is at most this.", schema),
    }


_LIMITS: Final[Mapping[str, Parameter]] = {
    side: parameter for name, of in _MEASURES.items() for side, parameter in _limits(name, *of).items()
}
_TEXTS: Final[Mapping[str, Parameter]] = {
    "label": _text("Only images of this label."),
    "split": Parameter("Only images of this split.", {"type": "string", "enum": ["train", "val", "test"]}),
    "license": _text("Only images under this licence, such as `by-sa`."),
    "source": _text("Only images of this source, such as `openverse`."),
}

FILTERS: Final[Mapping[str, Parameter]] = {**_TEXTS, **_LIMITS}
"""The conditions for an image to be in a list."""

FOUND: Final = "found"
SORT: Final[Mapping[str, Parameter]] = {
    "sort": Parameter(
        "The order: as they were found, or by pixels, sharpness or brightness.",
        {
            "type": "string",
            "enum": [FOUND, "largest", "smallest", "sharpest", "blurriest", "brightest", "darkest"],
            "default": FOUND,
        },
    )
}

WIDTH: Final[Mapping[str, Parameter]] = {
    "width": Parameter(
        "Answers a small JPEG in place of the image: at most so many pixels wide and high, upright, on white.",
        {"type": "string", "enum": ["64", "128", "256", "512", "1024"]},
    )
}

IN_PATH: Final[Mapping[str, Parameter]] = {
    "n": Parameter(
        "The id of the image, from a list of images.",
        {"type": "string", "minLength": 1, "maxLength": _MAX_ID_CHARACTERS},
    )
}

_ETAG: Final = {"ETag": Parameter("The checksum of the content, for `If-None-Match`.", required=True)}
_IMMUTABLE: Final = {
    **_ETAG,
    "Cache-Control": Parameter("The content never changes.", {"const": _FOREVER}, required=True),
    "Content-Disposition": Parameter("The name to save the image under."),
}
IMAGE_ANSWERS: Final[Mapping[int, Reply]] = {
    200: Reply("image/*", "The image.", _IMMUTABLE),
    304: Reply(None, "The caller has it already.", _IMMUTABLE),
}
IF_NONE_MATCH: Final[Mapping[str, Parameter]] = {
    "If-None-Match": Parameter("Versions that the caller has: 304 if one is current.")
}


INDEXING: Final[Mapping[str, Parameter]] = {
    "Retry-After": Parameter(
        "After how many seconds to call again, as the index of the dataset is being made.",
        {"type": "integer", "minimum": 1},
    )
}
"""The header of an answer whose index is not complete yet."""


def wait_headers(*, waits: bool) -> dict[str, str]:
    """Returns the headers of an answer, which say when to call again if it `waits`."""
    return {"Retry-After": str(_READ_AGAIN_SECONDS)} if waits else {}


def filter_of(call: Call) -> "ImageFilter":
    """Returns which images the call asks for.

    Raises:
        InvalidRequest: a value is empty or too long.
    """
    from shared.images.image import ImageFilter

    for name in _TEXTS:
        value = call.query.get(name)
        if value is not None and not 1 <= len(value) <= _MAX_CHARACTERS:
            raise wrong_value(name, value, f"must have 1 to {_MAX_CHARACTERS} characters")
    texts = {name: call.query.get(name) or "" for name in _TEXTS}
    return ImageFilter(**texts, ranges=_ranges_of(call))


def _ranges_of(call: Call) -> tuple["Limits", ...]:
    from shared.images.image import Limits

    # the values were checked when the query was read
    found = {name: float(call.query[name]) for name in _LIMITS if name in call.query}
    ranges = (Limits(name, found.get(f"min_{name}"), found.get(f"max_{name}")) for name in _MEASURES)
    return tuple(limits for limits in ranges if limits.least is not None or limits.most is not None)


def place_of(call: Call, *, final: bool) -> "Place | None":
    """Returns where the page begins: in the final records of a dataset, or else in those of chunks.

    Raises:
        InvalidRequest: `cursor` is not valid.
    """
    from shared.jobs.ledger.record_pieces import Place

    cursor = call.query.get("cursor")
    if cursor is None:
        return None
    place = Place.decode(cursor)
    if place is None or (place.revision > 0) is not final or not (final or place.chunk):
        raise wrong_value("cursor", cursor, "must be the cursor in the `next` of a list")
    return place


def page_answer(call: Call, page: "ImagePage", path: str) -> Answer:
    """Returns the answer with a page of the list at this path."""
    items = [ImageEntry.of(image, path) for image in page.images]
    answer = ImageList(items=items, next=next_path(call, page.following, path))
    return Answer(answer, headers=wait_headers(waits=page.waits))


def next_path(call: Call, following: "Place | None", path: str) -> str | None:
    """Returns the path of the page that begins at a place, with the other parameters of the call."""
    if following is None:
        return None
    return f"{path}?{urlencode({**call.query, 'cursor': following.encode()})}"


async def image_answer(call: Call, image: "KeptImage") -> Answer:
    """Returns the answer with the image, or with the small image that the call asks for.

    Looking at images is no use of the product and no download of a dataset: nothing is recorded.

    Raises:
        NotFound: the image is gone.
        Conflict: it is in the Archive tier, or too large.
        Damaged: storage has other bytes.
    """
    from shared.images.image import MEDIA_TYPES

    facts, width = image.facts, call.query.get("width")
    headers = {
        "ETag": f'"{facts.sha256}{"-" + width if width else ""}"',
        "Cache-Control": _FOREVER,
        # both parts are the app's own, so that the name needs no quoting
        "Content-Disposition": f'inline; filename="{facts.index:08}.{"jpeg" if width else facts.format}"',
    }
    if has_current(call.request, headers["ETag"]):
        return Answer(None, status=304, headers=headers)
    files = call.app.image_files
    if width is None:
        data = await files.original(image)
        return Answer(Data(data, MEDIA_TYPES[facts.format]), headers=headers)
    small = await files.small(image, int(width))
    if small is None:
        raise Conflict("The image is too large to make a small one of it, or cannot be decoded.")
    return Answer(Data(small, "image/jpeg"), headers=headers)
