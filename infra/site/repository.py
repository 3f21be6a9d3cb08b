"""Says which documents of the repository are pages of the site, and resolves the links in them."""

import posixpath
import re
from collections.abc import Mapping

_DOCS = "docs/"
# Code has no links, but the text of a link may have code.
_LINK_OR_CODE = re.compile(
    r"^```.*?^```$"
    r"|\[(?P<text>(?:[^\]`]|`[^`\n]*`)*)\]\((?P<path>[^()\s#:]+)(?P<anchor>#[^()\s]*)?\)"
    r"|`[^`\n]*`",
    re.DOTALL | re.MULTILINE,
)

OUTSIDE: Mapping[str, str] = {
    "CONTRIBUTING.md": "contributing/index.md",
    "devhost/README.md": "contributing/devhost.md",
    "SECURITY.md": "contributing/security.md",
    "CHANGELOG.md": "contributing/changelog.md",
}
"""The documents outside docs/ that are pages, and where the site has them."""

_DOCUMENTS = {page: document for document, page in OUTSIDE.items()}
_PAGES = {**OUTSIDE, "README.md": "index.md", "client/README.md": "reference/client.md"}


def resolve_links(text: str, page: str) -> str:
    """Returns a page's text with links that lead to pages of the site.

    A link in a document leads to a file of the repository. If the site has no page of it, its path is named instead.
    """
    document = _DOCUMENTS.get(page, f"{_DOCS}{page}")

    def resolve(found: re.Match[str]) -> str:
        if found["path"] is None:
            return found[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(document), found["path"]))
        place = _PAGES.get(target) or (target.removeprefix(_DOCS) if target.startswith(_DOCS) else None)
        if place is None:
            return found["text"] if target in found["text"] else f"{found['text']} (`{target}`)"
        path = posixpath.relpath(place, posixpath.dirname(page) or ".")
        return f"[{found['text']}]({path}{found['anchor'] or ''})"

    return _LINK_OR_CODE.sub(resolve, text)
