"""The name under which a browser saves a file."""

import re

import pytest
from aiohttp.multipart import content_disposition_filename, parse_content_disposition

from shared.text.content_disposition import attachment

HOSTILE = [
    'a"; filename="b.exe',
    "a\r\nSet-Cookie: x=1\r\n\r\n<script>.zip",
    "..\\..\\windows\\system32\\evil.zip",
    "../../etc/passwd",
    "pets\u202egpj.zip",
    "pets\x00.zip",
    "%2e%2e%2fpets.zip",
    "\\",
    '"',
    "",
    ".",
    ".zip",
    "CON",
    "nul.zip",
    "日本" * 200 + ".zip",
    "a" * 5000,
    "a." + "b" * 5000,
    "\ud800.zip",
    "UTF-8''evil.zip",
]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("pets.zip", 'attachment; filename="pets.zip"'),
        ("my pets.zip", 'attachment; filename="my pets.zip"'),
        ("Hünde.zip", "attachment; filename=\"Hunde.zip\"; filename*=UTF-8''H%C3%BCnde.zip"),
        ("日本.zip", "attachment; filename=\"file.zip\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.zip"),
        ("a'b(c).zip", "attachment; filename=\"a_b_c_.zip\"; filename*=UTF-8''a%27b%28c%29.zip"),
    ],
)
def test_a_readable_name_stays_readable(name, header):
    assert attachment(name) == header


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_safe_file_name(name):
    header = attachment(name)
    assert re.fullmatch(
        r"attachment; filename=\"[A-Za-z0-9._ -]+\"(; filename\*=UTF-8''[\x21-\x7e]+)?", header
    )
    kind, fields = parse_content_disposition(header)
    read = content_disposition_filename(fields)
    assert kind == "attachment"
    assert read
    assert not re.search(r'[/\\":*?<>|\x00-\x1f\u202e]', read)
    assert read not in {".", ".."}
    assert len(read.encode()) <= 210


def test_a_long_name_keeps_its_ending():
    header = attachment("日本" * 200 + ".zip")
    _, fields = parse_content_disposition(header)
    assert str(content_disposition_filename(fields)).endswith("日.zip")
