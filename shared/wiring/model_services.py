"""Makes the services that check images. Each service is made when it is first used."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.user_services import UserServices

if TYPE_CHECKING:
    from shared.crawling.image_checks import ImageChecks
    from shared.optouts.optout_list import OptOutList
    from shared.scoring.model_names import ModelNames
    from shared.scoring.picture_model_loader import PictureModelLoader
    from shared.scoring.relevance import Relevance
    from shared.scoring.scorer import Scorer


class ModelServices(UserServices):
    """The opt-outs, and the models that the settings name. Their libraries are imported when a job first needs them."""

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
    def optouts(self) -> "OptOutList":
        """What people have asked the operator not to use."""
        from shared.optouts.optout_list import OptOutList

        return OptOutList(self.entities, self.clock, self.runtime.ids)

    @cached_property
    def image_checks(self) -> "ImageChecks":
        """What images are checked by: the opt-outs, and the models that the settings name."""
        from shared.crawling.image_checks import ImageChecks
        from shared.crawling.relevance_check import RelevanceCheck

        return ImageChecks(self.optouts, self.picture_models, RelevanceCheck(self.relevance))

    @cached_property
    def picture_models(self) -> "PictureModelLoader":
        """The models that look at pictures while they are judged."""
        from shared.scoring.model_files import ModelFiles
        from shared.scoring.picture_model_loader import PictureModelLoader

        return PictureModelLoader(ModelFiles(self.blobs), self.model_names)

    @cached_property
    def relevance(self) -> "Relevance | None":
        """Measures how well pictures show their labels. It is None if the settings name no model for that."""
        name = self.settings.relevance_model
        if name is None:
            return None
        from shared.scoring.relevance import Relevance

        return Relevance(self._scorer(name))

    def _scorer(self, name: str) -> "Scorer":
        """Returns the model with this name."""
        from shared.scoring.model_files import ModelFiles
        from shared.scoring.model_names import AZURE_VISION, ONNX

        if name == AZURE_VISION:
            return self._azure_vision()
        from shared.scoring.onnx.scorer import OnnxScorer

        return OnnxScorer(ModelFiles(self.blobs), name.removeprefix(ONNX))

    def _azure_vision(self) -> "Scorer":
        """Returns the model of Azure AI Vision, which is called with the app's identity."""
        from shared.scoring.azure_vision.calls import VisionCalls
        from shared.scoring.azure_vision.pace import Timing
        from shared.scoring.azure_vision.scorer import AzureVision
        from shared.scoring.azure_vision.tokens import Tokens

        settings = self.settings
        return AzureVision(
            VisionCalls(
                settings.azure_vision_endpoint or "",
                settings.azure_vision_calls_per_second,
                Tokens(self.credential, self.clock),
                self.operators_web,
                Timing(self.clock),
            )
        )
