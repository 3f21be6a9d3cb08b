from typing import Annotated

from pydantic import Field

from shared.settings.topics.topic import Topic
from shared.settings.value_types import ModelLabels, ModelName, RelevanceModel, SecureUrl


class ModelSettings(Topic):
    """Models.

    Models that look at pictures are optional: for [relevance](../how-to/models.md), for
    [faces and content](../how-to/faces.md). A spec that asks for a model that is not set is refused.
    """

    relevance_model: RelevanceModel | None = Field(None, examples=[""])
    """The model for `relevance` and embeddings: `onnx:` and the name of the folder below `models/` in the datasets
    container, such as `onnx:clip-vit-base-patch32`, or `azure-vision`."""
    azure_vision_endpoint: SecureUrl | None = Field(None, examples=[""])
    """The address of the resource of [Azure AI Vision](../how-to/models.md#azure-ai-vision), such as
    `https://NAME.cognitiveservices.azure.com`, for `RELEVANCE_MODEL=azure-vision`. The app shows its identity there."""
    azure_vision_calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    """How many calls of Azure AI Vision an instance begins in a second. Each picture is a call."""
    faces_model: ModelName | None = Field(None, examples=[""])
    """The model that finds faces, for `filters.faces`: the name of the folder below `models/` in the datasets container
    that has the YuNet model as `model.onnx`."""
    nsfw_model: ModelName | None = Field(None, examples=[""])
    """The model for `filters.nsfw_max`: the name of the folder below `models/` in the datasets container that has an
    image classifier as `model.onnx`, `config.json` and `preprocessor_config.json`."""
    nsfw_labels: ModelLabels = "nsfw, porn, hentai, explicit"
    """The labels of that model that are not safe for work, separated by commas, in upper or lower case. The model must
    have one of them. Their probabilities are added."""
