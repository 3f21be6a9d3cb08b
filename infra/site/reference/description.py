"""Describes the API of an app without settings, with the sources that it has built in."""

from typing import Any

from functions.http.description.document import describe
from functions.http.modules import MODULES
from shared.sources.kinds import SourceSettings, known_kinds


def describe_api() -> dict[str, Any]:
    """Returns the description of the API in OpenAPI."""
    return describe(MODULES, known_kinds(SourceSettings()), "")
