"""Configures URL lists: items in the spec itself, or the blob of a list and the names of its columns."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shared.records.blob_names import INPUTS
from shared.sources.fields import text_of
from shared.sources.lists.parquet_rows import MISSING, can_read_parquet
from shared.sources.lists.rows import FORMATS
from shared.sources.source import SourceConfig
from shared.text.blob_name_rule import BlobName
from shared.text.labels import UNLABELLED, Label

PARQUET: Final = "parquet"
_MAX_FURTHER = 100
_encode = json.JSONEncoder(ensure_ascii=False).encode
_encode_strictly = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

type ListFormat = Literal["txt", "csv", "tsv", "jsonl", "json", "parquet"]


class UrlItem(BaseModel):
    """One image of a list in the spec. Its record keeps its further fields.

    Items that the app itself has stored are not checked again.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    url: Annotated[str, Field(min_length=1)]
    label: str | None = None
    caption: str | None = None
    title: str | None = None
    creator: str | None = None
    creator_url: str | None = None
    page_url: str | None = None
    license: str | None = None
    license_url: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _further_fields_are_plain(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, Mapping):
            return data
        further = {key: value for key, value in data.items() if key not in _ITEM_FIELDS}
        stored = bool(info.context and info.context.get("internal"))
        if not stored and len(further) > _MAX_FURTHER:
            raise ValueError(f"must have at most {_MAX_FURTHER} further fields")
        if not stored and not all(_is_plain(key, value) for key, value in further.items()):
            raise ValueError("further fields must be numbers, plain text or JSON of at most 2,000 characters")
        return {
            **data,
            **{key: written(value) for key, value in further.items() if isinstance(value, (list, dict))},
        }


_ITEM_FIELDS = frozenset(UrlItem.model_fields)


def _with_url(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


type Item = Annotated[UrlItem, BeforeValidator(_with_url, json_schema_input_type=str | UrlItem)]
"""An image of a list. It may be the URL alone."""


class UrlsConfig(SourceConfig):
    """Configures `{"type": "urls", "items": […]}` or `{"type": "urls", "blob": "inputs/list.csv"}`.

    The default of `format` depends on the blob's name. The `*_column` options name a table's columns, or the fields
    of JSON objects. `label` is for rows without a label.
    """

    type: Literal["urls"] = "urls"
    items: Annotated[tuple[Item, ...], Strict(False), FailFast(), Field(min_length=1)] | None = None
    blob: BlobName | None = None
    format: Annotated[ListFormat | None, Field(validate_default=True)] = None
    url_column: str = "url"
    label_column: str = "label"
    caption_column: str = "caption"
    title_column: str = "title"
    creator_column: str = "creator"
    creator_url_column: str = "creator_url"
    page_url_column: str = "page_url"
    license_column: str = "license"
    license_url_column: str = "license_url"
    label: Label = UNLABELLED

    @field_validator("blob")
    @classmethod
    def _is_an_input(cls, blob: str | None) -> str | None:
        if blob is not None and not blob.startswith(INPUTS):
            raise ValueError(f"must be a blob under {INPUTS}")
        return blob

    @field_validator("format")
    @classmethod
    def _can_be_read(cls, given: ListFormat | None, info: ValidationInfo) -> ListFormat | None:
        blob = info.data.get("blob")
        list_format = given or (format_of(blob) if blob else None)
        if blob and list_format is None:
            raise ValueError(
                f"the blob's name has no known ending: must be one of {', '.join((*FORMATS, PARQUET))}"
            )
        if list_format == PARQUET and not can_read_parquet():
            raise ValueError(MISSING)
        return given

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if (self.items is None) == (self.blob is None):
            raise ValueError("give either items or a blob")
        return self


def written(value: object) -> str:
    """Returns a further field as text. A value that is neither text nor a number is written as JSON."""
    return _encode(value) if isinstance(value, (bool, list, dict)) else str(value)


def _is_plain(key: str, value: object) -> bool:
    """Whether a further field can be written without loss."""
    try:
        text = value if isinstance(value, str) else _encode_strictly(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return all(text_of(each) == each for each in (key, text) if each)


def format_of(name: str) -> ListFormat | None:
    """Returns the format that a blob's name ends in, with or without `.gz`. None if the ending is not known."""
    name = name.lower()
    stem = name.removesuffix(".gz")
    for list_format in FORMATS:
        if stem.endswith(f".{list_format}"):
            return list_format
    return PARQUET if name.endswith(".parquet") else None
