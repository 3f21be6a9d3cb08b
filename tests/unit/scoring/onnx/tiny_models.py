"""Makes small models with the shapes of CLIP's: mean colours of pictures, and a table of colours for words."""

import json
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

SIDE = 8
LENGTH = 12
PAD, UNKNOWN, START, END = range(4)

COLORS: Mapping[str, tuple[float, float, float]] = {
    "red": (1, -1, -1),
    "green": (-1, 1, -1),
    "blue": (-1, -1, 1),
    "yellow": (1, 1, -1),
}
"""The words that the text model knows, and where they are in the space of embeddings. Pictures have values -1 to 1."""

PREPROCESSOR = {
    "size": {"shortest_edge": SIDE},
    "do_center_crop": True,
    "crop_size": {"height": SIDE, "width": SIDE},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def model_of(nodes, inputs, outputs, weights=()) -> bytes:
    graph = helper.make_graph(
        nodes, "tiny", inputs, outputs, [numpy_helper.from_array(v, n) for n, v in weights]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def vision_model(output: str = "image_embeds", kind: int = TensorProto.FLOAT) -> bytes:
    """The mean of each channel is the embedding."""
    pixels = helper.make_tensor_value_info("pixel_values", kind, ["batch", 3, SIDE, SIDE])
    found = helper.make_tensor_value_info(output, kind, ["batch", 3])
    node = helper.make_node("ReduceMean", ["pixel_values"], [output], axes=[2, 3], keepdims=0)
    return model_of([node], [pixels], [found])


def text_model(output: str = "text_embeds", *, mask: bool = True) -> bytes:
    """The sum of the vectors of the words is the embedding. With a mask, it is of those that the mask has."""
    table = np.zeros((4 + len(COLORS), 3), np.float32)
    # marks and unknown words count little, and padding would count much if it were not masked
    table[:4] = 0.01
    table[PAD] = 9
    table[4:] = list(COLORS.values())
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
    inputs, nodes = [ids], [helper.make_node("Gather", ["table", "input_ids"], ["vectors"])]
    if mask:
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "length"]))
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["numbers", "last"], ["wide"]),
            helper.make_node("Mul", ["vectors", "wide"], ["seen"]),
        ]
    nodes.append(
        helper.make_node("ReduceSum", ["seen" if mask else "vectors", "middle"], [output], keepdims=0)
    )
    found = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", 3])
    weights = [("table", table), ("last", np.array([2])), ("middle", np.array([1]))]
    return model_of(nodes, inputs, [found], weights if mask else [weights[0], weights[2]])


def tokenizer() -> str:
    """Texts in lower case are cut at spaces, and stand between two marks, as in CLIP's tokenizer."""
    words = {"[PAD]": PAD, "[UNK]": UNKNOWN, "[START]": START, "[END]": END}
    words |= {word: number for number, word in enumerate(COLORS, start=4)}
    found = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    found.pre_tokenizer = Whitespace()
    found.post_processor = TemplateProcessing(
        single="[START] $A [END]", special_tokens=[("[START]", START), ("[END]", END)]
    )
    return found.to_str()


def tiny_clip(**changes: bytes | None) -> dict[str, bytes]:
    """The files of a model, by name. `changes` replaces files, whose dots are underscores; None leaves one out."""
    files: dict[str, bytes | None] = {
        "vision_model.onnx": vision_model(),
        "text_model.onnx": text_model(),
        "tokenizer.json": tokenizer().encode(),
        "tokenizer_config.json": json.dumps({"model_max_length": LENGTH, "pad_token": "[PAD]"}).encode(),
        "preprocessor_config.json": json.dumps(PREPROCESSOR).encode(),
    }
    names = {name.replace(".", "_"): name for name in files}
    files |= {names[name]: data for name, data in changes.items()}
    return {name: data for name, data in files.items() if data is not None}
