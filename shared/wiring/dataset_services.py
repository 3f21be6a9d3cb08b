"""Makes the services about datasets that are made already."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.webhook_services import WebhookServices

if TYPE_CHECKING:
    from shared.datasets.downloads import Downloads


class DatasetServices(WebhookServices):
    """The services about datasets. Each is made on first use."""

    @cached_property
    def downloads(self) -> "Downloads":
        """Makes links to the files of datasets."""
        from shared.datasets.downloads import Downloads

        seconds = self.settings.download_link_seconds
        return Downloads(self.catalog, self.blobs, self.clock, link_seconds=seconds)
