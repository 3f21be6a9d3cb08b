import pytest

from shared.text.plain_text import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\nc\td", "a b c d"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("  a \u00a0 b  ", "a b"),
        ("a\0b\x7fc", "a\ufffdb\ufffdc"),
        ("a\ud83db", "a\ufffdb"),
        ("a\udc00", "a\ufffd"),
        ("a\u202eb\u2066c\u200bd\ufeffe", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("👩\u200d👧 a\u200cb", "👩\u200d👧 a\u200cb"),
        ("", ""),
    ],
)
def test_a_text_becomes_one_line_that_can_be_stored_and_shown(text, line):
    assert one_line(text, 100) == line


@pytest.mark.parametrize("sign", ["a", "ä", "猫", "😀", "a😀", "\ud83d", "\n"])
@pytest.mark.parametrize("most", [1, 2, 7, 300])
def test_a_line_is_cut_by_code_units_and_never_within_a_pair(sign, most):
    line = one_line(sign * 1000, most)
    assert len(line.encode("utf-16-le")) <= 2 * most
    line.encode()  # valid
