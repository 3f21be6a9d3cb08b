"""Stores single images of a dataset in a folder."""

import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pixcrawler.errors import BrokenDownload, Refused, WrongUse
from pixcrawler.plain_text import file_name

if TYPE_CHECKING:
    from pixcrawler.answers import Image
    from pixcrawler.client import Client

WIDTHS: Final = (64, 128, 256, 512, 1024)
_CONNECTIONS = 4
_FORMAT = re.compile("[a-z0-9]{1,8}")
_CONFLICT = 409


def save_images(
    client: "Client",
    dataset_id: str,
    images: "Sequence[Image]",
    folder: Path,
    *,
    of_job: bool = False,
    width: int | None = None,
) -> Iterator[Path | Refused]:
    """Stores images as `{label}/{index}.{format}` in the folder. With a width, small JPEGs of them are stored.

    Yields for each image, in their order, its path, or the reason why the app cannot show this one.

    Raises:
        WrongUse: the app makes no small images of this width, or a file with another content has the name.
        BrokenDownload: the folder cannot be written.
    """
    if width is not None and width not in WIDTHS:
        raise WrongUse(f"the width is {width}; it must be one of {', '.join(map(str, WIDTHS))}")

    stopped = threading.Event()

    def save(image: "Image") -> Path | Refused:
        try:
            data = client.image(dataset_id, image.n, of_job=of_job, width=width)
        except Refused as error:
            # too large, not decodable, or in the Archive tier: other images may be there
            if error.problem.status != _CONFLICT:
                raise
            return error
        if stopped.is_set():
            raise BrokenDownload("The download was stopped.")
        return _store(folder / _path_of(image, small=width is not None), data)

    pool = ThreadPoolExecutor(_CONNECTIONS)
    try:
        yield from pool.map(save, images)
    except KeyboardInterrupt:
        # images that are still being read are not stored
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        pool.shutdown(wait=not stopped.is_set(), cancel_futures=True)


def _path_of(image: "Image", *, small: bool) -> Path:
    """Returns the path in the folder. The label and the format are texts of the server."""
    try:
        label = file_name(image.label)
    except ValueError:
        label = "_"
    ending = "jpeg" if small else image.format
    if not _FORMAT.fullmatch(ending):
        raise BrokenDownload(f"{ending!r} is no format of an image.")
    return Path(label, f"{image.index:08}.{ending}")


def _store(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            if path.read_bytes() != data:
                raise WrongUse(f"{path} is another file. Move it away, or choose another folder.")
            return path
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BrokenDownload(f"{path} cannot be written: {error.strerror or error}.") from error
    return path
