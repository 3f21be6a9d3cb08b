"""Hand-made PNGs: strict readers open the kept ones with the same pixels, and refuse the refused ones."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.make_images import FILES, FOLDER

SMALL = Filters(min_width=1, min_height=1)


def names(folder: str) -> list[str]:
    return sorted(name for name in FILES if name.startswith(f"{folder}/") and name.endswith(".png"))


def read_by_pillow(data: bytes) -> np.ndarray:
    """Opens, loads and rotates the picture, as loaders of datasets do."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        ImageOps.exif_transpose(image)
        if image.mode == "I;16":
            return np.asarray(image)[:, :, None]
        return np.asarray(image.convert("RGBA"))


def read_by_libpng(data: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    if pixels.dtype == np.uint16 and pixels.ndim == 2:
        return pixels[:, :, None]
    if pixels.dtype == np.uint16:
        pixels = (pixels // 256).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGBA if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def test_the_files_are_those_that_the_script_makes():
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    ours = {name for name in found if Path(name).parent.name in {"kept", "mended", "corrupt", "truncated"}}
    assert ours == set(FILES)
    for name, data in FILES.items():
        assert (FOLDER / name).read_bytes() == data, name


@pytest.mark.parametrize("name", names("corrupt"))
def test_a_png_that_strict_readers_refuse_is_corrupt(name):
    found = inspect(FILES[name], SMALL)
    assert isinstance(found, Rejected), found
    assert found.reason is Reason.CORRUPT


@pytest.mark.parametrize("name", names("truncated"))
def test_a_png_whose_pixels_or_chunks_stop_early_is_truncated(name):
    found = inspect(FILES[name], SMALL)
    assert isinstance(found, Rejected), found
    assert found.reason is Reason.TRUNCATED


@pytest.mark.parametrize("name", names("kept"))
def test_an_odd_but_valid_png_is_kept_unchanged(name):
    found = inspect(FILES[name], SMALL)
    assert isinstance(found, Inspected), found
    assert (found.data, found.mended) == (FILES[name], "")
    assert np.array_equal(read_by_pillow(found.data), read_by_libpng(found.data))


@pytest.mark.parametrize("name", names("mended"))
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_png_with_a_bad_ancillary_chunk_is_kept_without_it(name):
    data = FILES[name]
    found = inspect(data, SMALL)
    assert isinstance(found, Inspected), found
    assert found.mended in {"notes", "transparency", "animation", "profile"}
    assert len(found.data) < len(data)
    assert found.frames == 1
    assert np.array_equal(read_by_pillow(found.data), read_by_libpng(found.data))
    again = inspect(found.data, SMALL)
    assert isinstance(again, Inspected)
    assert (again.data, again.mended) == (found.data, "")


@pytest.mark.parametrize("name", [*names("corrupt"), *names("truncated")])
def test_libpng_refuses_the_pngs_that_are_refused_here(name):
    assert cv2.imdecode(np.frombuffer(FILES[name], np.uint8), cv2.IMREAD_UNCHANGED) is None


def test_exif_after_the_pixels_sets_the_orientation():
    found = inspect(FILES["kept/exif_behind_the_pixels.png"], SMALL)
    assert isinstance(found, Inspected)
    assert found.orientation == 6
