"""Opens sources of the search services on a test's server."""

import traceback
from dataclasses import replace

import pytest

from shared.sources.kinds import SourceSettings
from shared.sources.source import Query
from tests.unit.known_sources import open_source

LISTS = {
    "openverse": ("results",),
    "wikimedia": ("query", "pages"),
    "flickr": ("photos", "photo"),
    "pexels": ("photos",),
    "pixabay": ("hits",),
    "brave": ("results",),
}
NAMES = {"wikimedia": "Wikimedia Commons", "brave": "Brave Search"}
KEYED = ("flickr", "pexels", "pixabay", "brave")
KEY = "s3cret-k3y"
QUERY = Query("pets/cat", "pets", "cat")

every_service = pytest.mark.parametrize("name", LISTS)
every_keyed_service = pytest.mark.parametrize("name", KEYED)


def title(name: str) -> str:
    return NAMES.get(name, name.capitalize())


def opened(name: str, url: str, client, clock):
    known = SourceSettings()
    access = replace(getattr(known, name), base_url=url, **({"key": KEY} if name in KEYED else {}))
    services = replace(known, **{name: access})
    assert KEY not in repr(services)
    return open_source({"type": name}, client, clock, settings=services)


def everything_told(error: BaseException) -> str:
    return repr(error) + "".join(traceback.format_exception(error))
