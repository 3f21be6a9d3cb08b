"""Makes the services with which people look at images and at the course of jobs."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.webhook_services import WebhookServices

if TYPE_CHECKING:
    from shared.images.dataset_images import DatasetImages
    from shared.images.files import ImageFiles
    from shared.images.index.duplicates import Duplicates
    from shared.images.index.indexes import Indexes
    from shared.images.index.sorted_images import SortedImages
    from shared.images.index.statistics import DatasetStatistics
    from shared.images.job_images import JobImages
    from shared.insights.job_log import JobLogs
    from shared.jobs.ledger.timeline import Timelines


class ViewingServices(WebhookServices):
    """The services of images, and of the course of jobs. Each is made on first use."""

    @cached_property
    def dataset_images(self) -> "DatasetImages":
        """Finds the images of datasets."""
        from shared.images.dataset_images import DatasetImages

        return DatasetImages(self.catalog, self.blobs, self.clock)

    @cached_property
    def indexes(self) -> "Indexes":
        """Makes the indexes of datasets."""
        from shared.images.index.indexes import Indexes

        return Indexes(self.dataset_images, self.blobs, self.clock)

    @cached_property
    def sorted_images(self) -> "SortedImages":
        """Finds the images of datasets in other orders."""
        from shared.images.index.sorted_images import SortedImages

        return SortedImages(self.indexes)

    @cached_property
    def dataset_statistics(self) -> "DatasetStatistics":
        """Counts the images of datasets."""
        from shared.images.index.statistics import DatasetStatistics

        return DatasetStatistics(self.indexes)

    @cached_property
    def duplicates(self) -> "Duplicates":
        """Finds what was left out of datasets as a copy."""
        from shared.images.index.duplicates import Duplicates

        return Duplicates(self.indexes, self.job_images)

    @cached_property
    def job_images(self) -> "JobImages":
        """Finds the images of jobs."""
        from shared.images.job_images import JobImages

        return JobImages(self.job_data, self.clock)

    @cached_property
    def image_files(self) -> "ImageFiles":
        """Reads images, and makes small ones."""
        from shared.images.files import ImageFiles

        return ImageFiles(self.blobs)

    @cached_property
    def timelines(self) -> "Timelines":
        """Says which steps of jobs ran when."""
        from shared.jobs.ledger.timeline import Timelines

        return Timelines(self.job_data)

    @cached_property
    def job_logs(self) -> "JobLogs":
        """Reads what jobs reported to the telemetry."""
        from shared.insights.job_log import JobLogs

        return JobLogs(self.insights)
