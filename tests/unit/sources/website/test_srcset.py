"""srcset attributes are parsed as the HTML standard requires."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.website.srcset import SrcsetImage, parse_srcset

CASES = {
    "": [],
    " , ,, ": [],
    "a.jpg": [SrcsetImage("a.jpg")],
    "a.jpg, b.jpg 2x": [SrcsetImage("a.jpg"), SrcsetImage("b.jpg", density=2.0)],
    "a.jpg 100w,b.jpg 200w": [SrcsetImage("a.jpg", 100), SrcsetImage("b.jpg", 200)],
    "a.jpg,b.jpg 2x": [SrcsetImage("a.jpg,b.jpg", density=2.0)],
    "a.jpg,, b.jpg": [SrcsetImage("a.jpg"), SrcsetImage("b.jpg")],
    "/w_100,h_50/a.jpg 100w, /w_200,h_99/a.jpg 200w": [
        SrcsetImage("/w_100,h_50/a.jpg", 100),
        SrcsetImage("/w_200,h_99/a.jpg", 200),
    ],
    "data:image/gif;base64,R0lGOD,lh 1x,b.jpg 1.5x": [
        SrcsetImage("data:image/gif;base64,R0lGOD,lh", density=1.0),
        SrcsetImage("b.jpg", density=1.5),
    ],
    "a.jpg 100w 50h": [SrcsetImage("a.jpg", 100)],
    "a.jpg 50h, b.jpg 1x": [SrcsetImage("b.jpg", density=1.0)],
    "a.jpg 0w, b.jpg -1x, c.jpg 1w 1x, d.jpg 1x 2x, e.jpg 1q, f.jpg 1.5w, g.jpg w, h.jpg 1e999x": [],
    "a.jpg 1e2x": [SrcsetImage("a.jpg", density=100.0)],
    "a.jpg .5x": [SrcsetImage("a.jpg", density=0.5)],
    "a.jpg (1, 2) 2x, b.jpg": [SrcsetImage("b.jpg")],
    "\n a.jpg\t1x\f,\r\n b.jpg 2x ": [SrcsetImage("a.jpg", density=1.0), SrcsetImage("b.jpg", density=2.0)],
    "a.jpg (never closed, b.jpg 2x": [],
}


@pytest.mark.parametrize("value", CASES)
def test_srcset_is_read_as_browsers_read_it(value):
    assert parse_srcset(value) == CASES[value]


URLS = st.text("ab/:;=,.?&()", min_size=1, max_size=12).filter(
    lambda u: not u.startswith(",") and not u.endswith(",")
)
IMAGES = st.one_of(
    st.builds(SrcsetImage, URLS),
    st.builds(SrcsetImage, URLS, st.integers(1, 99_999)),
    st.builds(SrcsetImage, URLS, st.none(), st.floats(0, 1000, allow_subnormal=False)),
)


@given(st.lists(IMAGES, max_size=6), st.sampled_from([", ", " ,", " , ", " ,\n"]))
def test_written_srcsets_are_read(images, comma):
    written = comma.join(
        image.url
        + (f" {image.width}w" if image.width else f" {image.density!r}x" if image.density is not None else "")
        for image in images
    )
    assert parse_srcset(written) == images


@given(st.text("ab ,()12wxh.e-\t\n:/", max_size=200))
def test_the_urls_of_any_srcset_are_parts_of_its_text(text):
    for image in parse_srcset(text):
        assert image.url in text
        assert image.url
        assert image.url == image.url.strip(" \t\n\r\f")
        assert not image.url.startswith(",")
        assert image.width is None or image.density is None
