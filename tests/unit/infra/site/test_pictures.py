"""A picture in light colours gives way to its dark one where the reader has chosen the dark."""

from infra.site.pictures import add_dark_pictures

FILES = {"images/a-light.webp", "images/a-dark.webp", "images/b-light.webp"}


def test_a_light_picture_gets_its_dark_one():
    text = "x ![A wall](../images/a-light.webp) y"
    assert add_dark_pictures(text, "reference/page.md", FILES) == (
        "x ![A wall](../images/a-light.webp#only-light)![A wall](../images/a-dark.webp#only-dark) y"
    )


def test_a_picture_without_a_dark_one_stays():
    text = "![b](images/b-light.webp) ![c](images/c.webp)"
    assert add_dark_pictures(text, "index.md", FILES) == text


def test_a_page_that_shows_both_keeps_both():
    text = "![a](images/a-light.webp) ![a](images/a-dark.webp)"
    assert add_dark_pictures(text, "index.md", FILES) == text
