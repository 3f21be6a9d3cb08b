"""The files of the pages that show the description of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_OWN = Path(__file__).with_name("files")
# a deployment has no node_modules: before it, `make assets` copies the files of packages here
_COPIED = Path(__file__).with_name("copied")
_INSTALLED = Path(__file__).parents[3] / "node_modules"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file and its media type. A file of an npm package has its path in `node_modules`."""

    media_type: str
    in_package: str | None = None


ASSETS: Final[Mapping[str, Asset]] = {
    "docs.js": Asset("text/javascript"),
    "redoc.js": Asset("text/javascript"),
    "redoc.standalone.js": Asset("text/javascript", "redoc/bundles/redoc.standalone.js"),
    "swagger-ui-bundle.js": Asset("text/javascript", "swagger-ui-dist/swagger-ui-bundle.js"),
    "swagger-ui.css": Asset("text/css", "swagger-ui-dist/swagger-ui.css"),
}
"""The files that pages load, by their names."""


@cache
def page(name: str) -> str:
    """Returns the HTML of a page."""
    return (_OWN / name).read_text("utf-8")


@cache
def asset(name: str) -> str:
    """Returns the text of an asset.

    Raises:
        FileNotFoundError: the npm packages are not installed, and their files were not copied.
    """
    found = ASSETS[name]
    in_package = found.in_package
    if in_package is None:
        return (_OWN / name).read_text("utf-8")
    installed = _INSTALLED / in_package
    return (installed if installed.exists() else _COPIED / name).read_text("utf-8")


def copy_assets() -> None:
    """Copies the files of npm packages to where the deployed app finds them."""
    _COPIED.mkdir(exist_ok=True)
    for name, found in ASSETS.items():
        if found.in_package is not None:
            (_COPIED / name).write_bytes((_INSTALLED / found.in_package).read_bytes())


if __name__ == "__main__":
    copy_assets()
