"""Maps the many spellings of licences to one small set of codes."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Literal, get_args

UNKNOWN = "unknown"

CreativeCommonsCode = Literal["cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd"]
LicenseCode = Literal[CreativeCommonsCode, "flickr", "pexels", "pixabay", "unknown"]
CREATIVE_COMMONS: tuple[str, ...] = get_args(CreativeCommonsCode)

_CODES = frozenset(get_args(LicenseCode)) - {UNKNOWN}
_FREE_OF_ATTRIBUTION = frozenset({"cc0", "pdm", UNKNOWN})
# longer texts are the terms themselves, or something else
_MAX_CHARACTERS = 1000
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_BRACKETS = re.compile(r"[()\[\]<>|]")
_SEPARATORS = re.compile(r"[\s_,;/+:()\[\]<>-]+")
_CC_HOST = "creativecommons.org"
_CC_URL = re.compile(
    r"(?:(?:https?:)?//)?(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]+)(?:/(\d\.\d)(?:/[a-z]+)?)?"
    r"(?:/(?:deed|legalcode)(?:\.[a-z_-]+)?)?/?(?:[?#].*)?"
)
_ELEMENT = re.compile(
    r"\b(?:(?P<nc>nc|non ?commercial)|(?P<nd>nd|non? ?deriv(?:ative)?s?(?: works?)?)|(?P<sa>sa|share ?alike))\b"
)
_ELEMENTS = "(?: " + re.sub("[?]P<..>", "?:", _ELEMENT.pattern) + ")*+"
_HARMLESS = re.compile(
    r"(?:(?:creative commons|cc|by|attribution|some rights reserved|licen[cs]ed?|public|version|v?\d(?:\.\d)?|deed|"
    r"international|unported|generic|under|see|the|terms|of|a|an|this|is|work|image|photo|picture|file)(?: |$))*"
)
# https://creativecommons.org/licenses/list: the jurisdictions that licences were ported to
_PORTS = (
    "am|ar|at|au|az|be|bg|br|ca|ch|cl|cn|co|cr|cz|de|dk|ec|ee|eg|es|fi|fr|ge|gr|gt|hk|hr|hu|ie|igo|il|in|it|jp|"
    "kr|lu|mk|mt|mx|my|nl|no|nz|pe|ph|pl|pr|pt|ro|rs|scotland|se|sg|si|th|tw|ug|uk|us|ve|vn|za"
)
_COUNTRIES = (
    "argentina|armenia|australia|austria|azerbaijan|belgium|brazil|bulgaria|canada|chile|china mainland|colombia|"
    "costa rica|croatia|czech republic|denmark|ecuador|egypt|(?:uk )?england (?:and|&) wales|estonia|finland|"
    "france|georgia|germany|greece|guatemala|hong kong|hungary|india|ireland|israel|italy|japan|korea|luxembourg|"
    "macedonia|malaysia|malta|mexico|netherlands|new zealand|norway|peru|philippines|poland|portugal|puerto rico|"
    "romania|serbia|singapore|slovenia|south africa|south korea|spain|sweden|switzerland|taiwan|thailand|uganda|"
    "united kingdom|united states|venezuela|vietnam"
)
_EDITIONS = f"international|unported|generic|intl|deed|migrated(?: with disclaimers)?|{_PORTS}|{_COUNTRIES}"
_LICENSE = r"(?: (?:public )?licen[cs]e)?"
# at Wikimedia Commons, "attribution" alone is a licence; elsewhere it is only a wish, so the word alone does not
# match here
_ATTRIBUTION = re.compile(
    rf"(creative commons )?(cc )?(by|attribution)({_ELEMENTS}){_LICENSE}"
    rf"(?: (?:v|version )?(\d\.\d)(?: \d\.\d)*+(?: (?:{_EDITIONS}))?)?{_LICENSE}"
)
_ZERO = re.compile(
    rf"(?:creative commons )?(?:cc ?(?:0|zero)|zero|public domain dedication)(?: creative commons)?{_LICENSE}"
    rf"(?: v?(1\.0))?(?: universal)?(?: public domain(?: dedication)?)?{_LICENSE}"
)
_PUBLIC_DOMAIN = re.compile(
    r"(?:(?:creative commons |cc )?public domain(?: mark)?|(?:cc )?pdm?)(?: (1\.0))?(?: universal)?"
)
# Wikimedia Commons adds the reason, as in "PD-old-70"
_PUBLIC_DOMAIN_CODE = re.compile(r"pdm?(?:-[a-z0-9]+)+")
_DEEDS = {"zero": "cc0", "mark": "pdm"}
_WHOLE = {
    "no restrictions": "flickr",
    "no known copyright restrictions": "flickr",
    # YouTube's
    "creative commons attribution license reuse allowed": "by",
}
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
    """A normalised licence: its code, and its version if one was declared."""

    code: str
    version: str | None = None


def normalize_license(text: str | None) -> License:
    """Returns the licence that a code, a name, a title or a Creative Commons URL means, or "unknown".

    Nothing is guessed. A text counts only if every word is understood, and if all its parts (a title, a code in
    brackets, a URL) name the same licence. The time is linear in the text's length.
    """
    return _understood(text) if text and len(text) <= _MAX_CHARACTERS else License(UNKNOWN)


def declared_license(text: str | None, url: str | None) -> License:
    """Returns the licence of a work that declares a licence's name and address. Either may be missing.

    The result is never freer than either of them. If they name different licences, the result is "unknown". If only
    the address is understood, the text may have no words but that licence's conditions and a few that add nothing;
    otherwise the result is "unknown", too. Neither the public domain nor CC0 is freer than the other; together they
    are CC0.
    """
    named, linked = normalize_license(text), normalize_license(url)
    if linked.code == UNKNOWN:
        return named
    if named.code != UNKNOWN:
        return _agreed(named, linked)
    words = _words(_plain((text or "")[:_MAX_CHARACTERS]))
    conditions = {found.lastgroup for found in _ELEMENT.finditer(words)}
    rest = _words(_ELEMENT.sub("", words)).rstrip(".")
    adds_nothing = conditions <= {*linked.code.split("-")} and _HARMLESS.fullmatch(rest)
    return linked if adds_nothing and len(text or "") <= _MAX_CHARACTERS else License(UNKNOWN)


# a list repeats few licences in many rows
@lru_cache(maxsize=256)
def _understood(text: str) -> License:
    plain = _plain(text)
    if code := plain if plain in _CODES else _WHOLE.get(_words(plain)):
        return License(code)
    parts = [_licence_of(part) for part in _parts(plain)]
    return reduce(_agreed, parts) if parts else License(UNKNOWN)


def _plain(text: str) -> str:
    return _DASHES.sub("-", text).strip().lower()


def _words(text: str) -> str:
    return " ".join(filter(None, _SEPARATORS.split(text)))


def _parts(plain: str) -> Iterator[str]:
    """Yields the Creative Commons URLs, and the texts before, in and after brackets without these URLs."""
    for part in _BRACKETS.split(plain):
        others: list[str] = []
        for word in part.split():
            if _CC_HOST in word:
                yield word.rstrip(".,;:")
            else:
                others.append(word)
        if rest := " ".join(others).strip(" .,;:"):
            yield rest


def _licence_of(part: str) -> License:
    if _CC_HOST in part:
        url = _CC_URL.fullmatch(part)
        return _creative_commons(url[1], url[2], url[3]) if url else License(UNKNOWN)
    words = _words(part)
    if zero := _ZERO.fullmatch(words):
        return License("cc0", zero[1])
    if public_domain := _PUBLIC_DOMAIN.fullmatch(words):
        return License("pdm", public_domain[1])
    if _PUBLIC_DOMAIN_CODE.fullmatch(part):
        return License("pdm")
    found = _ATTRIBUTION.fullmatch(words)
    if found is None or (found[3] == "attribution" and not any(found.group(1, 2, 4, 5))):
        return License(UNKNOWN)
    return _by({element.lastgroup for element in _ELEMENT.finditer(found[4])}, found[5])


def _creative_commons(kind: str, name: str, version: str | None) -> License:
    if kind == "publicdomain":
        return License(_DEEDS[name], version) if name in _DEEDS else License(UNKNOWN)
    begin, *elements = name.split("-")
    return _by({*elements}, version) if begin == "by" else License(UNKNOWN)


def _by(elements: AbstractSet[str | None], version: str | None) -> License:
    """Returns the licence of these elements. Their order has no meaning: version 1.0 had another order."""
    code = "-".join(["by", *(element for element in ("nc", "nd", "sa") if element in elements)])
    known = code in _CODES and elements <= {"nc", "nd", "sa"}
    return License(code, version) if known else License(UNKNOWN)


def _agreed(one: License, other: License) -> License:
    """Returns the licence that both name. It has a version if they do not contradict each other about it."""
    codes = {one.code, other.code}
    if codes == {"cc0", "pdm"}:
        return one if one.code == "cc0" else other
    if len(codes) > 1:
        return License(UNKNOWN)
    versions = {one.version, other.version} - {None}
    return License(one.code, versions.pop() if len(versions) == 1 else None)


def license_name(found: License) -> str:
    """Returns the licence's name as people write it."""
    if found.code in _NAMES:
        return _NAMES[found.code]
    return f"CC {found.code.upper()} {found.version or ''}".rstrip()


def license_url(found: License) -> str | None:
    """Returns the address of the licence's text, or None if it has no text of its own."""
    if found.code.startswith("by"):
        return f"https://creativecommons.org/licenses/{found.code}/{found.version or '4.0'}/"
    return _URLS.get(found.code)


def allows_changes(code: str) -> bool:
    """Returns whether changed images may be shared, as far as the licence is known ("nd" means no derivatives)."""
    return not code.endswith("-nd")


def asks_for_attribution(code: str) -> bool:
    """Whether works under the licence must name their author, or the service asks for a credit."""
    return code not in _FREE_OF_ATTRIBUTION
