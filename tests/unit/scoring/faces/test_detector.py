"""A detector finds faces of all sizes, in many threads, and says what is wrong with its model."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from shared.errors import Permanent
from shared.scoring.faces.boxes import Box, count_faces
from shared.scoring.faces.detector import MOST_PIXELS, FaceDetector, input_side
from shared.scoring.faces.hide import hide_faces
from tests.unit.scoring.faces.yunet import scene, yunet


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector("tiny", yunet())


def around(boxes: tuple[Box, ...]) -> tuple[int, ...]:
    """Returns the edges of the smallest box around all boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return round(min(lefts)), round(min(tops)), round(max(rights)), round(max(bottoms))


@pytest.mark.parametrize("size", [(640, 640), (640, 480), (1280, 1280), (2560, 2560)])
def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(
    detector: FaceDetector, size: tuple[int, int]
) -> None:
    unit = size[0] // 10
    side = unit // 16 * 16
    boxes = detector.find(scene(*size, (unit * 2, unit * 3, side)))
    found = around(boxes)
    wanted = (unit * 2, unit * 3, unit * 2 + side, unit * 3 + side)
    assert all(abs(edge - other) <= max(17, unit // 2) for edge, other in zip(found, wanted, strict=True)), (
        found
    )


def test_faces_are_counted_once_although_they_are_found_in_several_sizes(detector: FaceDetector) -> None:
    boxes = detector.find(scene(640, 640, (64, 128, 64), (320, 320, 64), (448, 0, 128)))
    assert len(boxes) > 3
    # the model finds a face of 128 pixels as four of 64
    assert count_faces(boxes) == 6
    assert detector.find(scene(640, 640)) == ()


def test_a_small_face_in_another_ones_box_is_one_face_and_neighbours_are_two() -> None:
    assert count_faces([Box(0, 0, 10, 10), Box(2, 2, 5, 5), Box(8, 0, 18, 10)]) == 2
    assert count_faces([]) == 0


def test_an_input_is_bounded_however_long_the_picture(detector: FaceDetector) -> None:
    assert input_side(20_000, 20_000) ** 2 <= 1.01 * MOST_PIXELS
    assert input_side(40_000, 40) == 40
    assert input_side(100, 80) == 80
    for size in ((1, 1), (3, 2000), (6000, 4)):
        assert detector.find(scene(*size)) == ()


def test_many_threads_find_the_same_at_the_same_time(detector: FaceDetector) -> None:
    pictures = [scene(640, 640 - 64 * (number % 3), (64 * (number % 5), 64, 64)) for number in range(12)]
    wanted = [detector.find(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(detector.find, pictures)) == wanted
    assert len(set(wanted)) > 3


def test_nothing_of_a_face_can_be_restored_once_it_is_hidden(detector: FaceDetector) -> None:
    picture = scene(640, 640, (256, 256, 64))
    other = picture.copy()
    # another face with about the same mean colours: magenta where the first is green
    other[256:320, 256:320] = np.roll(other[256:320, 256:320], 4, axis=1)
    box = (Box(256, 256, 320, 320),)
    hidden = hide_faces(picture, box)
    assert detector.find(hidden) == ()
    assert np.abs(hidden.astype(int) - hide_faces(other, box)).max() <= 8
    assert np.abs(picture.astype(int) - other).max() == 255
    # the margin is 30 % of the box, and the rest is as it was
    changed = np.argwhere((hidden != picture).any(axis=2))
    assert (changed.min(axis=0) >= 256 - 20).all()
    assert (changed.max(axis=0) <= 320 + 20).all()


def test_boxes_beyond_the_picture_are_hidden_as_far_as_they_are_in_it() -> None:
    picture = scene(100, 60)
    hidden = hide_faces(picture, [Box(-50, -50, 10, 10), Box(95, 55, 400, 300), Box(500, 500, 600, 600)])
    assert (hidden != picture).any()
    assert hidden.shape == picture.shape


def renamed_output(old: str, new: str) -> bytes:
    model = onnx.load_from_string(yunet())
    for node in model.graph.node:
        node.output[:] = [new if name == old else name for name in node.output]
    for output in model.graph.output:
        output.name = new if output.name == old else output.name
    return bytes(model.SerializeToString())


def too_narrow() -> bytes:
    """Returns a model whose boxes have two numbers, which OpenCV would read as four."""
    model = onnx.load_from_string(yunet())
    for weight in model.graph.initializer:
        if weight.name == "shape_bbox_8":
            weight.CopyFrom(numpy_helper.from_array(np.asarray([1, -1, 2], np.int64), weight.name))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "model",
    [b"\x00", b"not a model" * 50, yunet()[:500], renamed_output("obj_16", "object"), too_narrow()],
    ids=["empty", "text", "cut", "other outputs", "other shapes"],
)
def test_a_file_that_is_no_yunet_model_is_refused_before_it_sees_a_picture(model: bytes) -> None:
    with pytest.raises(Permanent, match="'other' is not a YuNet model that OpenCV can run"):
        FaceDetector("other", model)
