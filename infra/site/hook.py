"""Gives MkDocs the pages that are not in docs/: documents of other folders, and the reference that the code gives.

All that depends on MkDocs is in this module. https://www.mkdocs.org/user-guide/configuration/#hooks
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from infra.site.navigation import fill_folders
from infra.site.pictures import add_dark_pictures
from infra.site.reference import API_PAGE, link_calls, reference_pages
from infra.site.repository import OUTSIDE, resolve_links

_ROOT = Path(__file__).parents[2]
# pages that few readers look for: a search shows them after others
_FOUND_LAST = ("explanation/decisions/", "contributing/")
_LOW = 0.3


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are not in docs/, and names all pages in the navigation."""
    texts = {page: (_ROOT / document).read_text(encoding="utf-8") for document, page in OUTSIDE.items()}
    for page, text in {**texts, **reference_pages()}.items():
        files.append(File.generated(config, page, content=text))
    config.nav = fill_folders(config.nav or [], [file.src_uri for file in files.documentation_pages()])
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Resolves the links and pictures of a page. The page that lists all pages needs no lists beside it."""
    del config
    if page.is_homepage:
        page.meta["hide"] = ["navigation", "toc"]
    if page.file.src_uri.startswith(_FOUND_LAST):
        page.meta["search"] = {"boost": _LOW}
    if page.file.src_uri == API_PAGE:
        markdown = link_calls(markdown)
    markdown = resolve_links(markdown, page.file.src_uri)
    return add_dark_pictures(markdown, page.file.src_uri, files.src_uris)


def on_serve(server: LiveReloadServer, config: MkDocsConfig, builder: object) -> LiveReloadServer:
    """Has the site built again when a document outside docs/ changes."""
    del config, builder
    for document in OUTSIDE:
        server.watch(str(_ROOT / document))
    return server
