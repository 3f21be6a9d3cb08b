"""Texts from outside show unchanged in Markdown, by a strict reader."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from shared.archiving.texts.markdown import code, escaped, link
from shared.text.hidden import showing_hidden
from tests.expect import present

ODD = (
    "~~gone~~",
    "a ~b~ c",
    "*a* _b_ __c__ a_b_c",
    "`code` ``x`` \\`",
    "a | b \\| c",
    "<b>bold</b> <!-- hidden --> <img src=x onerror=alert(1)>",
    "&lt; &#60; &copy; AT&T &",
    "# not a heading #",
    "C # ##",
    "[a](https://evil.example) ![b](x.png) [c][d] [e]: f",
    "https://evil.example http://x.example?a_b*c* ftp://x.example",
    "www.evil.example WWW.evil.example",
    "<https://evil.example> mailto:a@b.example a@b.example",
    "$x^2$ $$y$$",
    "a\\*b \\\\ \\",
    "line\nbreak  \nhard\r\n\r\n# heading\n---\n- item",
    "a\u2028b\u2029c\x85d",
    "x\u202ereversed\u202c \u2066a\u2069",
    "zero\u200bwidth\ufeff\xad\u2060",
    "1. one",
    "- [ ] task",
    "> quote",
    "[^1] [^1]: note",
    "*<https://a.example*>*",
)
READER = MarkdownIt("gfm-like")
present(READER.linkify).set({"fuzzy_link": False, "fuzzy_email": True})


class Shown(HTMLParser):
    """Collects the text and the tags of a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self.links = "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.tags.append(f"!--{data}")


def shown(text):
    return Shown(READER.render(text))


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize(
    ("form", "tags"),
    [
        ("# {}", ["h1"]),
        ("- before: {}, after", ["ul", "li"]),
        (
            "| a | b |\n| --- | --- |\n| {} | x |",
            ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"],
        ),
    ],
)
def test_text_shows_unchanged_in_every_place(text, form, tags):
    found = shown(form.format(escaped(text)))
    assert found.tags == tags
    assert showing_hidden(text) in found.text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("www.evil.example WWW.evil.example", r"www\.evil.example WWW\.evil.example"),
        ("https://evil.example a@b.example", r"https\://evil.example a\@b.example"),
        ("$x$ ~y~ ~~z~~", r"\$x\$ \~y\~ \~\~z\~\~"),
        ("snake_case a:b a.b 5 @home 1~", r"snake_case a:b a.b 5 @home 1\~"),
    ],
)
def test_links_and_formulas_that_only_some_readers_know_are_escaped_too(text, wanted):
    assert escaped(text) == wanted


@given(
    st.text(
        alphabet=st.one_of(st.sampled_from("\\`*_[]<>|#~&;$:/.@w!()-a1 \n\u202e"), st.characters()),
        max_size=40,
    )
)
@example("a_ _b")
def test_any_text_from_outside_shows_as_plain_text(text):
    found = shown(f"x {escaped(text)} x")
    assert found.tags == ["p"]
    assert " ".join(found.text.split()) == " ".join(f"x {showing_hidden(text)} x".split())


@pytest.mark.parametrize("text", ODD)
def test_code_shows_unchanged(text):
    found = shown(f"- {code(text)}: x")
    assert found.tags == ["ul", "li", "code"]
    assert found.text.strip() == f"{showing_hidden(text)}: x"


@pytest.mark.parametrize(
    ("url", "leads_to"),
    [
        ("https://a.example/b_c*d~e?f=1&g=2#h", None),
        ("https://a.example/<b>", "https://a.example/%3Cb%3E"),
        ("https://a.example/a b`c|d\\e", "https://a.example/a%20b%60c%7Cd%5Ce"),
        ("https://a.example/&lt;&copy;", "https://a.example/&lt%3B&copy%3B"),
        ("https://a.example/é", "https://a.example/%C3%A9"),
        ("https://a.example/%20(x)'\"", "https://a.example/%20(x)'%22"),
        ("https://[::1]:80/x", None),
    ],
)
def test_a_link_leads_to_the_address_that_it_shows(url, leads_to):
    found = shown(f"- *x* {link(url)}, y")
    assert found.tags == ["ul", "li", "em", "a"]
    assert found.links == [leads_to or url]
