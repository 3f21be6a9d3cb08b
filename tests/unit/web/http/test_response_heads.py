"""Heads of responses are rewritten for the parser: equal lengths are one, and codings have their registered names."""

import pytest

from shared.web.http.response_heads import (
    MAX_FIELD_BYTES,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    exceeded_limit,
    normal_head,
    unread_coding,
)

STATUS = b"HTTP/1.1 200 OK\r\n"


def fields(*lines: bytes) -> bytes:
    return STATUS + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"Content-Length: 5", b"content-length: 5"], [b"Content-Length: 5"]),
        ([b"Content-Length: 5, 5"], [b"Content-Length: 5"]),
        ([b"Content-Length: 5,5", b"X: y", b"Content-Length: 005"], [b"Content-Length: 5", b"X: y"]),
        ([b"Content-Length: 5", b"Content-Length:5", b"CONTENT-LENGTH:  5 "], [b"Content-Length: 5"]),
        ([b"Transfer-Encoding: chunked", b"Content-Length: 5"], [b"Transfer-Encoding: chunked"]),
        ([b"Content-Length: 5", b"Transfer-Encoding: Chunked"], [b"Transfer-Encoding: Chunked"]),
        ([b"Content-Encoding: x-gzip"], [b"Content-Encoding: gzip"]),
        ([b"content-encoding:X-GZip"], [b"Content-Encoding: gzip"]),
        ([b"Content-Encoding: GZIP"], [b"Content-Encoding: gzip"]),
        ([b"Content-Encoding: gzip, identity"], [b"Content-Encoding: gzip"]),
        ([b"Content-Encoding: ,identity,, x-gzip ,"], [b"Content-Encoding: gzip"]),
        ([b"Content-Encoding: gzip;q=1.0"], [b"Content-Encoding: gzip"]),
        (
            [b"Content-Encoding: identity", b"X: y", b"Content-Encoding: deflate"],
            [b"Content-Encoding: deflate", b"X: y"],
        ),
        ([b"Content-Encoding: identity"], []),
        ([b"Content-Encoding:"], []),
        ([b"Content-Encoding: x-gzip", b"Content-Encoding: br"], [b"Content-Encoding: gzip, br"]),
        ([b"Content-Encoding: UTF-8"], [b"Content-Encoding: utf-8"]),
        ([b"X-Content-Encoding: X-GZIP"], [b"X-Content-Encoding: X-GZIP"]),
    ],
)  # fmt: skip
def test_a_head_is_rewritten_to_its_normal_form(lines, expected):
    assert normal_head(fields(*lines)) == fields(*expected)


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5, 6"],
        [b"Content-Length: 5", b"Content-Length: -5"],
        [b"Content-Length: 5", b"Content-Length: five"],
        [b"Content-Length: 5", b"Content-Length:"],
        [b"Content-Length: 5,"],
        [b"Content-Length: five", b"Transfer-Encoding: chunked"],
        [b"Content-Length: 5", b"X: y", b"Server: z"],
        [b"Content-Length: 5", b"Content-Length: 5", b" 6"],
    ],
)
def test_lengths_that_differ_or_are_invalid_stay_in_the_head(lines):
    assert normal_head(fields(*lines)) == fields(*lines)


def test_bare_line_feeds_end_lines():
    head = b"HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5\n\n"
    assert normal_head(head) == b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\n"


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (fields(b"X: " + b"y" * (MAX_FIELD_BYTES - 10)), None),
        (fields(b"X: " + b"y" * MAX_FIELD_BYTES), "one of its header fields has more than 32,768 bytes"),
        (fields(*[b"X: y"] * MAX_FIELDS), None),
        (fields(*[b"X: y"] * (MAX_FIELDS + 1)), "it has more than 128 header fields"),
        (fields(*[b"X: " + b"y" * 1018] * 127), None),
        (fields(*[b"X: " + b"y" * 1100] * 127), "its headers have more than 131,072 bytes"),
        (b"X" * (MAX_HEAD_BYTES + 1), "its headers have more than 131,072 bytes"),
    ],
)
def test_the_limit_that_a_head_exceeds_is_named(head, told):
    assert exceeded_limit(head) == told


@pytest.mark.parametrize(
    "one", ["", "gzip", "deflate", "br", "zstd", "utf-8", "none", "aws-chunked", "binary, utf-8"]
)
def test_bodies_with_at_most_one_known_coding_are_read(one):
    assert unread_coding(one) is None


@pytest.mark.parametrize(
    "several", ["gzip, gzip", "gzip, br", "compress", "x-compress", "deflate, utf-8", "gzip, dcb"]
)
def test_codings_that_the_client_cannot_decode_are_named(several):
    assert unread_coding(several.upper()) == several
