"""Shows pictures in the colours that the reader has chosen."""

import posixpath
import re
from collections.abc import Container

_LIGHT = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<path>[^()\s#]+)-light(?P<suffix>\.\w+)\)")


def add_dark_pictures(text: str, page: str, files: Container[str]) -> str:
    """Returns a page's text with the dark picture beside each light one, if there is one. The site shows one of both.

    `files` are the paths of the site. A page that has both pictures itself keeps them.
    https://squidfunk.github.io/mkdocs-material/reference/images/#light-and-dark-mode
    """

    def both(light: re.Match[str]) -> str:
        dark = f"{light['path']}-dark{light['suffix']}"
        place = posixpath.normpath(posixpath.join(posixpath.dirname(page), dark))
        if place not in files or f"({dark})" in text:
            return light[0]
        return f"{light[0].removesuffix(')')}#only-light)![{light['text']}]({dark}#only-dark)"

    return _LIGHT.sub(both, text)
