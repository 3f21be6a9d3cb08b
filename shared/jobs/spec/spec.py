"""Defines the spec, which is an owner's description of a job, and checks each field of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    HttpUrl,
    ModelWrapValidatorHandler,
    PlainSerializer,
    SerializationInfo,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from shared.archiving.options import Dedup, Output, Splits
from shared.crawling.options import Filters, Transform
from shared.errors import FieldError, InvalidRequest
from shared.jobs.spec.field_errors import field_errors
from shared.jobs.spec.products import too_many_items, too_many_pages, too_many_searches
from shared.records.scores import RELEVANCE
from shared.sources.keywords.variations import Variations
from shared.sources.registry import SourceRegistry
from shared.sources.source import SourceConfig
from shared.text.labels import Label, clean_label
from shared.text.strict_json import read_json, shown
from shared.web.addresses.urls import parse_url
from shared.web.wishes.respect import Respect

MAX_SPEC_BYTES = 4_000_000
_MAX_LABELS = 1000
_MAX_KEYWORDS = 50
_MAX_SOURCES = 50
_SEARCH_LIMIT = 500


def _source(value: object, info: ValidationInfo) -> SourceConfig:
    if isinstance(value, SourceConfig):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("must be an object with a type")  # noqa: TRY004 - pydantic collects ValueErrors only
    sources: SourceRegistry = (info.context or {})["sources"]
    return sources.parse(value, internal=_is_internal(info))


def _fields(config: SourceConfig, info: SerializationInfo) -> dict[str, Any]:
    """Returns a source's fields as JSON. Its type is the default of its class, and is never left out."""
    return {"type": config.type, **config.model_dump(mode="json", exclude_defaults=info.exclude_defaults)}


def _callable(url: HttpUrl) -> HttpUrl:
    """Checks that the webhook's client accepts the URL, while the caller can still see the error."""
    try:
        parse_url(str(url))
    except InvalidRequest as error:
        raise ValueError(error.detail) from None
    return url


@dataclass(frozen=True, slots=True)
class _AtMost:
    """Limits the number of entries of a list or an object, and checks it before the entries."""

    most: int

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler(schema)
        return {**found, "maxProperties" if found["type"] == "object" else "maxItems": self.most}

    def _checked(self, value: object) -> object:
        if isinstance(value, list | tuple | Mapping) and len(value) > self.most:
            raise ValueError(f"must have at most {self.most} items")
        return value


def _without_doubles(labels: object) -> object:
    """Checks that no two different labels become the same when they are cleaned."""
    seen: dict[str, str] = {}
    for label in labels if isinstance(labels, list | Mapping) else ():
        if isinstance(label, str):
            same = seen.setdefault(clean_label(label) or label, label)
            if same != label:
                raise ValueError(f"{shown(same)!r} and {shown(label)!r} are the same label")
    return labels


# Names and keywords are cleaned as labels are.
type Text = Label
type Keywords = Annotated[tuple[Text, ...], Strict(False), Field(min_length=1), _AtMost(_MAX_KEYWORDS)]
type Source = Annotated[SourceConfig, BeforeValidator(_source), PlainSerializer(_fields)]


class JobSpec(BaseModel):
    """One request for a dataset. It needs labels, keywords or sources; all other fields have defaults.

    Without sources, Openverse is searched. Without `max_images_per_label`, the limit is 500 images per label for
    search results, and there is no limit for labels that come from URL lists or other sources.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Text = "dataset"
    labels: Annotated[dict[Text, Keywords], BeforeValidator(_without_doubles), _AtMost(_MAX_LABELS)] = {}
    keywords: Annotated[
        tuple[Text, ...],
        Strict(False),
        BeforeValidator(_without_doubles),
        _AtMost(_MAX_LABELS),
        Field(exclude=True, repr=False, description="the short form of labels, which they become"),
    ] = ()
    variations: Variations = Variations()
    sources: Annotated[tuple[Source, ...], Strict(False), _AtMost(_MAX_SOURCES)] = ()
    max_images_per_label: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    filters: Filters = Filters()
    transform: Transform | None = None
    dedup: Dedup = Dedup()
    splits: Splits = Splits()
    output: Output = Output()
    respect: Respect = Respect()
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    webhook_url: Annotated[HttpUrl, AfterValidator(_callable)] | None = None

    @field_validator("keywords")
    @classmethod
    def _without_labels(cls, keywords: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("labels"):
            raise ValueError("give either keywords or labels, not both")
        return keywords

    @model_validator(mode="wrap")
    @classmethod
    def _check_together(
        cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """Checks what concerns several fields. A spec that the app has stored was checked when it was submitted."""
        if not _is_internal(info):
            _check(too_many_items(data))
        spec = handler(_with_sources(data) if isinstance(data, Mapping) else data)
        if spec.keywords:
            spec = spec.model_copy(
                update={"labels": {word: (word,) for word in spec.keywords}, "keywords": ()}
            )
        if not _is_internal(info):
            words = "keywords" if "keywords" in data else "labels"
            _check_searches(spec, words)
            _check(too_many_searches(spec.labels, spec.variations, spec.sources, words))
            _check(too_many_pages(spec.sources))
        return spec

    @property
    def wants_relevance(self) -> bool:
        """Whether a model measures how well the pictures show their labels."""
        return self.output.relevance or RELEVANCE in self.filters.scores

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """The columns of annotations that only some jobs ask for, in the order of `OPTIONAL_COLUMNS`."""
        filters = self.filters
        wanted = {
            RELEVANCE: self.wants_relevance,
            "faces": filters.looks_for_faces,
            "nsfw": filters.rates_content,
        }
        return tuple(name for name, is_wanted in wanted.items() if is_wanted)

    def limit_of(self, label: str, *, searched: bool) -> int | None:
        """Returns how many images of a label are wanted; None if there is no limit."""
        # All labels have the same limit today.
        del label
        return self.max_images_per_label or (_SEARCH_LIMIT if searched else None)


def _with_sources(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the spec with the default source if it searches and names no source."""
    searched = data.get("labels") or data.get("keywords")
    return {**data, "sources": [{"type": "openverse"}]} if searched and not data.get("sources") else data


def _check_searches(spec: JobSpec, words: str) -> None:
    """Checks that a spec has keywords if a source searches. `words` is the field with the keywords."""
    if not spec.labels and not spec.sources:
        raise ValueError("name what you want: labels, keywords or sources")
    searching = [config.type for config in spec.sources if config.searches]
    if searching and not spec.labels:
        _check(FieldError(words, f"{searching[0]} searches by keyword: give labels or keywords"))


def _check(wrong: FieldError | None) -> None:
    """Refuses the spec if a check has found an error."""
    if wrong is None:
        return
    error = PydanticCustomError("value_error", "{message}", {"message": wrong.message})
    raise ValidationError.from_exception_data(
        "JobSpec", [InitErrorDetails(type=error, loc=(wrong.field,), input=None)]
    )


def _is_internal(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("internal"))


class SpecReader:
    """Reads specs. Their sources must be in the registry."""

    def __init__(self, sources: SourceRegistry) -> None:
        self._sources = sources

    def parse(self, data: object, *, internal: bool = False) -> JobSpec:
        """Returns the spec in decoded JSON. Pass `internal=True` for a spec that the app itself made.

        Raises:
            InvalidRequest: the spec is not valid. The error names up to twenty wrong fields.
        """
        try:
            return JobSpec.model_validate(data, context={"sources": self._sources, "internal": internal})
        except ValidationError as error:
            raise InvalidRequest("The job's spec is not valid.", field_errors(error)) from None

    def decode(self, text: str | bytes, *, internal: bool = False) -> JobSpec:
        """Returns the spec in JSON text. Limits for new specs do not apply to an `internal` one, which the app stored.

        Raises:
            InvalidRequest: the text is not JSON, or the spec is not valid.
        """
        data = json.loads(text) if internal else read_json(text, "The job's spec")
        return self.parse(data, internal=internal)

    def check_sources(self, spec: JobSpec) -> None:
        """Checks that the app's settings are enough for the spec's sources.

        Raises:
            InvalidRequest: some sources lack a setting. The error names each source and its setting.
        """
        self._sources.check(spec.sources)


def encode_spec(spec: JobSpec) -> bytes:
    """Returns the spec as JSON, without fields that have their default.

    `SpecReader.decode(…, internal=True)` reads it.
    """
    return spec.model_dump_json(exclude_defaults=True).encode()
