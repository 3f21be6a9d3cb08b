"""Looks up the earlier datasets that a spec names, once, when it is submitted. They must belong to its owner."""

from shared.datasets.catalog import Catalog
from shared.errors import FieldError, InvalidRequest
from shared.jobs.spec.spec import JobSpec
from shared.sources.source import SourceConfig
from shared.sources.stored.datasets import DatasetConfig

_UNKNOWN = "is not the id of a dataset of yours"


async def resolve_datasets(spec: JobSpec, user_id: str, catalog: Catalog) -> JobSpec:
    """Returns the spec with the current records blobs of the datasets that it uses as sources.

    Raises:
        InvalidRequest: this user has no such dataset. The error lists every field that names a missing dataset.
    """
    wrong: list[FieldError] = []
    sources: list[SourceConfig] = []
    for number, config in enumerate(spec.sources):
        if not isinstance(config, DatasetConfig):
            sources.append(config)
            continue
        dataset = await catalog.get(user_id, config.id)
        if dataset is None:
            wrong.append(FieldError(f"sources.{number}.id", _UNKNOWN))
        else:
            sources.append(config.model_copy(update={"records_blob": dataset.records_blob}))
    for number, dataset_id in enumerate(spec.dedup.against):
        if await catalog.get(user_id, dataset_id) is None:
            wrong.append(FieldError(f"dedup.against.{number}", _UNKNOWN))
    if wrong:
        raise InvalidRequest("The job's spec names datasets that are not there.", tuple(wrong))
    return spec.model_copy(update={"sources": tuple(sources)})
