"""Outputs are compared by their shape: another field, word or type is found."""

import pytest

from tests.documents.reading.shapes import WrongOutput, compare


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("12 images in 3.5 s", "40 images in 11.25 s\n"),
        ("Signed in to …. The key is in …", "Signed in to http://a. The key is in /x"),
        ("one\n…\nfour", "one\ntwo\nthree\nfour"),
        (
            '{"id":"d4f6…", … "links":{"self":"/jobs/d4f6…", …}}',
            '{"id":"9","a":1,"links":{"self":"/jobs/9","b":2}}',
        ),
        ('{"at": "2026-01-01T00:00:00Z", "n": 3}', '{"at": "2030-05-06T07:08:09.123Z", "n": 7.5}'),
        ('{"items": [{"a": 1}, …]}', '{"items": [{"a": 5}, {"a": 6}]}'),
        ('{"url": …}', '{"url": [1]}'),
    ],
)
def test_an_output_of_the_same_shape_is_accepted(shown, printed):
    compare(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("12 images", "12 files"),
        ("one\n…\nfour", "one\ntwo\nthree"),
        ('{"id": "a"}', '{"id": "a", "more": 1}'),
        ('{"id": "a", "gone": 1, …}', '{"id": "a", "more": 1}'),
        ('{"state": "queued"}', '{"state": "failed"}'),
        ('{"n": 3}', '{"n": "3"}'),
        ('{"n": true}', '{"n": 1}'),
        ('{"n": null}', '{"n": 0}'),
        ('{"id":"d4f6…","self":"/jobs/d4f6…"}', '{"id":"9","self":"/jobs/8"}'),
        ('{"items": [1, 2]}', '{"items": [1]}'),
        ('{"items": [1, …]}', '{"items": []}'),
        ('{"id": "a"}', "no JSON"),
        ('{"id": }', '{"id": 1}'),
    ],
)
def test_another_output_is_found(shown, printed):
    with pytest.raises(WrongOutput):
        compare(shown, printed)


def test_a_shortened_value_gets_the_real_one():
    assert compare('{"id":"d4f6…", …}', '{"id":"d4f64fa2","n":1}') == {"d4f6…": "d4f64fa2"}
