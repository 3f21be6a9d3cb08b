"""Checks that what a spec names in storage belongs to its owner, and looks up the datasets, when it is submitted.

A user may name the lists below `inputs/{user}/`. The administrator, who owns the jobs of producers, may name all lists.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import FieldError, InvalidRequest, NotFound
from shared.jobs.spec.spec import JobSpec
from shared.records.blob_names import inputs_prefix
from shared.sources.lists.config import UrlsConfig
from shared.sources.source import SourceConfig
from shared.sources.stored.datasets import DatasetConfig
from shared.users.caller import ADMIN

_UNKNOWN = "is not the id of a dataset of yours"


async def resolve_datasets(spec: JobSpec, user_id: str, catalog: Catalog) -> JobSpec:
    """Returns the spec with the current records blobs of the datasets that it uses as sources.

    Raises:
        InvalidRequest: this user has no such dataset, or may not name the blob of a list. The error lists every such
            field.
    """
    wrong = _lists_of_others(spec, user_id)
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
        raise InvalidRequest("The job's spec names what is not there.", tuple(wrong))
    return spec.model_copy(update={"sources": tuple(sources)})


async def note_use(spec: JobSpec, user_id: str, catalog: Catalog, now: datetime) -> None:
    """Records that a job reads the datasets that its spec uses as sources, so that no policy moves them meanwhile."""

    def use(dataset: Dataset) -> Dataset:
        return replace(dataset, keeping=dataset.keeping.read_by_job(now))

    for dataset_id in {config.id for config in spec.sources if isinstance(config, DatasetConfig)}:
        # a dataset that is deleted just now is found to be gone when the job reads it
        with suppress(NotFound):
            await catalog.keep(user_id, dataset_id, use)


def _lists_of_others(spec: JobSpec, user_id: str) -> list[FieldError]:
    """Returns an error for each list that is not below the user's own folder, whether there is such a blob or not."""
    folder = inputs_prefix(user_id)
    return [
        FieldError(f"sources.{number}.blob", f"must be a blob under {folder}")
        for number, config in enumerate(spec.sources)
        if isinstance(config, UrlsConfig)
        and config.blob is not None
        and user_id != ADMIN
        and not config.blob.startswith(folder)
    ]
