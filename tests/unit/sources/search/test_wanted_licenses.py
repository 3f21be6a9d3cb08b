"""If a job wants only some licences, services are searched for no others, or not at all if they have none of them."""

import pytest

from shared.sources.kinds import SourceSettings
from shared.sources.search.json_api import ApiAccess
from shared.sources.search.openverse import OpenverseAccess
from shared.sources.source import Query
from tests.expect import present
from tests.unit.known_sources import open_source, parse_source
from tests.unit.sources.search.services import LISTS


@pytest.mark.parametrize(
    ("spec", "wanted", "asked"),
    [
        ({"type": "openverse"}, ("by", "cc0", "pexels"), "cc0,by"),
        ({"type": "openverse", "license": ["by-nd", "by"]}, ("by", "cc0"), "by"),
        ({"type": "flickr"}, ("by", "pdm", "unknown"), "4,8,10,11"),
        ({"type": "flickr", "license": ["unknown", "by"]}, ("unknown", "cc0"), "0"),
    ],
)
async def test_a_service_is_searched_for_the_wanted_licences_that_it_has(
    service, client, clock, response, spec, wanted, asked
):
    service.answer(response(spec["type"]))
    settings = SourceSettings(
        openverse=OpenverseAccess(service.url), flickr=ApiAccess(service.url, "FLICKR_API_KEY", "key")
    )
    source = open_source(spec, client, clock, settings=settings, wanted=wanted)
    await anext(source.pages(Query("cat/cat", "cat", "cat"), None))
    assert service.asked[0].query["license"] == asked


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        (("cc0", "by"), {"openverse", "wikimedia", "flickr"}),
        (("flickr",), {"wikimedia", "flickr"}),
        (("pexels", "pixabay"), {"pexels", "pixabay"}),
        (("unknown",), {"wikimedia", "brave"}),
    ],
)
def test_a_service_that_has_none_of_the_licences_is_not_searched(wanted, asked):
    configs = {name: parse_source({"type": name}) for name in LISTS}
    assert {name for name, config in configs.items() if config.under(wanted) is not None} == asked


@pytest.mark.parametrize(
    "spec", [{"type": "openverse", "license": ["by-nd"]}, {"type": "flickr", "license": ["unknown"]}]
)
def test_a_service_whose_options_exclude_the_licences_is_not_searched(spec):
    assert parse_source(spec).under(("by", "cc0")) is None


@pytest.mark.parametrize(("kind", "wanted"), [("commercial", "by-nc"), ("modification", "by-nc-nd")])
def test_openverse_is_not_searched_for_licences_that_its_license_type_excludes(kind, wanted):
    config = parse_source({"type": "openverse", "license_type": kind})
    assert config.under((wanted,)) is None
    assert present(config.under((wanted, "by-sa"))).model_dump()["license"] == ("by-sa",)


def test_lists_are_read_for_any_wanted_licences():
    config = parse_source({"type": "urls", "items": [{"url": "http://a.example/1.jpg"}]})
    assert config.under(("cc0",)) is config
