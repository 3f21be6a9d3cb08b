"""Says what a spec would do, before it is submitted: what is asked, and how many candidates and images there can be.

Nothing is stored, and no service is asked. The numbers are upper bounds. None stands for one without a known bound.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.errors import AppError, FieldError, InvalidRequest, Permanent
from shared.jobs.flow.quotas import Allowance, Quotas
from shared.jobs.flow.rounds import most_candidates
from shared.jobs.spec.effects import asked_sources, without_effect
from shared.jobs.spec.spec import JobSpec
from shared.jobs.submission.estimate import Estimate, Estimator
from shared.jobs.submission.spec_checks import SpecChecks
from shared.sources.registry import SourceRegistry
from shared.sources.source import Query, Source, SourceConfig
from shared.sources.stored.datasets import DatasetConfig


@dataclass(slots=True)
class SourceForecast:
    """The queries of one source.

    Attributes:
        type: Its type in the spec.
        missing: The setting that the app lacks for it, or None. With a missing setting, the spec is refused.
        asked: Whether it is asked at all.
        queries: How many queries it is asked.
        variations: How many queries it is asked in addition, where too few images are found.
        candidates: How many candidates it has at most.
    """

    type: str
    missing: str | None = None
    asked: bool = False
    queries: int = 0
    variations: int = 0
    candidates: int | None = 0


@dataclass(slots=True)
class LabelForecast:
    """The queries for one label. Its numbers mean the same as those of `SourceForecast`, after the label's limit."""

    queries: int = 0
    variations: int = 0
    candidates: int | None = 0
    images: int | None = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """The effects that a spec would have.

    `labels` has only those that are known before the sources are asked. `candidates` and `images` are of all labels.
    `refusals` are the errors that the submission of the spec would raise now. `allowance` is None for the
    administrator, and `estimate` is None if neither the spec nor the tier says how many images there can be.
    """

    spec: JobSpec
    sources: Sequence[SourceForecast]
    labels: Mapping[str, LabelForecast]
    candidates: int | None
    images: int | None
    warnings: Sequence[FieldError]
    refusals: Sequence[AppError] = ()
    allowance: Allowance | None = None
    estimate: Estimate | None = None


@dataclass(slots=True)
class _Offer:
    """The largest numbers of candidates of one label: of queries with a limit per label, and of those without."""

    seen: LabelForecast = field(default_factory=LabelForecast)
    limited: int | None = 0
    unlimited: int | None = 0


class Forecasts:
    """Makes forecasts with the sources that the process knows."""

    def __init__(
        self, sources: SourceRegistry, checks: SpecChecks, quotas: Quotas, estimator: Estimator
    ) -> None:
        self._sources = sources
        self._checks = checks
        self._quotas = quotas
        self._estimator = estimator

    async def of(self, spec: JobSpec, user_id: str) -> Forecast:
        """Returns what the spec would do if this user submitted it.

        Raises:
            InvalidRequest: this user has no dataset that the spec names, or its webhook would never be called.
            Forbidden: the user is not active.
        """
        resolved = await self._checks.complete(spec, user_id)
        images: dict[str, int] = {}
        for config in resolved.sources:
            if isinstance(config, DatasetConfig) and config.id not in images:
                dataset = await self._checks.catalog.get(user_id, config.id)
                images[config.id] = dataset.image_count if dataset else 0
        # a large spec takes up to a second, and other calls must not wait
        found = await asyncio.to_thread(lambda: _Counting(resolved, self._sources, images).forecast())
        allowance = await self._quotas.preview(user_id, resolved)
        bounds = (found.images, allowance.images if allowance else None)
        known = [bound for bound in bounds if bound is not None]
        return replace(
            found,
            refusals=[*self._missing_settings(resolved), *(allowance.refusals if allowance else ())],
            allowance=allowance,
            estimate=self._estimator.of(resolved, min(known), found.candidates) if known else None,
        )

    def _missing_settings(self, spec: JobSpec) -> Sequence[AppError]:
        try:
            self._sources.check(spec.sources)
        except InvalidRequest as error:
            return (error,)
        return ()


class _Counting:
    """Counts what one spec would do. `images` has the number of images of each dataset that is a source."""

    def __init__(self, spec: JobSpec, registry: SourceRegistry, images: Mapping[str, int]) -> None:
        self._spec = spec
        self._registry = registry
        self._images = images
        self._offers: dict[str | None, _Offer] = {}
        self._sources: list[SourceForecast] = []
        self._warnings: list[FieldError] = []
        self._searched = False
        texts = ((label, spec.variations.of(keywords)) for label, keywords in spec.labels.items())
        self._variations = {label: found for label, found in texts if found}

    def forecast(self) -> Forecast:
        for position, config in enumerate(asked_sources(self._spec)):
            given = self._spec.sources[position]
            source = SourceForecast(given.type, self._registry.missing(given))
            self._sources.append(source)
            if config is not None and source.missing is None:
                self._ask(position, config, source)
        for label, offer in self._offers.items():
            self._limit(label, offer)
        found = [offer.seen for offer in self._offers.values()]
        is_known = all(source.missing is None for source in self._sources)
        self._warnings += without_effect(self._spec, searched=self._searched or not is_known)
        return Forecast(
            self._spec,
            self._sources,
            {label: offer.seen for label, offer in self._offers.items() if label is not None},
            _total(label.candidates for label in found),
            _total(label.images for label in found),
            self._warnings,
        )

    def _ask(self, position: int, config: SourceConfig, counted: SourceForecast) -> None:
        """Counts the queries of a source, as discovery makes them."""
        spec = self._spec
        try:
            source = self._registry.open(config, spec.respect, spec.filters.formats)
        except Permanent as error:
            self._warnings.append(FieldError(f"sources.{position}", f"cannot be used: {error.detail}"))
            return
        counted.asked = True
        most = self._registry.most(config)
        if isinstance(config, DatasetConfig):
            most = self._images[config.id]
        queries = source.queries(spec.labels)
        further = self._further(source) if config.searches else ()
        for query in queries:
            counted.queries += 1
            self._searched = self._searched or bool(query.text)
            self._offer(query, config, most).seen.queries += 1
        for query in further:
            counted.variations += 1
            self._offer(query, config, most).seen.variations += 1
        counted.candidates = _times(most, counted.queries + counted.variations)

    def _further(self, source: Source) -> Sequence[Query]:
        return [
            query for label, texts in self._variations.items() for query in source.queries({label: texts})
        ]

    def _offer(self, query: Query, config: SourceConfig, most: int | None) -> _Offer:
        """Notes that a query has at most `most` candidates for its label."""
        offer = self._offers.setdefault(query.label, _Offer())
        if self._spec.limit_of(query.label or "", searched=config.searches) is None:
            offer.unlimited = _total((offer.unlimited, most))
        else:
            offer.limited = _total((offer.limited, most))
        return offer

    def _limit(self, label: str | None, offer: _Offer) -> None:
        """Applies the limit of images per label. Queries whose labels are not known have any number of labels."""
        limit = self._spec.limit_of(label or "", searched=True)
        limited = offer.limited
        if label is not None and limit is not None:
            limited = _least(limited, most_candidates(limit))
        offer.seen.candidates = offer.seen.images = _total((limited, offer.unlimited))
        # a list may name any label, which then has no limit of images
        anything = self._offers.get(None)
        has_limit = offer.unlimited == 0 and (anything is None or anything.unlimited == 0)
        if label is not None and limit is not None and has_limit:
            offer.seen.images = _least(offer.seen.candidates, limit)


def _total(numbers: Iterable[int | None]) -> int | None:
    """Returns the sum of the numbers, or None if one of them is None, because it is not known."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _times(number: int | None, factor: int) -> int | None:
    return number * factor if number is not None else None if factor else 0


def _least(number: int | None, limit: int) -> int:
    return limit if number is None else min(number, limit)
