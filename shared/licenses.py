"""Licences: many spellings, one small set of codes."""

import re
from dataclasses import dataclass

UNKNOWN = "unknown"

_CODES = frozenset(
    {"cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd", "flickr", "pexels", "pixabay"}
)
_FREE_OF_ATTRIBUTION = frozenset({"cc0", "pdm", "pexels", "pixabay", UNKNOWN})
_CC_URL = re.compile(r"creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)", re.IGNORECASE)
_CC_NAME = re.compile(r"^(?:cc[ -])?(by(?:-nc)?(?:-sa|-nd)?)(?:[ -](\d\.\d))?\b", re.IGNORECASE)
_PUBLIC_DOMAIN = {"zero": "cc0", "mark": "pdm"}


@dataclass(frozen=True, slots=True)
class License:
    """A normalised licence: its code, and its version where one was told."""

    code: str
    version: str | None = None


def normalize_license(text: str | None) -> License:
    """The licence that a code, a name or a Creative Commons URL stands for; "unknown" for anything else."""
    words = re.sub(r"[\s_]+", " ", (text or "").strip().lower())
    url = _CC_URL.search(words)
    if url is not None:
        code = _PUBLIC_DOMAIN.get(url[2], url[2]) if url[1] == "publicdomain" else url[2]
        return License(code, url[3]) if code in _CODES else License(UNKNOWN)
    if words in _CODES:
        return License(words)
    if re.match(r"^(cc ?0|cc zero|zero)\b", words):
        version = re.search(r"\d\.\d", words)
        return License("cc0", version[0] if version else None)
    if words in {"public domain", "pd", "public domain mark"} or words.startswith("pd-"):
        return License("pdm")
    name = _CC_NAME.match(words)
    if name is not None and name[1] in _CODES:
        return License(name[1], name[2])
    return License(UNKNOWN)


def license_url(found: License) -> str | None:
    """Where the licence's text is; None where it has none of its own."""
    if found.code == "cc0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    if found.code == "pdm":
        return "https://creativecommons.org/publicdomain/mark/1.0/"
    if found.code.startswith("by"):
        return f"https://creativecommons.org/licenses/{found.code}/{found.version or '4.0'}/"
    return None


def asks_for_attribution(code: str) -> bool:
    """Whether works under the licence have to name their author."""
    return code not in _FREE_OF_ATTRIBUTION
