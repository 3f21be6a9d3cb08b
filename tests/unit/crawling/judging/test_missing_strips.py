"""A TIFF that names too few strips or tiles is refused. Pillow would show the missing ones in black."""

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.pictures import SIZE, picture

TIFF = Filters(formats=("tiff",))
WAYS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 16},
    "tiles": {"tile": (32, 48)},
    "planes": {"planarconfig": "separate"},
    "strips of planes": {"planarconfig": "separate", "rowsperstrip": 16},
    "strips of a BigTIFF": {"rowsperstrip": 16, "bigtiff": True},
}


def tiff(name: str) -> bytes:
    pixels = np.asarray(picture())
    if "planes" in name:
        pixels = pixels.transpose(2, 0, 1)
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, photometric="rgb", **WAYS[name])
    return out.getvalue()


def with_fewer(data: bytes, name: str) -> bytes:
    """Removes the last item from the lists of the offsets and lengths of strips or tiles."""
    changed = bytearray(data)
    field = "<HHQ" if "BigTIFF" in name else "<HHI"
    count = 0
    for tag in (273, 279, 324, 325):
        for kind in (3, 4, 16):
            at = data.find(struct.pack("<HH", tag, kind))
            if at >= 0:
                _, _, number = struct.unpack_from(field, data, at)
                struct.pack_into(field, changed, at, tag, kind, number - 1)
                count += 1
    assert count == 2
    return bytes(changed)


@pytest.mark.parametrize("name", WAYS)
def test_a_tiff_with_all_its_strips_or_tiles_is_kept(name):
    found = inspect(tiff(name), TIFF, None)
    assert isinstance(found, Inspected), found
    assert np.array_equal(found.pixels[:, :, ::-1], np.asarray(picture()))
    assert (found.width, found.height) == SIZE


@pytest.mark.parametrize("name", WAYS)
def test_a_tiff_without_its_last_strip_or_tile_is_truncated(name):
    found = inspect(with_fewer(tiff(name), name), TIFF)
    assert isinstance(found, Rejected), found
    assert found.reason is Reason.TRUNCATED
