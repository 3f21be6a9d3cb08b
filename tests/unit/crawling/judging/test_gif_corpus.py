"""Hand-made GIFs: empty frames beside sound ones are removed, and strict readers open the stored files."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.gif_parts import NOTE, control, frame, gif
from tests.corpus.make_images import FILES
from tests.expect import accepted, present

SMALL = Filters(min_width=1, min_height=1)
SOUND = gif(control() + frame())


def names(folder: str) -> list[str]:
    return sorted(name for name in FILES if name.startswith(f"{folder}/") and name.endswith(".gif"))


def all_frames(data: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(data)) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("name", [*names("kept"), *names("mended")])
def test_an_empty_frame_is_removed_from_a_gif_with_sound_frames(name):
    data = FILES[name]
    found = inspect(data, SMALL, None)
    assert isinstance(found, Inspected), found
    assert (found.data == data) == (not found.mended) == name.startswith("kept/")
    frames = all_frames(found.data)
    assert len(frames) == found.frames
    assert np.array_equal(frames[0], all_frames(SOUND)[0])
    assert np.array_equal(frames[0], found.pixels[:, :, ::-1])
    by_opencv = cv2.imdecode(np.frombuffer(found.data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(frames[0], present(by_opencv))
    assert accepted(inspect(found.data, SMALL)).mended == ""


@pytest.mark.parametrize(("folder", "reason"), [("corrupt", Reason.CORRUPT), ("truncated", Reason.TRUNCATED)])
def test_a_gif_without_a_sound_frame_is_refused(folder, reason):
    for name in names(folder):
        found = inspect(FILES[name], SMALL)
        assert isinstance(found, Rejected), name
        assert found.reason is reason, name


def test_notes_and_controls_of_sound_frames_stay_when_an_empty_frame_is_removed():
    slow = control(b"\4\xc8\0\0")
    data = gif(NOTE, control(), frame(0, 0), NOTE, slow, frame(), control(), frame(0, 5), NOTE)
    found = inspect(data, SMALL)
    assert isinstance(found, Inspected)
    assert found.data == gif(NOTE, NOTE, slow, frame(), NOTE)
    assert found.mended == "frames"


@pytest.mark.parametrize(
    "blocks",
    [(b"\0", frame()), (frame(), b"\0\0\0"), (NOTE + b"\0", control(), frame()), (control(), b"\0", frame())],
)
def test_padding_between_blocks_is_removed_from_a_gif(blocks):
    found = inspect(gif(*blocks), SMALL)
    assert isinstance(found, Inspected)
    assert found.mended == "notes"
    assert np.array_equal(all_frames(found.data)[0], all_frames(SOUND)[0])
    assert cv2.imdecode(np.frombuffer(found.data, np.uint8), cv2.IMREAD_COLOR_RGB) is not None
