"""The filters of lists, as keywords of the methods of both clients."""

from typing_extensions import TypedDict


class JobFilters(TypedDict, total=False):
    """Which jobs to list. A filter that is None filters nothing."""

    state: str | None
    name: str | None
    since: str | None


class RecordFilters(TypedDict, total=False):
    """Which records of a job to list."""

    outcome: str | None
    reason: str | None
    label: str | None


class ImageFilters(TypedDict, total=False):
    """Which images to list, and in which order. `split` and `sort` are for datasets only, not for their jobs."""

    label: str | None
    license: str | None
    source: str | None
    split: str | None
    sort: str | None
