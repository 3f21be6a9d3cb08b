"""Says how many images a job can keep at most, as far as its spec tells."""

from shared.jobs.spec.spec import JobSpec
from shared.sources.lists.config import UrlsConfig
from shared.sources.source import SourceConfig
from shared.sources.stored.blobs import BlobsConfig


def most_images(spec: JobSpec) -> int | None:
    """Returns the most images that a job of the spec can keep; None if the spec does not say.

    It says so if all sources search, since each label has a limit then; or if all are lists in the spec itself.
    """
    if all(config.searches for config in spec.sources):
        limits = [spec.limit_of(label, searched=True) for label in spec.labels]
        return sum(limit for limit in limits if limit is not None)
    lengths = [_length(config) for config in spec.sources]
    known = [length for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None


def _length(config: SourceConfig) -> int | None:
    """Returns the number of items in a list that stands in the spec, or None if the source is something else."""
    if isinstance(config, UrlsConfig | BlobsConfig) and config.items is not None:
        return len(config.items)
    return None
