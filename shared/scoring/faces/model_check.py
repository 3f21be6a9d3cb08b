"""Checks that a file is a YuNet model before OpenCV's detector uses it.

The detector reads the model's outputs without a check of their shapes, so another model could crash the process.
"""

import cv2
import numpy as np

from shared.errors import Permanent

_STRIDES = (8, 16, 32)
_WIDTHS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
_SIZES = ((64, 96), (160, 32))
"""The heights and widths of inputs, in pixels. A model that is made for one size fails for one of them."""


def check_model(name: str, model: bytes) -> None:
    """Runs the model in two sizes, and checks the shapes of its outputs.

    Raises:
        Permanent: it is no YuNet model that OpenCV can run. The text has its name.
    """
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        for height, width in _SIZES:
            _check_outputs(net, height, width)
    except (cv2.error, ValueError) as error:
        raise Permanent(
            f"'{name}' is not a YuNet model that OpenCV can run: {reason_of(error)}. The operator has to replace it."
        ) from error


def _check_outputs(net: cv2.dnn.Net, height: int, width: int) -> None:
    names = [f"{kind}_{stride}" for kind in _WIDTHS for stride in _STRIDES]
    net.setInput(np.zeros((1, 3, height, width), np.float32))
    for output_name, output in zip(names, net.forward(names), strict=True):
        kind, stride = output_name.split("_")
        cells = (height // int(stride)) * (width // int(stride))
        if (
            output.dtype != np.float32
            or output.size != cells * _WIDTHS[kind]
            or output.shape[-1] != _WIDTHS[kind]
        ):
            raise ValueError(f"its output {output_name} has the shape {output.shape}")


def reason_of(error: Exception) -> str:
    """Returns the error without the paths and lines of OpenCV's source."""
    return " ".join(str(getattr(error, "err", error)).split())[:200].rstrip(". ")
