"""Patterns of robots.txt and tdmrep.json are compared with addresses in one spelling."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.addresses.urls import parse_url
from shared.web.wishes.texts.path_patterns import OutOfTimeError, PathPattern, comparable_path, within_time


def matches(pattern: str, path: str) -> bool:
    return PathPattern.read(pattern).matches(comparable_path(parse_url(f"http://h{path}")))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/a", "/ab", True),
        ("/a$", "/ab", False),
        ("/a$", "/a", True),
        ("*", "/x", True),
        ("*.png$", "/x.png", True),
        ("*.png$", "/x.png.html", False),
        ("*.png$", "/x.png?q", False),
        ("/a*a$", "/a", False),
        ("/a*a$", "/aa", True),
        ("/a*b*c", "/axxbxxcxx", True),
        ("/a*b*c", "/axxcxxb", False),
        ("/a**b", "/axb", True),
        ("/a*$", "/axb", True),
        ("/*?q=", "/x/y?q=1", True),
        ("/x?q", "/x", False),
        # RFC 9309, 2.2.2 and 2.2.3: octets are compared, encoded or not
        ("/%61", "/a", True),
        ("/a", "/%61", True),
        ("/\u30c4", "/%E3%83%84", True),
        ("/%E3%83%84", "/\u30c4", True),
        ("/%e3%83%84", "/%E3%83%84", True),
        ("/a%2Fb", "/a/b", False),
        ("/a/b", "/a%2Fb", False),
        ("/a%3Fb", "/a?b", False),
        ("/a,b", "/a%2Cb", True),
        ("/a%40", "/a@", True),
        ("/a b", "/a%20b", True),
        ("/a[1]", "/a%5b1%5D", True),
        ("/100%", "/100%25", True),
        ("/file-with-a-%2A.html", "/file-with-a-*.html", True),
        ("/file-with-a-%2a.html", "/file-with-a-%2A.html", True),
        ("/file-with-a-%2A.html", "/file-with-a-x.html", False),
        ("/foo-%24", "/foo-$", True),
        ("/foo-%24", "/foo-%24", True),
        ("/a$b", "/a$b", True),
        ("/a$b", "/a", False),
        ("/", "", True),
    ],
)
def test_a_pattern_matches_as_the_rfc_requires(pattern, path, expected):
    assert matches(pattern, path) is expected


@given(st.text("/ab*$", max_size=12), st.text("/ab", max_size=12))
def test_a_pattern_matches_like_its_regular_expression(pattern, path):
    end = r"\Z" if pattern.endswith("$") else ""
    pieces = pattern.removesuffix("$").replace("$", "%24").split("*")
    expected = re.match(".*".join(map(re.escape, pieces)) + end, path, re.DOTALL) is not None
    assert PathPattern.read(pattern).matches(path) is expected


@pytest.mark.parametrize("pattern", ["/" + "*a" * 30 + "b", "/*" + "a" * 90 + "b", "/*" + "*a" * 5000 + "*b"])
def test_a_hostile_pattern_causes_no_backtracking(pattern):
    path, began = "/" + "a" * 7990, time.thread_time()
    for _ in range(20):
        assert not PathPattern.read(pattern).matches(path)
    assert time.thread_time() - began < 2


def test_iteration_stops_with_an_error_after_the_time_limit():
    assert list(within_time(range(100), 60.0)) == list(range(100))
    with pytest.raises(OutOfTimeError):
        list(within_time(range(100), -1.0))
    assert list(within_time(range(10), -1.0)) == list(range(10))
