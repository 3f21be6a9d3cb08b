"""Models of the answers on lists that users have stored."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from functions.http.declared import Model

if TYPE_CHECKING:
    from shared.jobs.submission.uploaded_list import UploadedList
    from shared.storage.blobs import Link

_BLOCK_BLOB: Final = {"x-ms-blob-type": "BlockBlob"}
"""The header without which Azure Storage makes no blob
(https://learn.microsoft.com/rest/api/storageservices/put-blob)."""


class UploadLink(Model):
    """How to store a list: one request with this method and these headers, which needs no API key."""

    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: datetime


class ListAnswer(Model):
    """One list. `blob` is the name by which a spec uses it, once `state` is `stored`.

    `upload` is only in the answer to the call that makes the list. `last_used_at` is exact to a day.
    """

    id: str
    name: str
    blob: str
    state: Literal["stored", "awaiting_upload"]
    size_bytes: int
    created_at: datetime
    last_used_at: datetime | None
    upload: UploadLink | None
    links: dict[str, str]

    @classmethod
    def of(cls, user_id: str, found: "UploadedList", link: "Link | None" = None) -> Self:
        """Returns the answer for a list of a user."""
        upload = None
        if link is not None:
            upload = UploadLink(
                method="PUT", url=link.url, headers=dict(_BLOCK_BLOB), expires_at=link.expires_at
            )
        return cls(
            id=found.id,
            name=found.name,
            blob=found.blob(user_id),
            state="stored" if found.is_stored else "awaiting_upload",
            size_bytes=found.size_bytes,
            created_at=found.created_at,
            last_used_at=found.used_at,
            upload=upload,
            links={"self": f"/api/v1/lists/{found.id}"},
        )


class ListPage(Model):
    """A page of lists, newest first. `next` is the path of the following page, or None on the last page."""

    items: list[ListAnswer]
    next: str | None


NEW_LIST: Final[dict[str, Any]] = {
    "id": "0f3a5c7e9b1d2f4a6c8e0b1d",
    "name": "birds",
    "blob": "inputs/4f2a9c1b7d3e8a60/uploaded/0f3a5c7e9b1d2f4a6c8e0b1d.csv",
    "state": "stored",
    "size_bytes": 52,
    "created_at": "2026-01-01T00:00:00.735261Z",
    "last_used_at": None,
    "upload": None,
    "links": {"self": "/api/v1/lists/0f3a5c7e9b1d2f4a6c8e0b1d"},
}
"""A list that a call has just stored."""
