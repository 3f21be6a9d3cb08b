"""HTTP: says what a spec would do, before anybody submits it."""

import asyncio
from typing import TYPE_CHECKING, Final, Self

from pydantic import JsonValue

from functions.http.call import Answer, Call
from functions.http.declared import Declared, Model, Reply
from functions.http.endpoint import Endpoints
from functions.http.examples import SPEC

if TYPE_CHECKING:
    from shared.jobs.spec.spec import JobSpec
    from shared.jobs.submission.forecast import Forecast, LabelForecast, SourceForecast

endpoints = Endpoints()

# the fields of sources that the app sets
_OWN_FIELDS: Final = frozenset({"records_blob"})


class SourceOutlook(Model):
    """The queries of one source of a spec.

    It is not asked if it lacks a setting, which is then the `missing_setting`, or if a warning says so. `queries` are
    asked first, and `variation_queries` where too few images are found.
    """

    type: str
    asked: bool
    missing_setting: str | None
    queries: int
    variation_queries: int
    candidates_max: int | None

    @classmethod
    def of(cls, source: "SourceForecast") -> Self:
        """Returns the answer for a source."""
        return cls(
            type=source.type,
            asked=source.asked,
            missing_setting=source.missing,
            queries=source.queries,
            variation_queries=source.variations,
            candidates_max=source.candidates,
        )


class LabelOutlook(Model):
    """The queries for one label of a spec, and its upper bounds of candidates and images."""

    queries: int
    variation_queries: int
    candidates_max: int | None
    images_max: int | None

    @classmethod
    def of(cls, label: "LabelForecast") -> Self:
        """Returns the answer for a label."""
        return cls(
            queries=label.queries,
            variation_queries=label.variations,
            candidates_max=label.candidates,
            images_max=label.images,
        )


class SpecWarning(Model):
    """A field of a spec without effect. `message` continues the sentence that `field` begins."""

    field: str
    message: str


class SpecOutlook(Model):
    """The effects that a spec would have.

    `accepted` says whether it could be submitted: no source lacks a setting. `spec` has all fields, also those that
    were left out. `labels` has those that are known before the sources are asked. The numbers are upper bounds, and
    null where none is known. Of a source that lacks a setting nothing is counted.
    """

    accepted: bool
    spec: dict[str, JsonValue]
    sources: list[SourceOutlook]
    labels: dict[str, LabelOutlook]
    candidates_max: int | None
    images_max: int | None
    warnings: list[SpecWarning]

    @classmethod
    def of(cls, forecast: "Forecast") -> Self:
        """Returns the answer for a forecast."""
        return cls(
            accepted=all(source.missing is None for source in forecast.sources),
            spec=_all_fields(forecast.spec),
            sources=[SourceOutlook.of(source) for source in forecast.sources],
            labels={name: LabelOutlook.of(label) for name, label in forecast.labels.items()},
            candidates_max=forecast.candidates,
            images_max=forecast.images,
            warnings=[SpecWarning(field=each.field, message=each.message) for each in forecast.warnings],
        )


_EXAMPLE: Final = {
    "accepted": True,
    "spec": {"name": "dataset", "labels": {"lighthouse": ["lighthouse"]}, "max_images_per_label": 50},
    "sources": [
        {
            "type": "openverse",
            "asked": True,
            "missing_setting": None,
            "queries": 1,
            "variation_queries": 0,
            "candidates_max": 240,
        }
    ],
    "labels": {
        "lighthouse": {"queries": 1, "variation_queries": 0, "candidates_max": 240, "images_max": 50},
    },
    "candidates_max": 240,
    "images_max": 50,
    "warnings": [],
}


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/specs/validate",
        {200: Reply(SpecOutlook, "What the spec would do.", example=_EXAMPLE)},
        body="shared.jobs.spec.spec.JobSpec",
        example=SPEC,
    )
)
async def validate_spec(call: Call) -> Answer:
    """Answers what a spec would do. Nothing is stored, and no service is asked.

    Its queries are counted by source and by label, with upper bounds of the numbers of candidates and images.
    `warnings` name the fields that have no effect. A spec that is not valid is refused as it is when it is submitted.
    """
    spec = await call.read(call.app.specs.parse)
    forecast = await call.app.forecasts.of(spec, call.caller.user_id)
    # the fields of a large spec take a part of a second, and other calls must not wait
    return Answer(await asyncio.to_thread(SpecOutlook.of, forecast))


def _all_fields(spec: "JobSpec") -> dict[str, JsonValue]:
    """Returns the spec's JSON with all defaults. Items of lists have only the fields that they were given."""
    found: dict[str, JsonValue] = spec.model_dump(mode="json")
    found["sources"] = [
        {
            name: _short(value) if name == "items" else value
            for name, value in config.model_dump(mode="json").items()
            if name not in _OWN_FIELDS
        }
        for config in spec.sources
    ]
    return found


def _short(items: JsonValue) -> JsonValue:
    if not isinstance(items, list):
        return items
    return [_filled(item) if isinstance(item, dict) else item for item in items]


def _filled(item: dict[str, JsonValue]) -> JsonValue:
    return {name: value for name, value in item.items() if value is not None}
