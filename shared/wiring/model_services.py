"""Makes the services that ask models about pictures. Each service is made when it is first used."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.user_services import UserServices

if TYPE_CHECKING:
    from shared.scoring.model_names import ModelNames
    from shared.scoring.picture_model_loader import PictureModelLoader


class ModelServices(UserServices):
    """The models that the settings name. Their libraries and files are loaded when a job first needs them."""

    @cached_property
    def model_names(self) -> "ModelNames":
        """The models that the settings name."""
        from shared.scoring.model_names import ModelNames

        settings = self.settings
        labels = tuple(label.strip().lower() for label in settings.nsfw_labels.split(","))
        return ModelNames(
            relevance=settings.relevance_model,
            faces=settings.faces_model,
            nsfw=settings.nsfw_model,
            nsfw_labels=tuple(label for label in labels if label),
        )

    @cached_property
    def picture_models(self) -> "PictureModelLoader":
        """The models that look at pictures while they are judged."""
        from shared.scoring.model_files import ModelFiles
        from shared.scoring.picture_model_loader import PictureModelLoader

        return PictureModelLoader(ModelFiles(self.blobs), self.model_names)
