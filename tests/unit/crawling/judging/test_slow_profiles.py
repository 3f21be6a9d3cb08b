"""A colour profile whose elements or segments would take minutes is not applied. Others with elements are."""

import struct

import numpy as np
import pytest

from shared.crawling.judging.picture.color import to_srgb
from tests.unit.crawling.judging.pictures import profile

PIXELS = np.full((8, 8, 3), (10, 120, 230), np.uint8)


def with_elements(element, number):
    """Returns an RGB profile that passes colours through the same element several times."""
    base = profile().replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    (count,) = struct.unpack_from(">I", base, 128)
    tags = [struct.unpack_from(">4sII", base, 132 + 12 * place) for place in range(count)]
    contents = {name: base[at : at + size] for name, at, size in tags}
    head = struct.pack(">4s4xHHI", b"mpet", 3, 3, number)
    contents[b"D2B0"] = head + struct.pack(">II", len(head) + 8 * number, len(element)) * number + element
    table, data = struct.pack(">I", len(contents)), b""
    for name, content in contents.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(contents) + len(data), len(content))
        data += content.ljust(-(-len(content) // 4) * 4, b"\0")
    size = struct.pack(">I", 132 + 12 * len(contents) + len(data))
    return size + base[4:8] + b"\4\x30\0\0" + base[12:128] + table + data


def matrix():
    return struct.pack(">4s4xHH12f", b"matf", 3, 3, 0.9, 0, 0, 0, 0.9, 0, 0, 0, 0.9, 0, 0, 0)


def curves(segments):
    """Returns three curves that are one: a formula (10.16.1) for each segment."""
    breaks = struct.pack(f">{segments - 1}f", *(n / segments for n in range(1, segments)))
    formula = struct.pack(">4s4xH2x4f", b"parf", 0, 1.0, 0.9, 0.0, 0.0)
    curve = struct.pack(">4s4xH2x", b"curf", segments) + breaks + formula * segments
    return struct.pack(">4s4xHH", b"cvst", 3, 3) + struct.pack(">II", 36, len(curve)) * 3 + curve


def is_applied(content):
    return not np.array_equal(to_srgb(PIXELS, content), PIXELS)


@pytest.mark.parametrize(
    ("element", "number"), [(matrix(), 1), (matrix(), 32), (curves(2), 1), (curves(100), 2)]
)
def test_a_profile_with_few_elements_is_applied(element, number):
    assert is_applied(with_elements(element, number))


@pytest.mark.parametrize(("element", "number"), [(matrix(), 33), (matrix(), 60_000), (curves(101), 2)])
def test_a_profile_with_too_many_elements_or_segments_is_not_applied(element, number):
    """60,000 elements in one megabyte took more than a minute."""
    assert not is_applied(with_elements(element, number))
