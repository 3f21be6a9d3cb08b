"""Makes the services with which people look at images."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.webhook_services import WebhookServices

if TYPE_CHECKING:
    from shared.pictures.dataset_pictures import DatasetPictures
    from shared.pictures.files import PictureFiles
    from shared.pictures.job_pictures import JobPictures
    from shared.pictures.preview import Previews
    from shared.pictures.sorted_pictures import SortedPictures


class PictureServices(WebhookServices):
    """The services of pictures. Each is made on first use."""

    @cached_property
    def dataset_pictures(self) -> "DatasetPictures":
        """Finds the pictures of datasets."""
        from shared.pictures.dataset_pictures import DatasetPictures

        return DatasetPictures(self.catalog, self.blobs, self.clock)

    @cached_property
    def sorted_pictures(self) -> "SortedPictures":
        """Finds the pictures of datasets in other orders."""
        from shared.pictures.sorted_pictures import SortedPictures

        return SortedPictures(self.dataset_pictures, self.blobs, self.clock)

    @cached_property
    def job_pictures(self) -> "JobPictures":
        """Finds the pictures of jobs."""
        from shared.pictures.job_pictures import JobPictures

        return JobPictures(self.job_data, self.clock)

    @cached_property
    def picture_files(self) -> "PictureFiles":
        """Reads pictures, and makes small ones."""
        from shared.pictures.files import PictureFiles

        return PictureFiles(self.blobs)

    @cached_property
    def previews(self) -> "Previews":
        """Makes the previews of datasets."""
        from shared.pictures.preview import Previews

        return Previews(self.dataset_pictures, self.picture_files, self.clock)
