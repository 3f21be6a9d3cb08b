"""Judging every kind of file: good files are kept with their facts, and bad ones are rejected with a reason."""

import io

import pytest
from PIL import Image

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from shared.records.scores import ScoreRange
from tests.expect import accepted
from tests.unit.crawling.judging.pictures import (
    animated,
    encoded,
    picture,
    profile,
    refused_files,
    saved,
    turned,
    whole_files,
    with_flipped_bytes,
)

ALL = Filters(formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))
OURS = "ignore::UserWarning:PIL"  # as the app ignores what Pillow thinks of odd metadata


@pytest.mark.parametrize("name", whole_files())
def test_every_format_is_detected_by_its_bytes(name):
    data, form, mode, frames = whole_files()[name]
    found = inspect(data, ALL)
    assert isinstance(found, Inspected), found
    assert (found.format, found.mode, found.frames) == (form, mode, frames)


def test_all_colour_models_of_one_picture_look_alike():
    of_chelsea = {name: data for name, (data, _, _, frames) in whole_files().items()
                  if frames == 1 and "clear" not in name and "rgba" not in name and "exif" not in name}  # fmt: skip
    looks = {name: accepted(inspect(data, ALL)).look for name, data in of_chelsea.items()}
    assert len(looks) > 20
    for name, look in looks.items():
        assert look.brightness == pytest.approx(looks["png"].brightness, abs=0.02), name
        assert distance(look, looks["png"]) <= 4, name


@pytest.mark.parametrize("name", ["rgba png", "clear palette png", "clear gif", "rgba webp"])
def test_transparent_parts_are_white(name):
    look = accepted(inspect(whole_files()[name][0], ALL)).look
    assert min(bytes.fromhex(look.dominant_color[1:])) >= 254
    assert look.brightness > 0.7


@pytest.mark.parametrize("name", refused_files())
@pytest.mark.filterwarnings(OURS)
def test_every_kind_of_bad_file_is_rejected_with_its_reason(name):
    data, reason = refused_files()[name]
    found = inspect(data, ALL)
    assert isinstance(found, Rejected), found
    assert found.reason is reason, found


def cuts(data: bytes) -> list[int]:
    """Returns positions to cut at: some near the end, and twenty over the whole file."""
    return sorted({len(data) - last for last in range(1, 14)} | {len(data) * k // 20 for k in range(1, 20)})


@pytest.mark.filterwarnings(OURS)
@pytest.mark.parametrize(
    "name", [name for name in whole_files() if " more" not in name and "video" not in name]
)
def test_a_file_that_is_cut_anywhere_is_truncated(name):
    data, form, *_ = whole_files()[name]
    whole = data.index(b"\xff\xd9", len(data) // 2 - 200) + 2 if name == "mpo" else len(data)
    for cut in cuts(data[:whole]):
        found = inspect(data[:cut], ALL)
        assert isinstance(found, Rejected), (cut, len(data))
        few = {Reason.CORRUPT, Reason.NOT_AN_IMAGE} if form == "tiff" or cut < 100 else set()
        assert found.reason in {Reason.TRUNCATED} | few, (cut, len(data), found)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "JPEG"])
def test_missing_bytes_in_the_middle_of_a_file_are_noticed(form):
    data = encoded(form)
    hole = data[: len(data) // 2] + data[len(data) // 2 + 500 :]
    found = inspect(hole, ALL)
    assert isinstance(found, Rejected)
    assert found.reason in {Reason.TRUNCATED, Reason.CORRUPT}


@pytest.mark.parametrize("place", [k / 20 for k in range(1, 20)])
def test_a_changed_byte_of_a_png_is_noticed_wherever_it_is(place):
    found = inspect(with_flipped_bytes(encoded("PNG"), (place,)), ALL)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.CORRUPT


def test_the_filters_of_the_spec_reject_images():
    data = encoded("PNG")
    for filters, reason in (
        (Filters(formats=("jpeg",)), Reason.FORMAT_FILTERED),
        (Filters(min_width=321), Reason.TOO_SMALL),
        (Filters(min_height=241), Reason.TOO_SMALL),
        (Filters(max_pixels=320 * 240 - 1), Reason.TOO_MANY_PIXELS),
        (Filters(max_aspect_ratio=1.2), Reason.ASPECT_RATIO),
        (Filters(scores={"sharpness": ScoreRange(min=1e9)}), Reason.SCORE_FILTERED),
    ):
        found = inspect(data, filters)
        assert isinstance(found, Rejected)
        assert found.reason is reason
    assert isinstance(inspect(data, Filters(max_pixels=320 * 240, min_width=320, min_height=240)), Inspected)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_with_an_orientation_is_judged_upright(orientation, form):
    data = turned(orientation, form)
    found = inspect(data, ALL.model_copy(update={"min_height": 300}))
    if orientation < 5:
        assert found == Rejected(Reason.TOO_SMALL, "320x200")
        return
    assert isinstance(found, Inspected)
    stored = (1, 200, 320) if form == "TIFF" else (orientation, 320, 200)
    assert (found.orientation, found.width, found.height) == stored


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_invalid_orientation_is_ignored(orientation):
    found = inspect(turned(orientation), ALL)
    assert isinstance(found, Inspected)
    assert found.orientation == 1


@pytest.mark.filterwarnings(OURS)
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + b"\xff" * 60]
)
def test_a_picture_with_broken_metadata_is_kept(exif):
    assert isinstance(inspect(encoded("JPEG", exif=exif), ALL), Inspected)
    assert isinstance(inspect(encoded("JPEG", icc_profile=profile()[:99]), ALL), Inspected)


def test_an_animation_of_too_many_pixels_is_refused():
    found = inspect(animated("GIF", (200, 200), frames=9), Filters(max_pixels=80_000))
    assert found == Rejected(Reason.TOO_MANY_PIXELS, "in 2 frames")
    found = inspect(animated("GIF", (100, 100), frames=9), Filters(max_pixels=40_000))
    assert isinstance(found, Inspected)
    found = inspect(animated("GIF", (100, 100), frames=17), Filters(max_pixels=40_000))
    assert found == Rejected(Reason.TOO_MANY_PIXELS, "in 17 frames")


PHOTOS = [
    "chelsea.png", "astronaut.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg", "motorcycle_left.png",
    "camera.png", "coins.png", "moon.png", "page.png", "retina.jpg", "brick.png", "grass.png", "ihc.png",
]  # fmt: skip


def distance(one, other) -> int:
    return (int(one.perceptual_hash, 16) ^ int(other.perceptual_hash, 16)).bit_count()


@pytest.mark.parametrize("name", PHOTOS)
def test_the_perceptual_hash_survives_resizing_and_re_encoding(name):
    image = picture((600, 480), name)
    look = accepted(inspect(saved(image, "PNG"), ALL)).look
    for variant in (
        saved(image, "JPEG", quality=95),
        saved(image, "JPEG", quality=40),
        saved(image, "JPEG", quality=85, progressive=True, subsampling=0),
        saved(image, "WEBP", quality=70),
        saved(image.resize((300, 240)), "JPEG", quality=85),
        saved(image.resize((1800, 1440)), "JPEG", quality=85),
        saved(image.resize((150, 120)), "WEBP", quality=80),
    ):
        assert distance(look, accepted(inspect(variant, ALL)).look) <= 8


def test_different_pictures_have_different_perceptual_hashes():
    looks = {name: accepted(inspect(saved(picture((600, 480), name), "PNG"), ALL)).look for name in PHOTOS}
    mirrored = picture((600, 480)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    looks["mirrored"] = accepted(inspect(saved(mirrored, "PNG"), ALL)).look
    pairs = [(a, b) for a in looks for b in looks if a < b]
    close = {(a, b): distance(looks[a], looks[b]) for a, b in pairs if distance(looks[a], looks[b]) <= 12}
    assert not close


def test_judging_leaves_the_file_of_each_format_unchanged_and_readable():
    """Judging does not change the bytes and does not keep the file open."""
    for name, (data, *_) in whole_files().items():
        before = bytes(data)
        inspect(data, ALL)
        assert data == before, name
        Image.open(io.BytesIO(data)).close()
