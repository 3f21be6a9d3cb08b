"""Large JSON arrays are read element by element."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Permanent
from shared.sources.lists.json_array import JsonArray


def elements(text, size=1 << 20, most=100_000):
    """Reads the text in pieces of `size` bytes. Returns the elements, and the problem of the whole text."""
    array = JsonArray(most)
    data = text if isinstance(text, bytes) else text.encode()
    found = [element for at in range(0, len(data), size) for element in array.feed(data[at : at + size])]
    return found, array.end()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text('ab"\\[]{},é\u2028', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\[', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
PLAIN = VALUES.filter(lambda value: not isinstance(value, list))


@given(st.lists(VALUES, max_size=5), st.integers(1, 9), st.booleans(), st.sampled_from([None, 1]))
def test_written_elements_are_read_in_pieces_of_any_size(values, size, ascii_only, indent):
    found, problem = elements(json.dumps(values, ensure_ascii=ascii_only, indent=indent), size)
    assert [json.loads(element) for element in found] == values
    assert problem is None


@given(
    st.lists(VALUES, max_size=4), st.dictionaries(st.text(max_size=3), PLAIN, max_size=3), st.integers(1, 9)
)
def test_the_array_inside_an_object_is_found(values, others, size):
    text = json.dumps(
        {**{f"_{key}": value for key, value in others.items()}, "images": values, "~": {"x": [1]}}
    )
    found, problem = elements(text, size)
    assert [json.loads(element) for element in found] == values
    assert problem is None


@given(st.text('ab"\\[]{}, 1', max_size=60), st.integers(1, 9))
def test_the_size_of_pieces_does_not_change_the_elements(text, size):
    assert _outcome(text, size) == _outcome(text, 1 << 20)


def _outcome(text, size):
    try:
        return elements(text, size)
    except Permanent as error:
        return error.detail


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_an_element_that_is_too_long_does_not_affect_others(size):
    text = b'[1, {"a": "' + b"x" * 5000 + b'"}, "' + b"y" * 5000 + b'",2]'
    assert elements(text, size, most=1000) == ([b"1", None, None, b"2"], None)


PROBLEMS = {
    '[{"url": "a"}, {"url": "b"': "the JSON text ends before its array does",
    '["a", "b': "the JSON text ends before its array does",
    '{"a": [1], "b": [2]}': "only the first array was read",
    "[1] [2]": "only the first array was read",
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_problems_of_the_whole_text_are_reported(text):
    assert elements(text)[1] == PROBLEMS[text]


@pytest.mark.parametrize(
    "text", ["", " ", "{}", '{"a": {"b": [1]}}', "1", '"[1]"', "\ufeff", '{"url": "a"}\n{"url": "b"}']
)
def test_a_text_without_an_array_is_refused(text):
    with pytest.raises(Permanent, match="array"):
        elements(text)


def test_damage_in_an_element_does_not_affect_others():
    found, problem = elements('[{"a": 1}, }, {"b": nope}, {"c": 3}]')
    assert [bytes(element).strip() for element in found] == [b'{"a": 1}', b"}", b'{"b": nope}', b'{"c": 3}']
    assert problem is None


@pytest.mark.parametrize(
    "text", ["[" * 1_000_000, '["' + '\\"' * 1_000_000, "[" + '"' * 1_000_001, "[" + "{}," * 500_000]
)
def test_deep_nesting_and_endless_quotes_are_read_to_their_end(text):
    assert elements(text)[1] == "the JSON text ends before its array does"
