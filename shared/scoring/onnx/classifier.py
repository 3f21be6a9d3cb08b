"""Classifies pictures with a model in ONNX, whose files the operator puts into storage.

The files are those of the ONNX exports of image classifiers on the Hugging Face Hub, such as ViT's.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import Permanent
from shared.scoring.model_files import CONFIG_FILE, MODEL_FILE
from shared.scoring.onnx.config_files import invalid_file, read_config
from shared.scoring.onnx.preprocessing import Preprocessing
from shared.scoring.onnx.session import Session
from shared.scoring.scorer import Picture

_INPUT, _OUTPUT = "pixel_values", "logits"
_MOST_LABELS = 10_000
_SHOWN_LABELS = 20


class _Config(BaseModel):
    """The fields of `config.json` that are used. Others are ignored."""

    model_config = ConfigDict(extra="ignore")

    id2label: Annotated[dict[int, str], Field(min_length=1, max_length=_MOST_LABELS)]
    problem_type: Literal["single_label_classification", "multi_label_classification"] | None = None


class OnnxClassifier:
    """Implements `PictureClassifier`: measures how likely a picture has one of some labels.

    Args:
        name: The model's name, for errors.
        model: The content of the ONNX file.
        config: The content of `config.json`, which has the label of each output.
        preprocessing: The steps before the model.
        wanted: The labels, in lower case.

    Raises:
        Permanent: the files are not those of an image classifier, or it has none of the labels.
    """

    def __init__(
        self, name: str, model: bytes, config: bytes, preprocessing: Preprocessing, wanted: Collection[str]
    ) -> None:
        self.name = name
        found = _read_config(config, name)
        self._preprocessing = preprocessing
        self._many_labels = found.problem_type == "multi_label_classification"
        self._wanted = _outputs_of(found.id2label, wanted, name)
        self._outputs = len(found.id2label)
        self._session = Session(model, name, MODEL_FILE)
        self._session.check_inputs(_INPUT)
        self._session.output_of(_OUTPUT)
        self._logits(np.zeros((8, 8, 3), np.uint8))

    def probability(self, picture: Picture) -> float:
        """See `PictureClassifier.probability`.

        It is the sum of the labels' probabilities. If the model gives each label a probability of its own, it is the
        largest of them.
        """
        logits = self._logits(picture)
        if self._many_labels:
            return float((1 / (1 + np.exp(-np.clip(logits, -60, 60))))[self._wanted].max())
        shares = np.exp(logits - logits.max())
        return min(1.0, float(shares[self._wanted].sum() / shares.sum()))

    def _logits(self, picture: Picture) -> NDArray[np.float64]:
        logits = self._session.run(_OUTPUT, {_INPUT: self._preprocessing.apply(picture)})
        if logits.shape != (1, self._outputs):
            raise Permanent(
                f"The model '{self.name}' gives the shape {logits.shape}; {CONFIG_FILE} has {self._outputs} labels."
            )
        values: NDArray[np.float64] = logits[0].astype(np.float64)
        if not np.isfinite(values).all():
            raise Permanent(f"The model '{self.name}' gives numbers that are not finite.")
        return values


def _read_config(data: bytes, name: str) -> _Config:
    found = read_config(_Config, data, CONFIG_FILE, name)
    if sorted(found.id2label) != list(range(len(found.id2label))):
        raise invalid_file(CONFIG_FILE, name, "id2label must have the numbers from 0 on")
    return found


def _outputs_of(labels: Mapping[int, str], wanted: Collection[str], name: str) -> list[int]:
    """Returns the numbers of the outputs that have a wanted label."""
    found = [number for number, label in labels.items() if label.strip().lower() in wanted]
    if not found:
        known = ", ".join(list(labels.values())[:_SHOWN_LABELS])[:300]
        raise Permanent(
            f"The model '{name}' has the labels {known}; NSFW_LABELS must have at least one of them."
        )
    return found
