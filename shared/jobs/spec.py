"""The spec: what a job wants, as its owner wrote it, checked field by field."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shared.archiving.options import Dedup, Output, Splits
from shared.crawling.options import Filters, Transform
from shared.errors import InvalidRequest
from shared.jobs.field_errors import field_errors
from shared.sources.registry import parse_source
from shared.sources.source import SourceConfig
from shared.sources.variations import Variations
from shared.web.respect import Respect
from shared.web.urls import parse_url

MAX_SPEC_BYTES = 4_000_000
_MAX_LABELS = 1000
_MAX_KEYWORDS = 50
_MAX_TEXT = 200
_SEARCH_LIMIT = 500


def _plain_text(value: str) -> str:
    """Trimmed and NFC-normalised, so that what looks the same is the same."""
    text = unicodedata.normalize("NFC", value).strip()
    if not text:
        raise ValueError("must not be empty")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("must not contain control characters")
    return text


def _source(value: object, info: ValidationInfo) -> SourceConfig:
    if isinstance(value, SourceConfig):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("must be an object with a type")  # noqa: TRY004 - pydantic collects ValueErrors only
    internal = bool(info.context and info.context.get("internal"))
    return parse_source(value, internal=internal)


def _callable(url: HttpUrl) -> HttpUrl:
    """What the webhook's client will take; told now, since nobody would hear of it later."""
    try:
        parse_url(str(url))
    except InvalidRequest as error:
        raise ValueError(error.detail) from None
    return url


type Text = Annotated[
    str, Field(max_length=_MAX_TEXT), BeforeValidator(lambda v: _plain_text(v) if isinstance(v, str) else v)
]
type Source = Annotated[
    SourceConfig, BeforeValidator(_source), PlainSerializer(lambda config: config.model_dump(mode="json"))
]


class JobSpec(BaseModel):
    """One request for a dataset. Everything but labels (or keywords) or sources has a default.

    Without sources, Openverse is searched. `max_images_per_label` without a value keeps up to 500 images a label of
    what searches find, and everything of a label that URL lists or other sources name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text = "dataset"
    labels: Annotated[
        dict[Text, Annotated[tuple[Text, ...], Field(min_length=1, max_length=_MAX_KEYWORDS)]],
        Field(max_length=_MAX_LABELS),
    ] = {}
    variations: Variations = Variations()
    sources: Annotated[tuple[Source, ...], Field(max_length=50)] = ()
    max_images_per_label: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    filters: Filters = Filters()
    transform: Transform | None = None
    dedup: Dedup = Dedup()
    splits: Splits = Splits()
    output: Output = Output()
    respect: Respect = Respect()
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    webhook_url: Annotated[HttpUrl, AfterValidator(_callable)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _search_is_the_default(cls, data: Any) -> Any:
        if (
            isinstance(data, Mapping)
            and (data.get("labels") or data.get("keywords"))
            and not data.get("sources")
        ):
            return {**data, "sources": [{"type": "openverse"}]}
        return data

    @model_validator(mode="before")
    @classmethod
    def _keywords_are_short_for_labels(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "keywords" not in data:
            return data
        if data.get("labels"):
            raise ValueError("give either keywords or labels, not both")
        keywords = data["keywords"]
        if not isinstance(keywords, list) or not all(isinstance(word, str) for word in keywords):
            raise ValueError("keywords must be a list of strings")
        rest = {key: value for key, value in data.items() if key != "keywords"}
        return rest | {"labels": {word: [word] for word in keywords}}

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_stay_apart(cls, labels: Any) -> Any:
        if not isinstance(labels, Mapping):
            return labels
        seen: dict[str, str] = {}
        for label in labels:
            if not isinstance(label, str):
                continue
            same = seen.setdefault(unicodedata.normalize("NFC", label).strip(), label)
            if same != label:
                raise ValueError(f"{same!r} and {label!r} are the same label")
        return labels

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.labels and not self.sources:
            raise ValueError("name what you want: labels, keywords or sources")
        searched = [config.type for config in self.sources if config.searches]
        if searched and not self.labels:
            raise ValueError(f"{searched[0]} searches by keyword: give labels or keywords")
        return self

    def limit_of(self, label: str, *, searched: bool) -> int | None:
        """How many images of a label are wanted; None where everything is."""
        del label  # one limit for all labels, today
        return self.max_images_per_label or (_SEARCH_LIMIT if searched else None)


def parse_spec(data: object, *, internal: bool = False) -> JobSpec:
    """A spec from decoded JSON. `internal` admits what only the app itself may write.

    Raises:
        InvalidRequest: it is wrong; every wrong field is named.
    """
    try:
        return JobSpec.model_validate(data, context={"internal": internal})
    except ValidationError as error:
        raise InvalidRequest("The job's spec is not valid.", field_errors(error)) from None


def decode_spec(text: str | bytes, *, internal: bool = False) -> JobSpec:
    """A spec from JSON text.

    Raises:
        InvalidRequest: it is not JSON, or it is wrong.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest("The job's spec is not JSON.") from None
    return parse_spec(data, internal=internal)


def encode_spec(spec: JobSpec) -> bytes:
    """As JSON; `decode_spec(…, internal=True)` reads it back."""
    return spec.model_dump_json(exclude_defaults=True).encode()
