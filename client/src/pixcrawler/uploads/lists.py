"""Stores lists of URLs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from pixcrawler import calls
from pixcrawler.errors import BadAnswer, BrokenDownload, Unreachable, WrongUse
from pixcrawler.exchange import checked_link

if TYPE_CHECKING:
    from pixcrawler.answers import StoredList
    from pixcrawler.client import Client

_FORMATS: Final = ("txt", "csv", "tsv", "jsonl", "json", "parquet")
_MAX_BODY_BYTES = 20_000_000
_MAX_BYTES = 2_000_000_000
_PIECE_BYTES = 1 << 20
_TIMEOUT = httpx.Timeout(300.0, connect=10.0)


def ending_of(path: Path) -> str:
    """Returns the format of a list by its name, such as `csv.gz`.

    Raises:
        WrongUse: the name has no ending of a list.
    """
    name = path.name.lower()
    for ending in (*_FORMATS, *(f"{each}.gz" for each in _FORMATS if each != "parquet")):
        if name.endswith(f".{ending}"):
            return ending
    raise WrongUse(
        f"{path} has no ending of a list. It must be one of {', '.join(_FORMATS)}, or one with .gz."
    )


def upload_list(client: "Client", path: Path, name: str | None = None) -> "StoredList":
    """Stores the list in a file. A list of more than 20 MB goes straight to storage.

    Raises:
        WrongUse: the file cannot be read, is empty or too large, or its name has no known ending.
    """
    ending = ending_of(path)
    try:
        size = path.stat().st_size
        if not 0 < size <= _MAX_BYTES:
            raise WrongUse(f"{path} has {size:,} bytes; it must have 1 to {_MAX_BYTES:,}.")
        if size <= _MAX_BODY_BYTES:
            return client.send(calls.upload_list(path.read_bytes(), name=name or path.name, ending=ending))
        found = client.send(calls.link_for_list(name=name or path.name, ending=ending))
        _put(client, found, path)
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}.") from error
    return client.send(calls.stored_list(found.id))


def _put(client: "Client", found: "StoredList", path: Path) -> None:
    """Stores the file by a link. The request has no API key, because it goes to the storage service."""
    upload = found.upload
    if upload is None:
        raise BrokenDownload("The app gave no link for the list.")
    url = checked_link(upload.url, client.account)
    headers = {**upload.headers, "Content-Length": str(path.stat().st_size)}
    try:
        # the body of the answer may be endless, and is not read
        with (
            httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as http,
            http.stream("PUT", url, content=_pieces(path), headers=headers) as response,
        ):
            status = response.status_code
    except UnicodeEncodeError:
        raise BadAnswer("The app gave a link with headers that cannot be sent.") from None
    except httpx.HTTPError as error:
        raise Unreachable(f"The list could not be stored: {error}. Upload it again.") from error
    if status != httpx.codes.CREATED:
        raise BrokenDownload(f"Storage answered {status} to the list. Upload it again.")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
