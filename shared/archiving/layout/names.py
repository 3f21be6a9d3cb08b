"""Makes the names of files, and of the folders of labels. No two labels share a folder name."""

import hashlib
from collections.abc import Sequence

from shared.text.file_names import comparable, safe_name

_MAX_BYTES = 120
_DIGITS = (8, 16, 32, 64)
# files that are beside the folders, or that loaders search for there
_METADATA = frozenset({"metadata.parquet", "metadata.jsonl", "metadata.csv"})
EXTENSIONS = ("jpg", "png", "webp", "gif", "bmp", "tif", "avif", "bin")
_EXTENSION_OF = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "gif": "gif",
    "bmp": "bmp",
    "tiff": "tif",
    "avif": "avif",
}


def file_name(index: int, extension: int) -> str:
    """Returns the file name of an image: the candidate's index in the job, and the format's extension."""
    return f"{index:08}.{EXTENSIONS[extension]}"


def extension_of(image_format: str) -> int:
    """Returns the position in `EXTENSIONS` of a format's extension. It is the last one if the format is unknown."""
    return EXTENSIONS.index(_EXTENSION_OF.get(image_format, "bin"))


def folder_names(labels: Sequence[str]) -> dict[str, str]:
    """Returns a folder name for each label: the label itself if it is safe and unique, otherwise with a hash appended.

    No system takes two of the names for one (see `comparable`), whatever the labels are. The result depends on the
    set of labels only.
    """
    safe = {label: _safe(label) for label in labels}
    names: dict[str, str] = {}
    # a longer hash is needed if somebody made labels whose hashes begin alike
    for digits in _DIGITS:
        names = _with_hashes(safe, digits)
        if len({comparable(name) for name in names.values()}) == len(names):
            break
    return names


def _with_hashes(safe: dict[str, str], digits: int) -> dict[str, str]:
    """Appends hashes of this many digits. A label that equals another label's name with its hash gets a hash, too."""
    # for each comparable form of the names, the only label with it, or None if there are several
    alone: dict[str, str | None] = {}
    for label, name in safe.items():
        key = comparable(name)
        alone[key] = None if key in alone else label
    names = {
        label: name for label, name in safe.items() if name == label and alone[comparable(name)] == label
    }
    hashed = [label for label in safe if label not in names]
    while hashed:
        label = hashed.pop()
        names[label] = f"{safe[label]}-{_digest(label, digits)}"
        meant = alone.get(comparable(names[label]))
        if meant is not None and names.get(meant) == meant:
            hashed.append(meant)
    return names


def _safe(label: str) -> str:
    name = safe_name(label, _MAX_BYTES)
    return f"_{name}" if name.lower() in _METADATA else name


def _digest(label: str, digits: int) -> str:
    return hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
