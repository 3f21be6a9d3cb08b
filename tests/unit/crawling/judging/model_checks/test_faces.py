"""Images with faces are dropped or their faces are blurred, whatever the format and the orientation of the file."""

import hashlib
import zlib

import numpy as np
import pytest
from PIL import Image

from shared.crawling.judging.picture.fingerprint import measure_look
from shared.crawling.options import Resize, Transform
from shared.records.records import Reason, Rejected
from shared.scoring.picture_models import PictureModels
from tests.unit.crawling.judging.model_checks.judged import (
    FACE,
    detector,
    face_picture,
    image_of,
    judged,
    kept,
    opened,
    options,
    pixels_of,
    saved,
)
from tests.unit.crawling.judging.pictures import swapped_profile
from tests.unit.scoring.faces.yunet import scene

_TURNS = {
    1: (),
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_270,),
}
"""How a picture is stored under each EXIF orientation."""


def test_keep_looks_at_no_picture_and_keeps_its_bytes() -> None:
    data = saved(image_of(face_picture()), "PNG")
    found = kept(judged(data, options()))
    assert (found.data, found.facts.faces, found.facts.nsfw, found.blurred) == (data, None, None, False)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_a_face_is_found_and_blurred_in_each_format(form: str) -> None:
    data = saved(image_of(face_picture()), form)
    assert judged(data, options(faces="drop")) == Rejected(Reason.FACE_FILTERED, "1 face")
    found = kept(judged(data, options(faces="blur")))
    assert found.facts.format == (form.lower() if form in {"JPEG", "PNG", "WEBP"} else "png")
    assert (found.facts.faces, found.blurred, found.facts.mended) == (1, True, "")
    assert detector().find(pixels_of(found.data)) == ()
    assert opened(found.data).format == found.facts.format.upper()
    without = saved(image_of(scene(640, 640)), form)
    for wanted in ("drop", "blur"):
        found = kept(judged(without, options(faces=wanted)))
        assert (found.data, found.facts.faces, found.blurred) == (without, 0, False)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_are_looked_for_in_the_upright_picture_and_hidden_where_they_are(orientation: int) -> None:
    stored = image_of(scene(640, 576, FACE))
    for turn in _TURNS[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    data = saved(stored, "JPEG", exif=exif)
    found = kept(judged(data, options(faces="blur")))
    facts, blurred = found.facts, pixels_of(found.data)
    assert (facts.width, facts.height, facts.orientation) == (640, 576, 1) == (*blurred.shape[1::-1], 1)
    changed = np.abs(blurred.astype(int) - scene(640, 576, FACE)).max(axis=2) > 60
    down, across = np.nonzero(changed)
    left, top, side = FACE
    assert left - 22 <= across.min() <= left + 2
    assert top - 22 <= down.min() <= top + 2
    assert left + side - 2 <= across.max() <= left + side + 22
    assert top + side - 2 <= down.max() <= top + side + 22


def test_the_facts_are_those_of_the_stored_bytes() -> None:
    found = kept(judged(saved(image_of(face_picture()), "PNG"), options(faces="blur")))
    facts, look = found.facts, measure_look(pixels_of(found.data))
    assert facts.sha256 == hashlib.sha256(found.data).hexdigest()
    assert (facts.crc32, facts.size_bytes) == (zlib.crc32(found.data), len(found.data))
    assert (facts.perceptual_hash, facts.sharpness, facts.entropy) == (
        look.perceptual_hash,
        look.sharpness,
        look.entropy,
    )
    assert found.found_hash == measure_look(face_picture()).perceptual_hash


def test_a_picture_without_its_faces_must_still_have_the_wanted_scores() -> None:
    data = saved(image_of(scene(640, 640, (0, 0, 512))), "PNG")
    sharpness = kept(judged(data, options())).facts.sharpness
    refused = judged(data, options(faces="blur", scores={"sharpness": {"min": sharpness}}))
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.SCORE_FILTERED


def test_metadata_and_thumbnails_go_with_the_blur() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a name"
    # a camera's own field, which often has a preview
    exif.get_ifd(0x8769)[0x927C] = saved(image_of(face_picture()).resize((160, 160)), "JPEG")
    data = saved(image_of(face_picture()), "JPEG", exif=exif, comment=b"a name")
    start_of_jpeg = b"\xff\xd8\xff"
    assert (data.count(b"a name"), data.count(start_of_jpeg)) == (2, 2)
    found = kept(judged(data, options(faces="blur")))
    assert (found.data.count(b"a name"), found.data.count(start_of_jpeg)) == (0, 1)
    assert not opened(found.data).info.keys() & {"exif", "icc_profile", "comment"}


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_a_transform_encodes_the_blurred_picture(form: str) -> None:
    data = saved(image_of(face_picture()), "PNG")
    wanted = Transform.model_validate({"format": form, "resize": {"mode": "fit", "size": 320}})
    found = kept(judged(data, options(wanted, faces="blur")))
    assert (found.facts.format, found.facts.width, found.facts.height) == (form, 320, 320)
    left, top, side = (length // 2 for length in FACE)
    plain = kept(judged(data, options(wanted)))
    hidden, shown = (
        pixels_of(one.data)[top : top + side, left : left + side].std() for one in (found, plain)
    )
    assert hidden < 20
    assert shown > 30


def test_faces_are_blurred_in_all_pixels_of_a_large_picture() -> None:
    large = scene(2560, 2560, (256, 512, 256))
    found = kept(judged(saved(image_of(large), "PNG"), options(faces="blur")))
    blurred = pixels_of(found.data)
    assert blurred.shape == large.shape
    unchanged = (blurred == large).all(axis=2)
    assert not unchanged[512:768, 256:512].mean() > 0.01
    assert unchanged[1024:].all()


def test_small_faces_are_found_in_a_picture_that_is_decoded_at_a_fraction_for_other_jobs() -> None:
    data = saved(image_of(scene(1280, 1280, (0, 640, 128))), "JPEG")
    resized = options(Transform(resize=Resize(size=64)), faces="drop")
    assert judged(data, resized) == Rejected(Reason.FACE_FILTERED, "1 face")


def test_a_transparent_picture_is_judged_on_white_as_it_is_stored() -> None:
    image = image_of(face_picture()).convert("RGBA")
    left, top, side = FACE
    # the face is there, but it cannot be seen
    image.paste((0, 0, 0, 0), (left, top, left + side, top + side))
    found = kept(judged(saved(image, "PNG"), options(faces="blur")))
    assert (found.facts.faces, found.blurred) == (0, False)


@pytest.mark.parametrize("size", [640, 2560])
def test_a_face_that_only_the_colour_profile_shows_is_found(size: int) -> None:
    face = (0, size // 5, size // 10)
    # the profile swaps red and green
    image = image_of(scene(size, size, face)[:, :, [0, 2, 1]])
    assert kept(judged(saved(image, "PNG"), options(faces="drop"))).facts.faces == 0
    data = saved(image, "PNG", icc_profile=swapped_profile())
    assert isinstance(judged(data, options(faces="drop")), Rejected)
    found = kept(judged(data, options(faces="blur")))
    left, top, side = face
    assert found.blurred
    assert pixels_of(found.data)[top : top + side, left : left + side].std() < 25


def test_a_face_that_cannot_be_hidden_refuses_the_image() -> None:
    class Stubborn:
        name = "stubborn"
        find = staticmethod(lambda _: detector().find(face_picture()))

    models = PictureModels(Stubborn())  # type: ignore[arg-type]  # a detector that always finds a face
    refused = judged(saved(image_of(face_picture()), "PNG"), options(faces="blur"), models)
    assert refused == Rejected(Reason.FACE_FILTERED, "its faces could not be blurred")


def test_what_is_stored_can_be_judged_again_and_stays_as_it_is() -> None:
    first = kept(judged(saved(image_of(face_picture()), "PNG"), options(faces="blur")))
    for wanted in ("drop", "blur"):
        again = kept(judged(first.data, options(faces=wanted)))
        assert (again.data, again.facts.faces) == (first.data, 0)
