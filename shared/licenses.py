"""Licences: many spellings, one small set of codes."""

import re
from dataclasses import dataclass

UNKNOWN = "unknown"

_CODES = frozenset(
    {"cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd", "flickr", "pexels", "pixabay"}
)
_FREE_OF_ATTRIBUTION = frozenset({"cc0", "pdm", UNKNOWN})
_CC_URL = re.compile(r"\bcreativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)", re.IGNORECASE)
# behind the code comes a version or the end of the name: "by-line" and "by the author" are no licences
_CC_NAME = re.compile(
    r"(?:(?:cc|creative commons)[ -])?(by(?:[ -](?:nc|nd|sa)\b)*+)(?:[ -](\d\.\d)|(?![ -]?\w))"
)
# "attribution" alone is a licence of its own at Wikimedia Commons, and a wish elsewhere
_CC_TITLE = re.compile(
    r"(creative commons |cc[ -])?attribution"
    r"((?:[ -](?:non[ -]?commercial|no[ -]?deriv(?:ative)?s(?: works)?|share[ -]?alike))*+)"
    r"(?: (?:public )?licen[cs]e)?(?:[ -](\d\.\d)|(?![ -]?\w))"
)
_CC_ELEMENT = re.compile(r"non|no|share")
_CC_ELEMENTS = {"non": "nc", "no": "nd", "share": "sa"}
_CC_ZERO = re.compile(r"(?:creative commons )?(?:cc[ -]?(?:0|zero)|zero|public domain dedication)\b")
_PUBLIC_DOMAIN = re.compile(
    r"(?:(?:creative commons )?public domain(?: mark)?|(?:cc[ -])?pdm?)\b(?:[ -](\d\.\d))?"
)
_DEEDS = {"zero": "cc0", "mark": "pdm"}
_NAMES = {
    "cc0": "CC0 1.0",
    "pdm": "public domain",
    "flickr": "no known copyright restrictions",
    "pexels": "Pexels License",
    "pixabay": "Pixabay Content License",
    UNKNOWN: "licence unknown",
}
_URLS = {
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "pdm": "https://creativecommons.org/publicdomain/mark/1.0/",
    "flickr": "https://www.flickr.com/commons/usage/",
    "pexels": "https://www.pexels.com/license/",
    "pixabay": "https://pixabay.com/service/license-summary/",
}


@dataclass(frozen=True, slots=True)
class License:
    """A normalised licence: its code, and its version where one was told."""

    code: str
    version: str | None = None


def normalize_license(text: str | None) -> License:
    """The licence that a code, a name or a Creative Commons URL stands for; "unknown" for anything else."""
    if not text:
        return License(UNKNOWN)
    words = re.sub(r"[\s_]+", " ", text.strip().lower())
    url = _CC_URL.search(words)
    if url is not None:
        return _creative_commons(_DEEDS.get(url[2], url[2]) if url[1] == "publicdomain" else url[2], url[3])
    if words in _CODES:
        return License(words)
    if _CC_ZERO.match(words):
        version = re.search(r"\d\.\d", words)
        return License("cc0", version[0] if version else None)
    public_domain = _PUBLIC_DOMAIN.match(words)
    if public_domain is not None:
        return License("pdm", public_domain[1])
    if words in {"no restrictions", "no known copyright restrictions"}:
        return License("flickr")
    name = _CC_NAME.match(words)
    if name is not None:
        return _creative_commons(name[1].replace(" ", "-"), name[2])
    title = _CC_TITLE.match(words)
    if title is None or not any(title.groups()):
        return License(UNKNOWN)
    elements = (_CC_ELEMENTS[element] for element in _CC_ELEMENT.findall(title[2]))
    return _creative_commons("-".join(["by", *elements]), title[3])


def _creative_commons(code: str, version: str | None) -> License:
    code = code.replace("-nd-nc", "-nc-nd")  # as version 1.0 had it
    return License(code, version) if code in _CODES else License(UNKNOWN)


def license_name(found: License) -> str:
    """The licence as people write it."""
    if found.code in _NAMES:
        return _NAMES[found.code]
    return f"CC {found.code.upper()} {found.version or ''}".rstrip()


def license_url(found: License) -> str | None:
    """Where the licence's text is; None where it has none of its own."""
    if found.code.startswith("by"):
        return f"https://creativecommons.org/licenses/{found.code}/{found.version or '4.0'}/"
    return _URLS.get(found.code)


def asks_for_attribution(code: str) -> bool:
    """Whether works under the licence have to name their author, or the service that gives it asks for that."""
    return code not in _FREE_OF_ATTRIBUTION
