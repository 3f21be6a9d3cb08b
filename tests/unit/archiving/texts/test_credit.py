"""Credits have title, author, source and licence, each with its link."""

import re

import pytest

from shared.archiving.texts.credit import credit_line, credit_markdown
from shared.records.candidates import Candidate, Provenance
from shared.records.records import Reason, Record, Rejected

PAGE = "https://www.flickr.com/photos/1@N05/2"
BY_2 = "CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)"
FLICKR = "no known copyright restrictions (https://www.flickr.com/commons/usage/)"
PEXELS = "Pexels License (https://www.pexels.com/license/)"
BY_4_URL = "https://creativecommons.org/licenses/by/4.0/"
CAT = {"title": "A cat", "page_url": PAGE}
BY = {"license": "by", "license_version": "4.0", "license_url": BY_4_URL}


def record(url="https://a/1.jpg", **fields):
    return Record(0, Candidate(url, "cat", Provenance("test", **fields)), Rejected(Reason.TIMED_OUT))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            CAT | {"creator": "Jane", "license": "by", "license_version": "2.0"},
            f'"A cat" ({PAGE}) by Jane, {BY_2}',
        ),
        (
            CAT | {"creator": "Jane", "creator_url": "https://a/jane"} | BY,
            f'"A cat" ({PAGE}) by Jane (https://a/jane), CC BY 4.0 ({BY_4_URL})',
        ),
        (CAT | {"creator": "The Library", "license": "flickr"}, f'"A cat" ({PAGE}) by The Library, {FLICKR}'),
        (CAT | {"creator": "Jo", "license": "pexels"}, f'"A cat" ({PAGE}) by Jo, {PEXELS}'),
        ({"page_url": PAGE} | BY, f"Untitled ({PAGE}), CC BY 4.0 ({BY_4_URL})"),
        (BY, f"Untitled (https://a/1.jpg), CC BY 4.0 ({BY_4_URL})"),
        (BY | {"url": "blob:inputs/1.jpg"}, f"Untitled, CC BY 4.0 ({BY_4_URL})"),
        (
            BY | {"license_url": "https://museum.example/terms", "title": "A"},
            '"A" (https://a/1.jpg), CC BY 4.0 (https://museum.example/terms)',
        ),
    ],
)
def test_an_attribution_has_title_author_source_and_licence_with_the_links_that_are_known(fields, line):
    assert credit_line(record(**fields)) == line


@pytest.mark.parametrize(
    ("wished", "line"),
    [
        ("© Museum", f"© Museum ({PAGE}), CC BY 4.0 ({BY_4_URL})"),
        (f"© Museum, CC BY 4.0. See {BY_4_URL}.", f"© Museum, CC BY 4.0. See {BY_4_URL} ({PAGE})"),
        (f"© Museum, {PAGE}.", f"© Museum, {PAGE}, CC BY 4.0 ({BY_4_URL})"),
        (f"© Museum, {PAGE}, {BY_4_URL}.", f"© Museum, {PAGE}, {BY_4_URL}."),
        ("© Museum.\r\n All rights", f"© Museum. All rights ({PAGE}), CC BY 4.0 ({BY_4_URL})"),
    ],
)
def test_the_credit_that_a_source_asks_for_gets_the_links_that_it_lacks(wished, line):
    found = credit_line(record(attribution=wished, page_url=PAGE, **BY))
    assert found == line
    assert "., " not in found


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200b", "\u2028", "\u2029", "\ufeff", "\x85", "\U000e0041"]
)
@pytest.mark.parametrize("of", [credit_line, credit_markdown])
def test_hidden_characters_in_titles_and_names_do_not_reverse_the_text_after_them(of, hidden):
    fields = CAT | BY | {"title": f"A {hidden}cat", "creator": f"Ja{hidden}ne"}
    line = of(record(**fields))
    assert hidden not in line
    assert "A cat" in line
    assert re.search(r"by Ja ?ne, CC BY 4\.0", line)


def test_links_in_markdown_end_where_they_should():
    fields = (
        CAT | BY | {"page_url": "https://a/<b> c`d\\e|f_g*h?x=1&lt;#é", "title": "[x](https://evil.example)"}
    )
    line = credit_markdown(record(**fields))
    link = "<https://a/%3Cb%3E%20c%60d%5Ce%7Cf_g*h?x=1&lt%3B#%C3%A9>"
    assert line == rf'"\[x\](https\://evil.example)" {link}, CC BY 4.0 <{BY_4_URL}>'
