"""Defines which models the app is configured with."""

from dataclasses import dataclass

ONNX = "onnx:"
"""The start of the name of a model whose files are in storage. The name of its folder follows."""
AZURE_VISION = "azure-vision"
"""The name of the multimodal embeddings of Azure AI Vision."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """The models that the settings name; None if the app has no model for a purpose.

    `relevance` makes embeddings of pictures and texts: `onnx:` and the name of a folder, or `azure-vision`. `faces` and
    `nsfw` are names of folders. `nsfw_labels` are the labels of the model `nsfw` that are not safe for work, in lower
    case.
    """

    relevance: str | None = None
    faces: str | None = None
    nsfw: str | None = None
    nsfw_labels: tuple[str, ...] = ()
