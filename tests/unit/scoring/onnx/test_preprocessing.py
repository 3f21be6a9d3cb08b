"""Pictures become the input of a model in the steps that its file describes, as `transformers` does them."""

import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from shared.errors import Permanent
from shared.scoring.onnx.preprocessing import Preprocessing

CLIP = {
    "do_resize": True,
    "size": {"shortest_edge": 4},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 4, "width": 4},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.25, 0.0],
    "image_std": [0.5, 0.25, 1.0],
    "image_processor_type": "CLIPImageProcessor",
}
SIGLIP = {
    "size": {"height": 2, "width": 3},
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def steps(config) -> Preprocessing:
    return Preprocessing.read(json.dumps(config).encode(), "tiny")


def test_a_flat_picture_has_the_values_that_mean_and_deviation_give():
    picture = np.full((8, 8, 3), (255, 0, 51), np.uint8)

    values = steps(CLIP).apply(picture)

    assert values.shape == (1, 3, 4, 4)
    assert values.dtype == np.float32
    # 255 is 1, which is one deviation above the mean of red; 51 is 0.2
    assert values[0, :, 0, 0].tolist() == pytest.approx([1, -1, 0.2])
    assert np.ptp(values[0], axis=(1, 2)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("height", "width"), [(4, 9), (9, 4)])
def test_the_shorter_side_is_resized_and_the_middle_is_cut_out(height, width):
    picture = np.zeros((height, width, 3), np.uint8)
    ramp = np.arange(9, dtype=np.uint8) * 20
    picture[:] = ramp[None, :, None] if width == 9 else ramp[:, None, None]
    plain = CLIP | {"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}

    values = steps(plain).apply(picture)[0, 0] * 255

    # the shorter side has 4 pixels already; of nine, (9 - 4) // 2 = 2 are cut before the four in the middle
    middle = [40, 60, 80, 100]
    line = values[0] if width == 9 else values[:, 0]
    assert line.tolist() == pytest.approx(middle, abs=1e-3)


def test_the_longer_side_is_rounded_down_before_the_cut():
    picture = np.random.default_rng(1).integers(0, 256, (6, 11, 3), np.uint8)
    plain = CLIP | {"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    # 4 * 11 / 6 is 7.3: seven pixels, of which one is cut before the four in the middle
    resized = np.asarray(Image.fromarray(picture).resize((7, 4), Image.Resampling.BICUBIC))

    values = steps(plain).apply(picture)[0].transpose(1, 2, 0) * 255

    assert np.allclose(values, resized[:, 1:5], atol=1e-3)


def test_without_a_cut_a_picture_of_any_shape_is_resized_to_the_whole_size():
    picture = np.random.default_rng(2).integers(0, 256, (20, 30, 3), np.uint8)
    resized = np.asarray(Image.fromarray(picture).resize((3, 2), Image.Resampling.BILINEAR), np.float32)

    values = steps(SIGLIP).apply(picture)

    assert values.shape == (1, 3, 2, 3)
    assert np.allclose(values[0].transpose(1, 2, 0), resized / 127.5 - 1, atol=1e-5)


def test_sizes_may_be_one_number_as_in_older_files():
    assert steps({"size": 5, "do_center_crop": True, "crop_size": 4}).size == (4, 4)
    assert steps({"size": 5, "do_center_crop": True}).shortest_edge == 5
    assert steps({"size": 5}).size == (5, 5)
    assert steps({"size": 5}).shortest_edge is None


def test_a_very_long_picture_takes_no_more_memory_than_a_short_one():
    clip = steps(CLIP | {"size": 224, "crop_size": 224})
    picture = np.zeros((2, 20_000, 3), np.uint8)
    clip.apply(np.zeros((224, 224, 3), np.uint8))
    tracemalloc.start()
    assert clip.apply(picture).shape == (1, 3, 224, 224)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"size": 5000}, "size"),
        ({"size": {"height": 0, "width": 4}}, r"size\._Size\.height|size"),
        ({"size": {"shortest_edge": 4}}, "size must have height and width"),
        (CLIP | {"crop_size": {"height": 5, "width": 4}}, "crop_size must not be larger"),
        (CLIP | {"crop_size": {"height": 4}}, "crop_size must have height and width"),
        ({"image_std": [0, 1, 1]}, "image_std"),
        ({"image_mean": [0, 1]}, "image_mean"),
        ({"image_mean": ["a", 1, 2]}, "image_mean"),
        ({"rescale_factor": 0}, "rescale_factor"),
        ({"resample": 9}, "resample"),
        ({"do_resize": False}, "do_resize must be true"),
        ([], "the file"),
        ("text", "the file"),
    ],
)
def test_a_file_with_a_wrong_field_is_refused_with_the_field(config, why):
    with pytest.raises(Permanent, match=rf"of the model 'tiny' is not valid: .*({why})"):
        steps(config)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b'{"image_std": [NaN, 1, 1]}'])
def test_a_file_that_is_no_json_is_refused(data):
    with pytest.raises(Permanent, match="is not valid"):
        Preprocessing.read(data, "tiny")
