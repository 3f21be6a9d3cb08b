"""Finds the parts of a spec that have no effect, and the sources that are not asked."""

from collections.abc import Iterator, Sequence
from typing import Final

from shared.errors import FieldError
from shared.jobs.spec.spec import JobSpec
from shared.sources.lists.config import UrlsConfig
from shared.sources.source import SourceConfig
from shared.sources.stored.datasets import DatasetConfig
from shared.web.wishes.respect import Respect

NOT_ASKED: Final = "not asked, as it gives nothing under the licences of filters.licenses"
"""Why a source is not asked."""
NONE_SEARCHES: Final = "none of the sources searches"
"""Why keywords are not used."""


def asked_sources(spec: JobSpec) -> Sequence[SourceConfig | None]:
    """Returns the configuration of each source as it is asked under the spec's licences; None for one that is not."""
    licenses = spec.filters.licenses
    return [config.under(licenses) if licenses else config for config in spec.sources]


def without_effect(spec: JobSpec, *, searched: bool) -> Iterator[FieldError]:
    """Yields the parts of a spec that change nothing, each with the reason. `searched` says if a source searches."""
    asked = asked_sources(spec)
    for position, config in enumerate(asked):
        if config is None:
            yield FieldError(f"sources.{position}", f"is {NOT_ASKED}")
    if not searched and None not in asked:
        why = f"has no effect: {NONE_SEARCHES}"
        if spec.labels:
            yield FieldError("labels", why)
        if spec.variations.plurals or spec.variations.templates:
            yield FieldError("variations", why)
    yield from _of_sources(spec)
    yield from _of_results(spec)


def _of_sources(spec: JobSpec) -> Iterator[FieldError]:
    for position, config in enumerate(spec.sources):
        if isinstance(config, UrlsConfig) and config.items is not None and config.format is not None:
            yield FieldError(f"sources.{position}.format", "has no effect: it is the format of a blob")
    if spec.respect != Respect() and all(isinstance(config, DatasetConfig) for config in spec.sources):
        yield FieldError("respect", "has no effect: nothing is fetched from the web")


def _of_results(spec: JobSpec) -> Iterator[FieldError]:
    if spec.output.format == "zip" and "shard_size" in spec.output.model_fields_set:
        yield FieldError("output.shard_size", "has no effect: a ZIP file has no shards")
    transform = spec.transform
    if transform is not None and transform.format == "png" and "quality" in transform.model_fields_set:
        yield FieldError("transform.quality", "has no effect: PNG keeps every pixel")
    dedup = spec.dedup
    if dedup.against and not dedup.exact and dedup.near_distance is None:
        yield FieldError("dedup.against", "has no effect: no images are compared")
