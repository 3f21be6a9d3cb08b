"""The odd files of the gallery have the faults that their names say, and are judged as the demo shows."""

import io

import pytest
from PIL import Image

from playground.gallery import ODD_FILES, _variant, default_photos
from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.expect import present

PHOTO = default_photos() / "chelsea.png"


def judged(number: int) -> Inspected | Rejected:
    data, _ = _variant(PHOTO, number)
    return inspect(present(data), Filters())


def test_the_demo_names_each_odd_file():
    assert sorted(ODD_FILES) == [29, 48, 49]


def test_the_damaged_png_of_the_gallery_is_corrupt():
    found = judged(48)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.CORRUPT
    data, content_type = _variant(PHOTO, 48)
    assert content_type == "image/png"
    with Image.open(io.BytesIO(present(data))) as image, pytest.raises(OSError, match="broken data stream"):
        image.load()


def test_the_rotated_copy_of_the_gallery_looks_like_the_original_and_has_a_lower_quality():
    copy, other = judged(29), judged(20)
    assert isinstance(copy, Inspected)
    assert isinstance(other, Inspected)
    assert copy.orientation == 6
    assert (copy.width, copy.height) == (other.height, other.width)
    distance = (int(copy.look.perceptual_hash, 16) ^ int(other.look.perceptual_hash, 16)).bit_count()
    assert distance <= 4
    assert len(copy.data) < len(other.data)


def test_the_jpeg_with_half_a_profile_is_kept_without_the_profile():
    found = judged(49)
    assert isinstance(found, Inspected), found
    assert found.profile is None
