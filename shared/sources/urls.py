"""URL lists: items in the spec, or a blob of txt, csv, tsv, jsonl or json lines, also gzipped.

A blob is streamed, line by line, each within a limit; the cursor is the number of rows that were read.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.candidates import Candidate, Provenance
from shared.errors import NotFound, Permanent
from shared.licenses import normalize_license
from shared.sources.fields import text_of
from shared.sources.rows import FORMATS, Row, read_rows
from shared.sources.source import Page, Query, SourceConfig
from shared.sources.text import clean_label
from shared.storage.blobs import BlobStore

UNLABELLED = "unlabelled"
INPUTS = "inputs/"
_PAGE = 1000
_MAX_EXTRA = 20
_MAX_VALUE = 1000


class UrlItem(BaseModel):
    """One image of a list in the spec; further fields are kept in its record."""

    model_config = ConfigDict(frozen=True, extra="allow")

    url: Annotated[str, Field(min_length=1)]
    label: str | None = None
    caption: str | None = None
    license: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _extra_fields_are_plain(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        for key, value in data.items():
            if key in cls.model_fields:
                continue
            plain = value is None or isinstance(value, (str, int, float))
            if not plain or any(
                text_of(text) != text for text in (key, value) if isinstance(text, str) and text
            ):
                raise ValueError("further fields must be numbers or plain text of at most 2,000 characters")
        return data


class UrlsConfig(SourceConfig):
    """`{"type": "urls", "items": […]}` or `{"type": "urls", "blob": "inputs/list.csv"}`.

    `format` is told from the blob's name unless it is given; the `*_column` options name a table's columns. `label` is
    for rows that bring none.
    """

    type: Literal["urls"] = "urls"
    items: tuple[UrlItem, ...] | None = None
    blob: Annotated[str, Field(max_length=1024)] | None = None
    format: Literal["txt", "csv", "tsv", "jsonl"] | None = None
    url_column: str = "url"
    label_column: str = "label"
    caption_column: str = "caption"
    license_column: str = "license"
    label: str = UNLABELLED

    @field_validator("blob")
    @classmethod
    def _is_an_input(cls, blob: str | None) -> str | None:
        if blob is not None and (not blob.startswith(INPUTS) or ".." in blob.split("/")):
            raise ValueError(f"must be a blob under {INPUTS}")
        return blob

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if (self.items is None) == (self.blob is None):
            raise ValueError("give either items or a blob")
        if self.blob is not None and self.format is None and _format_of(self.blob) is None:
            raise ValueError(f"the blob's name tells no format: give one of {', '.join(FORMATS)}")
        if self.items is not None and not self.items:
            raise ValueError("items must not be empty")
        return self


class Urls:
    """See `Source`."""

    def __init__(self, config: UrlsConfig, blobs: BlobStore) -> None:
        self._config = config
        self._blobs = blobs

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """One query for the whole list."""
        del labels
        return [Query("urls", None)]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """See `Source.pages`."""
        del query
        skip = int(cursor or 0)
        number = 0
        candidates: list[Candidate] = []
        problems: list[str] = []
        async for row in self._rows():
            number += 1
            if number <= skip:
                continue
            found = self._candidate(row, number)
            if isinstance(found, Candidate):
                candidates.append(found)
            else:
                problems.append(found)
            if len(candidates) + len(problems) == _PAGE:
                yield Page(tuple(candidates), str(number), tuple(problems))
                candidates, problems = [], []
        yield Page(tuple(candidates), None, tuple(problems))

    async def _rows(self) -> AsyncIterator[Row]:
        if self._config.items is not None:
            for item in self._config.items:
                yield item.model_dump(exclude_none=True)
            return
        name = self._config.blob or ""
        form = self._config.format or _format_of(name) or "txt"
        try:
            async for row in read_rows(self._blobs.stream(name), form, gzipped=name.endswith(".gz")):
                yield row
        except NotFound:
            raise Permanent(f"There is no blob {name}.") from None

    def _candidate(self, row: Row, number: int) -> Candidate | str:
        if isinstance(row, str):
            return f"urls: row {number}: {row}"
        config = self._config
        named = {config.url_column, config.label_column, config.caption_column, config.license_column}
        url = text_of(row.get(config.url_column)) or ""
        if not url.lower().startswith(("http://", "https://")):
            return f"urls: row {number}: no http(s) URL"
        label = clean_label(row.get(config.label_column)) or clean_label(config.label) or UNLABELLED
        found = normalize_license(str(row.get(config.license_column) or ""))
        extra = {
            name: text[:_MAX_VALUE]
            for key, value in list(row.items())[: _MAX_EXTRA + len(named)]
            if key not in named
            and value is not None
            and (name := text_of(str(key)[:100])) is not None
            and (text := text_of(str(value))) is not None
        }
        caption = text_of(row.get(config.caption_column))
        provenance = Provenance("urls", license=found.code, license_version=found.version)
        return Candidate(url, label, provenance, caption, extra=extra)


def _format_of(name: str) -> Literal["txt", "csv", "tsv", "jsonl"] | None:
    stem = name.removesuffix(".gz")
    for form in FORMATS:
        if stem.endswith(f".{form}"):
            return form
    return None
