"""The site of the documents builds without a warning, shows every page, and works without the internet."""

import asyncio
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infra.site.repository import OUTSIDE
from tests.e2e.dashboard.driver import NARROW, Browser
from tests.e2e.site.built_pages import Page, build, is_foreign, loaded_by_styles
from tests.unit.documents.markdown import ROOT, anchors_of, documents
from tests.unit.functions.http.description.described import DOCUMENT, operations

_SCENARIO = Path(__file__).with_name("read.mjs")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Writes nothing."""


@pytest.fixture(scope="module")
def address(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    started = Browser()
    yield started
    started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(folder)
    assert built.returncode == 0, built.stderr
    assert "WARNING -" not in built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def test_no_page_loads_anything_of_another_server(site, pages):
    assert len(pages) > 60
    assert [(name, load) for name, page in pages.items() for load in page.loads if is_foreign(load)] == []
    styles = list(site.rglob("*.css"))
    assert len(styles) > 2
    assert [(path, load) for path in styles for load in loaded_by_styles(path) if is_foreign(load)] == []


def test_no_page_has_what_makes_the_theme_load_scripts_of_others(pages):
    """The theme's script loads the drawing of diagrams from another server when a page has a diagram."""
    assert [name for name, page in pages.items() if "mermaid" in page.classes] == []


def test_each_document_is_a_page(pages):
    names = {
        path_of(document) for document in documents() if document.startswith("docs/") or document in OUTSIDE
    }
    assert names - pages.keys() == set()


def path_of(document: str) -> str:
    name = OUTSIDE.get(document, document.removeprefix("docs/")).removesuffix(".md")
    parts = [part for part in name.split("/") if part not in {"README", "index"}]
    return "/".join([*parts, "index.html"])


def test_each_page_is_in_the_navigation(pages):
    shown = {link.split("#")[0] for link in pages["index.html"].links}
    names = {name.removesuffix("index.html") for name in pages if name not in {"404.html", "index.html"}}
    assert names - shown == set()


def test_each_call_of_the_api_is_on_a_page(site):
    text = "".join(path.read_text() for path in (site / "reference" / "http").rglob("*.html"))
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids)) > 40
    assert [name for name in ids if text.count(f'<h2 id="{name}"') != 1] == []


def test_each_object_of_the_api_is_described(site):
    text = (site / "reference" / "http" / "models" / "index.html").read_text()
    models = [name for name, schema in DOCUMENT["components"]["schemas"].items() if "properties" in schema]
    assert [name for name in models if f'<h2 id="{name.lower()}"' not in text] == []


@pytest.mark.parametrize("document", ["docs/reference/spec.md", "docs/explanation/costs.md"])
def test_headings_have_the_anchors_that_github_gives_them(site, document):
    text = (site / path_of(document)).read_text()
    assert [anchor for anchor in anchors_of(document)[1:] if f'id="{anchor}"' not in text] == []


def test_broken_links_stop_the_build(tmp_path):
    documents = tmp_path / "docs"
    documents.mkdir()
    links = ["[a](lost.md)", "[a](index.md#lost)", "[a](/lost)", "![a](lost.png)"]
    (documents / "index.md").write_text("\n\n".join(["# Home", *links]))
    configuration = tmp_path / "mkdocs.yml"
    configuration.write_text(
        f"INHERIT: {ROOT}/mkdocs.yml\ndocs_dir: {documents}\nhooks: []\nnav: null\n"
        "theme:\n  name: mkdocs\n  logo: null\nplugins: []\nextra_css: []\n"
    )
    built = build(tmp_path / "site", configuration)
    assert built.returncode == 1
    assert f"Aborted with {len(links)} warnings" in built.stdout + built.stderr


@pytest.mark.parametrize("options", [NARROW, {"colorScheme": "dark"}], ids=["narrow", "dark"])
async def test_a_page_can_be_read_and_found_without_another_server(browser, address, options):
    seen = await asyncio.to_thread(browser.run, _SCENARIO, {"url": address}, options)
    assert "Settings" in seen.facts["found"]
    assert seen.facts["copies"] > 0
