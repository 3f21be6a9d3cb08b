"""The spec: what a job wants, as its owner wrote it, checked field by field."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    ModelWrapValidatorHandler,
    PlainSerializer,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.archiving.options import Dedup, Output, Splits
from shared.crawling.options import Filters, Transform
from shared.errors import FieldError, InvalidRequest
from shared.jobs.spec.field_errors import field_errors
from shared.jobs.spec.products import too_many_items, too_many_pages, too_many_searches
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


def _callable(url: HttpUrl) -> HttpUrl:
    """What the webhook's client will take; told now, since nobody would hear of it later."""
    try:
        parse_url(str(url))
    except InvalidRequest as error:
        raise ValueError(error.detail) from None
    return url


def _at_most(most: int) -> BeforeValidator:
    """That there are no more entries, told before they are looked at."""

    def check(value: object) -> object:
        if isinstance(value, list | tuple | Mapping) and len(value) > most:
            raise ValueError(f"must have at most {most} items")
        return value

    return BeforeValidator(check)


def _stay_apart(labels: object) -> object:
    """See that none looks the same as another that is written otherwise."""
    seen: dict[str, str] = {}
    for label in labels if isinstance(labels, list | Mapping) else ():
        if isinstance(label, str):
            same = seen.setdefault(clean_label(label) or label, label)
            if same != label:
                raise ValueError(f"{shown(same)!r} and {shown(label)!r} are the same label")
    return labels


# names and search words are cleaned as labels are
type Text = Label
type Keywords = Annotated[tuple[Text, ...], Strict(False), Field(min_length=1), _at_most(_MAX_KEYWORDS)]
type Source = Annotated[
    SourceConfig, BeforeValidator(_source), PlainSerializer(lambda config: config.model_dump(mode="json"))
]


class JobSpec(BaseModel):
    """One request for a dataset. Everything but labels (or keywords) or sources has a default.

    Without sources, Openverse is searched. `max_images_per_label` without a value keeps up to 500 images a label of
    what searches find, and everything of a label that URL lists or other sources name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Text = "dataset"
    labels: Annotated[dict[Text, Keywords], BeforeValidator(_stay_apart), _at_most(_MAX_LABELS)] = {}
    keywords: Annotated[
        tuple[Text, ...],
        Strict(False),
        BeforeValidator(_stay_apart),
        _at_most(_MAX_LABELS),
        Field(exclude=True, repr=False, description="the short form of labels, which they become"),
    ] = ()
    variations: Variations = Variations()
    sources: Annotated[tuple[Source, ...], Strict(False), _at_most(_MAX_SOURCES)] = ()
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
    def _or_labels(cls, keywords: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("labels"):
            raise ValueError("give either keywords or labels, not both")
        return keywords

    @model_validator(mode="wrap")
    @classmethod
    def _is_a_whole(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        """What concerns several fields. What the app itself has stored was checked when it came in."""
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

    def limit_of(self, label: str, *, searched: bool) -> int | None:
        """How many images of a label are wanted; None where everything is."""
        del label  # one limit for all labels, today
        return self.max_images_per_label or (_SEARCH_LIMIT if searched else None)


def _with_sources(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The spec with the source that is the default."""
    searched = data.get("labels") or data.get("keywords")
    return {**data, "sources": [{"type": "openverse"}]} if searched and not data.get("sources") else data


def _check_searches(spec: JobSpec, words: str) -> None:
    """See that what is to be searched for and what searches come together; `words` is the field of the former."""
    if not spec.labels and not spec.sources:
        raise ValueError("name what you want: labels, keywords or sources")
    searching = [config.type for config in spec.sources if config.searches]
    if searching and not spec.labels:
        _check(FieldError(words, f"{searching[0]} searches by keyword: give labels or keywords"))


def _check(wrong: FieldError | None) -> None:
    """Refuse the spec where a check of several fields together has found one wrong."""
    if wrong is None:
        return
    error = PydanticCustomError("value_error", "{message}", {"message": wrong.message})
    raise ValidationError.from_exception_data(
        "JobSpec", [InitErrorDetails(type=error, loc=(wrong.field,), input=None)]
    )


def _is_internal(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("internal"))


class SpecReader:
    """Reads specs, whose sources may be those of the registry."""

    def __init__(self, sources: SourceRegistry) -> None:
        self._sources = sources

    def parse(self, data: object, *, internal: bool = False) -> JobSpec:
        """A spec from decoded JSON. `internal` admits what only the app itself may write.

        Raises:
            InvalidRequest: it is wrong; every wrong field is named, up to twenty.
        """
        try:
            return JobSpec.model_validate(data, context={"sources": self._sources, "internal": internal})
        except ValidationError as error:
            raise InvalidRequest("The job's spec is not valid.", field_errors(error)) from None

    def decode(self, text: str | bytes, *, internal: bool = False) -> JobSpec:
        """A spec from JSON text. An `internal` one was stored by the app, and is not held to the limits for new specs.

        Raises:
            InvalidRequest: it is not JSON, or it is wrong.
        """
        data = json.loads(text) if internal else read_json(text, "The job's spec")
        return self.parse(data, internal=internal)

    def check_sources(self, spec: JobSpec) -> None:
        """See that the spec's sources can be used as the app is set up.

        Raises:
            InvalidRequest: some lack a setting; each is named with it.
        """
        self._sources.check(spec.sources)


def encode_spec(spec: JobSpec) -> bytes:
    """As JSON; `SpecReader.decode(…, internal=True)` reads it back."""
    return spec.model_dump_json(exclude_defaults=True).encode()
