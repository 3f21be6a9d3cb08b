"""Reads images that are in storage already. It is internal, because a caller could name anybody's blob."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Strict

from shared.records.candidates import BLOB_SCHEME, Candidate, Provenance
from shared.sources.source import Page, Query, SourceConfig
from shared.text.blob_name_rule import BlobName
from shared.text.labels import UNLABELLED, clean_label

_PAGE = 1000


class BlobItem(BaseModel):
    """One blob of the datasets' container. Without a label it gets its folder's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: BlobName
    label: str | None = None


class BlobsConfig(SourceConfig):
    """Configures `{"type": "blobs", "items": [{"name", "label"}]}`."""

    type: Literal["blobs"] = "blobs"
    items: Annotated[tuple[BlobItem, ...], Strict(False)]


class Blobs:
    """Implements `Source`. The cursor is the position of the next item."""

    def __init__(self, config: BlobsConfig) -> None:
        self._items = config.items

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """Returns one query for the whole list."""
        del labels
        return [Query("blobs", None)]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """See `Source.pages`."""
        del query
        for start in range(int(cursor or 0), max(1, len(self._items)), _PAGE):
            end = start + _PAGE
            candidates = tuple(_candidate(item) for item in self._items[start:end])
            yield Page(candidates, str(end) if end < len(self._items) else None)


def _candidate(item: BlobItem) -> Candidate:
    folders = item.name.split("/")[:-1]
    label = clean_label(item.label) or clean_label(folders[-1] if folders else None) or UNLABELLED
    return Candidate(f"{BLOB_SCHEME}{item.name}", label, Provenance("blobs"))
