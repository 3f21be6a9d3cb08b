"""Makes a tiny model with YuNet's inputs and outputs, and pictures in which it finds faces.

A face is a square with a fine checkerboard of magenta and green. Once it is blurred, it is grey.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shared.scoring.faces.detector import BgrPicture

MAGENTA = (255, 0, 255)
GREEN = (0, 255, 0)
_WIDTHS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
_STRIDES = (8, 16, 32)


def yunet(
    *, color_weights: tuple[float, float, float] = (1, -2, 1), strides: tuple[int, ...] = (32,)
) -> bytes:
    """Returns a model that finds a face in each cell of `strides` pixels of which half is magenta.

    With other `color_weights`, for blue, green and red, it finds other colours.
    """
    nodes, weights = [], []

    def constant(name: str, value: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(value, name))
        return name

    mix = constant("mix", (np.asarray(color_weights, np.float32) / 510).reshape(1, 3, 1, 1))
    nodes.append(helper.make_node("Conv", ["input", mix], ["magenta"], kernel_shape=[1, 1]))
    nodes.append(helper.make_node("Relu", ["magenta"], ["color"]))
    for stride in _STRIDES:
        nodes.append(
            helper.make_node(
                "AveragePool", ["color"], [f"cells_{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            )
        )
        for kind, width in _WIDTHS.items():
            factor = {"cls": 2, "obj": 2}.get(kind, 0) * (stride in strides)
            offset = [0.5, 0.5, 0, 0] if kind == "bbox" else [0] * width
            scale = constant(f"scale_{kind}_{stride}", np.full((width, 1, 1, 1), factor, np.float32))
            bias = constant(f"bias_{kind}_{stride}", np.asarray(offset, np.float32))
            shape = constant(f"shape_{kind}_{stride}", np.asarray([1, -1, width], np.int64))
            made, turned = f"made_{kind}_{stride}", f"turned_{kind}_{stride}"
            nodes.append(
                helper.make_node("Conv", [f"cells_{stride}", scale, bias], [made], kernel_shape=[1, 1])
            )
            nodes.append(helper.make_node("Transpose", [made], [turned], perm=[0, 2, 3, 1]))
            nodes.append(helper.make_node("Reshape", [turned, shape], [f"{kind}_{stride}"]))
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])
    outputs = [
        helper.make_tensor_value_info(f"{kind}_{stride}", TensorProto.FLOAT, [1, "cells", width])
        for kind, width in _WIDTHS.items()
        for stride in _STRIDES
    ]
    graph = helper.make_graph(nodes, "yunet", [picture], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def scene(width: int, height: int, *faces: tuple[int, int, int]) -> BgrPicture:
    """Returns a picture with faces. Each is (left, top, side) in pixels; the side must be a multiple of 16.

    The model finds a face as one if the picture has 640 by 640 pixels, and left, top and side are multiples of 64.
    """
    grey = np.linspace(0, 20, height)[:, None] + np.linspace(80, 140, width)
    pixels = np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)
    for left, top, side in faces:
        down, across = np.indices((side, side)) // (side // 16)
        checks = (down + across)[:, :, None] % 2 == 0
        pixels[top : top + side, left : left + side] = np.where(checks, MAGENTA, GREEN)
    return pixels
