"""Sources of installed packages. The packages are real distributions on the path, and some are broken."""

import logging

import pytest

from shared.jobs.spec.spec import SpecReader, encode_spec
from shared.sources.kinds import SourceSettings, known_kinds
from shared.sources.registry import SourceRegistry
from tests.unit.known_sources import context

MODULE = """
from typing import Literal
from pixcrawler_sources import Candidate, Page, Provenance, Query, SourceConfig, SourceKind

class MineConfig(SourceConfig):
    type: Literal["mine"] = "mine"

class Mine:
    def queries(self, labels):
        return [Query("mine", None)]

    async def pages(self, query, cursor):
        yield Page((Candidate("http://a/1.jpg", "cat", Provenance("mine")),), None)

KIND = SourceKind(MineConfig, lambda config, context: Mine())
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with entry points on the path, as an installer does."""

    def put(name, entries, module=None):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[pixcrawler_sources]\n" + "\n".join(entries) + "\n")
        if module is not None:
            (tmp_path / f"{name}.py").write_text(module)

    monkeypatch.syspath_prepend(tmp_path)
    return put


def _registry() -> SourceRegistry:
    """Returns the registry of a new process."""
    return SourceRegistry(known_kinds(SourceSettings()), context())


async def test_an_installed_package_adds_a_source(install):
    install("pictures_of_mine", ["mine = pictures_of_mine:KIND"], MODULE)
    sources = _registry()
    specs = SpecReader(sources)
    spec = specs.decode(encode_spec(specs.parse({"sources": [{"type": "mine"}]})), internal=True)
    specs.check_sources(spec)
    [config] = spec.sources
    source = sources.open(config, spec.respect, spec.filters.formats)
    [query] = source.queries({})
    assert [c.url async for page in source.pages(query, None) for c in page.candidates] == ["http://a/1.jpg"]


@pytest.mark.parametrize(
    ("entry", "module"),
    [
        ("bad = no_such_module_anywhere:KIND", None),
        ("bad = broken_source:NOTHING", "KIND = 1"),
        ("bad = broken_source:KIND", "KIND = 1"),
        ("bad = broken_source:KIND", "this is no Python"),
        ("bad = broken_source:KIND", "raise RuntimeError('no licence')"),
        ("bad = broken_source:KIND", MODULE),  # whose type is "mine"
    ],
)
def test_a_broken_package_is_logged_and_does_not_affect_other_sources(install, caplog, entry, module):
    install("broken_source", [entry], module)
    install("pictures_of_mine", ["mine = pictures_of_mine:KIND"], MODULE)
    with caplog.at_level(logging.WARNING):
        sources = _registry()
    assert sources.parse({"type": "openverse"}).type == "openverse"
    assert sources.parse({"type": "mine"}).type == "mine"
    with pytest.raises(ValueError, match=r"must be one of: .*, mine, .*openverse"):
        sources.parse({"type": "bad"})
    [logged] = caplog.messages
    assert logged.startswith("The source bad ")


def test_a_package_cannot_replace_a_source_of_the_app(install):
    install(
        "pictures_of_mine", ["openverse = pictures_of_mine:KIND"], MODULE.replace('"mine"', '"openverse"')
    )
    assert _registry().parse({"type": "openverse"}).searches
