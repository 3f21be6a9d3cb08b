"""The selected version of a picture has one of the filters' formats, if any version has."""

import pytest
from yarl import URL

from shared.sources.website.html_images import read_html

PAGE = URL("https://example.org/dir/page.html")
ALL = (
    '<picture><source srcset="a.avif 900w" type="image/avif"><source srcset="b.webp 800w" type="image/webp">'
    '<source srcset="c.png 700w"><img src="d.jpg"></picture>'
)
TYPES_ONLY = (
    '<picture><source srcset="a 900w" type="image/avif"><source srcset="b 800w" type="image/webp; x=y">'
    '<source srcset="c 700w" type="IMAGE/X-PNG"><img src="d.jpeg"></picture>'
)


def taken(html: str, *formats: str) -> list[str]:
    found = read_html(html.encode(), PAGE, "text/html; charset=utf-8", nofollow=True, formats=formats).images
    return [image.url.removeprefix("https://example.org/dir/") for image in found]


@pytest.mark.parametrize(
    ("formats", "versions"),
    [
        (("jpeg",), ["d.jpg", "d.jpeg"]),
        (("png",), ["c.png", "c"]),
        (("webp",), ["b.webp", "b"]),
        (("avif",), ["a.avif", "a"]),
        (("jpeg", "png"), ["c.png", "c"]),
        (("jpeg", "png", "webp", "gif"), ["b.webp", "b"]),
        (("jpeg", "avif"), ["a.avif", "a"]),
        (("gif",), ["a.avif", "a"]),
    ],
)
def test_the_best_version_has_a_format_of_the_filters(formats, versions):
    assert [*taken(ALL, *formats), *taken(TYPES_ONLY, *formats)] == versions


@pytest.mark.parametrize(
    ("html", "version"),
    [
        ('<img src="x.jpg" srcset="x.php?format=webp 2x">', "x.php?format=webp"),
        ('<img src="x.jpg" srcset="x.WEBP?w=9 2x">', "x.jpg"),
        ('<img src="x.jpg" data-src="y.tif">', "x.jpg"),
        ('<img src="x.jfif" data-src="y.apng">', "x.jfif"),
        ('<a href="large.webp"><img src="small.jpg"></a>', "small.jpg"),
        ('<a href="large.jpe"><img src="small.jpg"></a>', "small.jpg"),
        ('<a href="large.jpeg"><img src="small.webp"></a>', "large.jpeg"),
        ('<img src="x.jpg" srcset="y.svg 2x">', "x.jpg"),
        ('<img src="only.webp">', "only.webp"),
    ],
)
def test_endings_and_types_declare_the_format_and_other_addresses_may_have_any(html, version):
    assert taken(html, "jpeg") == [version]


@pytest.mark.parametrize(
    "href", ["large.jpg ", "\n large.jpg", "la\nrge.j\tpg", "..\\dir\\large.jpg", "large.jpg\t?"]
)
def test_a_link_to_an_image_file_is_recognised_despite_ignored_characters(href):
    html = f'<a href="{href}"><img src=" small.jpg "></a>'
    assert [url.removesuffix("?") for url in taken(html, "jpeg")] == ["large.jpg"]
