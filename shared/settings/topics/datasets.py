from typing import Annotated

from pydantic import Field

from shared.settings.topics.topic import Topic
from shared.settings.value_types import LinkSeconds, PriceChanges


class DatasetSettings(Topic):
    """Datasets."""

    download_link_seconds: LinkSeconds = 3600.0
    """How long a download link works, at most 7 days, as Azure allows no more. Links of nearly
    seven days may end up to 75 minutes sooner."""
    archive_part_bytes: Annotated[int, Field(ge=1 << 20)] = 4 << 30
    """The bytes of an archive that one function instance writes. Several instances write a larger archive at the same
    time."""
    work_retention_days: Annotated[int, Field(ge=0)] = 7
    """How many days after a job's end its working files are kept, and with them the files of earlier revisions."""
    lists_per_user: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many [lists](lists.md#a-list-over-the-api) a user may have stored over the API."""
    list_bytes_per_user: Annotated[int, Field(ge=1 << 20, le=1 << 50)] = 10_000_000_000
    """The bytes that these lists may have together."""
    list_retention_days: Annotated[int, Field(ge=8, le=36_500)] = 90
    """After how many days a list that no spec has named is deleted."""
    prices: PriceChanges = None
    """Prices of Azure that differ from those of [the price file](../explanation/costs.md#the-price-file), as JSON, with
    the day of the changes: `{"date": "2026-11-29", "egress": {"gb": 0.08}}`."""
