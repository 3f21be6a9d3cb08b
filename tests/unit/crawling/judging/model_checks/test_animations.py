"""No animation carries faces, or content that is not safe for work, in later frames."""

import pytest

from shared.crawling.judging.model_checks import frame_checks
from shared.crawling.options import Transform
from shared.records.records import Reason, Rejected
from shared.scoring.faces.detector import MOST_PIXELS
from shared.scoring.picture_models import PictureModels
from shared.scoring.scorer import Picture
from tests.unit.crawling.judging.model_checks.judged import (
    FACE,
    animated,
    detector,
    image_of,
    judged,
    kept,
    opened,
    options,
    pixels_of,
    saved,
)
from tests.unit.scoring.faces.yunet import scene

ANIMATED = ("GIF", "PNG", "WEBP", "TIFF")


@pytest.mark.parametrize("form", ANIMATED)
def test_a_face_in_a_later_frame_refuses_the_animation_or_leaves_its_first_frame(form: str) -> None:
    data = animated(form, (), (), (FACE,), ())
    assert judged(data, options(faces="drop")) == Rejected(Reason.FACE_FILTERED, "1 face")
    found = kept(judged(data, options(faces="blur")))
    assert (found.facts.faces, found.facts.frames, found.blurred) == (1, 1, True)
    assert getattr(opened(found.data), "n_frames", 1) == 1
    assert detector().find(pixels_of(found.data)) == ()


@pytest.mark.parametrize("form", ANIMATED)
def test_an_animation_without_faces_stays_as_it_is(form: str) -> None:
    data = animated(form, (), (), ())
    for wanted in ("drop", "blur"):
        found = kept(judged(data, options(faces=wanted)))
        assert (found.data, found.facts.faces, found.facts.frames) == (data, 0, 3)


def test_frames_that_were_not_looked_at_count_as_if_they_showed_a_face(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frame_checks, "MOST_LATER_PIXELS", 2 * MOST_PIXELS)
    short, long = animated("GIF", (), (), ()), animated("GIF", (), (), (), ())
    assert kept(judged(short, options(faces="drop"))).data == short
    refused = judged(long, options(faces="drop"))
    assert refused == Rejected(Reason.FACE_FILTERED, "too many frames: none was looked at from frame 4 on")
    still = kept(judged(long, options(faces="blur")))
    assert (still.facts.frames, still.facts.faces, still.blurred) == (1, 0, True)


def test_only_the_first_frame_counts_if_a_transform_drops_the_others() -> None:
    data = animated("GIF", (), (FACE,))
    found = kept(judged(data, options(Transform(format="png"), faces="drop")))
    assert (found.facts.faces, found.facts.frames) == (0, 1)
    assert isinstance(judged(animated("GIF", (FACE,), ()), options(Transform(), faces="drop")), Rejected)


class Rating:
    """Rates pictures by their number: 0.1, 0.2 and so on."""

    name = "rating"

    def __init__(self) -> None:
        self.seen: list[Picture] = []

    def probability(self, picture: Picture) -> float:
        self.seen.append(picture)
        return len(self.seen) / 10


def test_the_highest_probability_of_some_frames_counts() -> None:
    data = animated("GIF", *([()] * 6))
    model = Rating()
    found = kept(judged(data, options(nsfw_max=0.4), PictureModels(nsfw=model)))
    # the frames after 1, 2 and 4, and the first
    assert (len(model.seen), found.facts.nsfw, found.data) == (4, 0.4, data)
    assert found.facts.faces is None
    refused = judged(data, options(nsfw_max=0.35), PictureModels(nsfw=Rating()))
    assert refused == Rejected(Reason.NSFW_FILTERED, "nsfw 0.4 is above 0.35")
    assert (
        kept(judged(data, options(Transform(), nsfw_max=0.1), PictureModels(nsfw=Rating()))).facts.nsfw == 0.1
    )


def test_a_classifier_sees_an_upright_picture_of_bounded_size_with_red_first() -> None:
    image = image_of(scene(2000, 1500))
    image.paste((255, 0, 0), (0, 0, 2000, 750))
    exif = image.getexif()
    exif[274] = 6
    model = Rating()
    judged(saved(image, "JPEG", exif=exif), options(nsfw_max=1.0), PictureModels(nsfw=model))
    [seen] = model.seen
    height, width = seen.shape[:2]
    assert height > width
    assert 448 <= width < 896
    assert seen[10, -10, 0] > 200
    assert seen[10, -10, 2] < 100
