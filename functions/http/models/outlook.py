"""Models of the answer that says what a spec would do."""

from typing import TYPE_CHECKING, Final, Self

from pydantic import JsonValue

from functions.http.declared import Model
from functions.http.models.estimate import AllowanceAnswer, EstimateAnswer
from functions.http.problems import Problem, describe

if TYPE_CHECKING:
    from shared.jobs.spec.spec import JobSpec
    from shared.jobs.submission.forecast import Forecast, LabelForecast, SourceForecast

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

    `accepted` says whether it would be taken now. If not, `refusals` are the problems that its submission would meet.
    `spec` has all fields, with the defaults of those that were left out. `labels` has those that are known before the
    sources are asked. The numbers are upper bounds, and null if no bound is known. A source that lacks a setting is not
    counted. `allowance` is null for a caller without limits, and `estimate` is null if no number of images is known.
    """

    accepted: bool
    spec: dict[str, JsonValue]
    sources: list[SourceOutlook]
    labels: dict[str, LabelOutlook]
    candidates_max: int | None
    images_max: int | None
    warnings: list[SpecWarning]
    refusals: list[Problem]
    allowance: AllowanceAnswer | None
    estimate: EstimateAnswer | None

    @classmethod
    def of(cls, forecast: "Forecast") -> Self:
        """Returns the answer for a forecast."""
        allowance, estimate = forecast.allowance, forecast.estimate
        return cls(
            accepted=not forecast.refusals,
            spec=_all_fields(forecast.spec),
            sources=[SourceOutlook.of(source) for source in forecast.sources],
            labels={name: LabelOutlook.of(label) for name, label in forecast.labels.items()},
            candidates_max=forecast.candidates,
            images_max=forecast.images,
            warnings=[SpecWarning(field=each.field, message=each.message) for each in forecast.warnings],
            refusals=[describe(error) for error in forecast.refusals],
            allowance=AllowanceAnswer.of(allowance) if allowance else None,
            estimate=EstimateAnswer.of(estimate) if estimate else None,
        )


def _all_fields(spec: "JobSpec") -> dict[str, JsonValue]:
    """Returns the spec's JSON with all defaults. Items of lists have only the fields that they were given."""
    found: dict[str, JsonValue] = spec.model_dump(mode="json", exclude={"sources"})
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
