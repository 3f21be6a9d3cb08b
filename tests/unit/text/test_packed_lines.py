"""Packed lines, the form in which candidates and records are stored."""

import gzip

from hypothesis import given
from hypothesis import strategies as st

from shared.text.packed_lines import pack, unpack


@given(st.lists(st.binary().filter(lambda line: not {10, 13} & set(line))))
def test_unpacking_returns_the_packed_lines(lines: list[bytes]) -> None:
    assert list(unpack(pack(lines))) == lines


def test_packed_lines_are_a_gzip_file() -> None:
    assert gzip.decompress(pack([b'{"index":0}', b'{"index":1}'])) == b'{"index":0}\n{"index":1}\n'


def test_similar_lines_take_little_space() -> None:
    lines = [b'{"index":%d,"url":"https://example.org/pictures/%d.jpg"}' % (n, n) for n in range(256)]

    assert len(pack(lines)) < sum(map(len, lines)) / 5
