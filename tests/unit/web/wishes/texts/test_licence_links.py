"""Link headers name RSL licences in many spellings; other links and hostile values name none."""

import time

import pytest

from shared.web.wishes.texts.licence_links import licence_links

TYPE = 'type="application/rsl+xml"'


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([f'<https://x.org/l.xml>; rel="license"; {TYPE}'], ("https://x.org/l.xml",)),
        (["</l.xml>;type=application/rsl+xml;REL=License"], ("/l.xml",)),
        ([f'<a>; rel="next license"; title="a, \\" <b>; rel=x"; {TYPE}'], ()),
        ([f'<a>; title="a, \\"; rel=x"; rel="next license"; {TYPE}'], ("a",)),
        ([f"<a>; rel=license, <b> ; rel=license ; {TYPE}, <c>; {TYPE}"], ("b",)),
        ([f"<a>; rel=license; {TYPE}", f"<b>; rel=license; {TYPE}"], ("a", "b")),
        ([f"<a>; rel=license; {TYPE}; anchor=/other"], ()),
        (['<a>; rel=license; type="text/html"', "<a>; rel=license", f"<a>; {TYPE}", "nonsense", ""], ()),
        ([f"<a>; rel=next; rel=license; {TYPE}"], ()),
        ([f"<{number}>; rel=license; {TYPE}" for number in range(9)], ("0", "1", "2", "3", "4")),
    ],
)
def test_licences_in_link_headers_are_found(values, found):
    assert licence_links(values) == found


@pytest.mark.parametrize(
    "piece", ["<", "<>;", '<a>;b="', "<a>; rel=license;", '\\"', "; a=", " ", "<a>;a =  "]
)
def test_long_values_are_read_in_linear_time(piece):
    began = time.process_time()
    licence_links([piece * 200_000])
    assert time.process_time() - began < 0.2
