"""Sources that installed packages bring: real distributions on the path, of which some are broken."""

import logging

import pytest

from shared.clock import SystemClock
from shared.jobs.spec.spec import decode_spec, encode_spec, parse_spec
from shared.sources import registry
from shared.sources.registry import SourceContext, SourceSettings, check_sources, open_source, parse_source
from shared.storage.memory.blobs import MemoryBlobs

MODULE = """
from typing import Literal
from shared.records.candidates import Candidate, Provenance
from shared.sources.registry import SourceKind
from shared.sources.source import Page, Query, SourceConfig

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
        (info / "entry_points.txt").write_text("[pixcrawler.sources]\n" + "\n".join(entries) + "\n")
        if module is not None:
            (tmp_path / f"{name}.py").write_text(module)

    monkeypatch.syspath_prepend(tmp_path)
    registry._all_kinds.cache_clear()
    yield put
    registry._all_kinds.cache_clear()


@pytest.fixture
def context():
    return SourceContext(None, MemoryBlobs(), SourceSettings(), SystemClock())


async def test_an_installed_package_brings_a_source(install, context):
    install("pictures_of_mine", ["mine = pictures_of_mine:KIND"], MODULE)
    spec = decode_spec(encode_spec(parse_spec({"sources": [{"type": "mine"}]})), internal=True)
    [config] = spec.sources
    check_sources([config], SourceSettings())
    source = open_source(config, context)
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
def test_a_broken_package_is_logged_and_harms_no_other_source(install, caplog, entry, module):
    install("broken_source", [entry], module)
    install("pictures_of_mine", ["mine = pictures_of_mine:KIND"], MODULE)
    with caplog.at_level(logging.WARNING):
        assert parse_source({"type": "openverse"}).type == "openverse"
    assert parse_source({"type": "mine"}).type == "mine"
    with pytest.raises(ValueError, match=r"must be one of: brave, .*mine"):
        parse_source({"type": "bad"})
    [logged] = caplog.messages
    assert logged.startswith("The source bad ")


def test_a_package_cannot_replace_a_source_of_ours(install):
    install(
        "pictures_of_mine", ["openverse = pictures_of_mine:KIND"], MODULE.replace('"mine"', '"openverse"')
    )
    assert parse_source({"type": "openverse"}).searches
