"""URLs: which are fit to be fetched, how they are asked for, and which are the same."""

import re

from yarl import URL

from shared.errors import InvalidRequest
from shared.web.addresses.hosts import Origin, read_origin

MAX_URL_CHARACTERS = 8000
_AROUND = "".join(map(chr, range(0x21)))  # C0 controls and spaces
_BREAKS = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ILLEGAL = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]")  # RFC 3986, 3.3 and 3.4
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_UNDECODED = re.compile("([\udc80-\udcff])(\\\\?)")

type _Parts = tuple[Origin, str, str, str]


def parse_url(text: str) -> URL:
    """The URL as it is to be asked for: its path and query as they were written, since a server may have signed them.

    It is read as browsers read it (WHATWG URL, 4.4): spaces and controls around it, tabs and line breaks within it are
    removed; backslashes before the query are slashes, and any number of slashes may follow the scheme. Its scheme and
    host are in lower case, the host in IDNA form; a default port is removed. What RFC 3986 does not allow is
    percent-encoded (as UTF-8). Dot segments, also encoded ones, are resolved, so that none gets around robots.txt. The
    result is ASCII without white space; parsed again, it is the same, unless encoding has made it too long.

    Raises:
        InvalidRequest: it is no http(s) URL of at most 8,000 characters with a host and without credentials.
    """
    return _url(_split(text, None))


def tidy(text: str) -> str:
    """The address without what browsers remove: spaces and controls around it, tabs and line breaks within it."""
    return text.strip(_AROUND).translate(_BREAKS)


def join_url(base: URL, reference: str) -> URL:
    """What a reference means where it is found, such as a link; `base` is by `parse_url`, and so is what is returned.

    Raises:
        InvalidRequest: as `parse_url`.
    """
    return _url(_split(reference, base))


def redirect_url(base: URL, location: str) -> URL:
    """Where a Location header leads; as `join_url`.

    Bytes that are not UTF-8, which the client passes on as surrogates (PEP 383), are percent-encoded as they came. So
    is a backslash right after one: it is the second byte of a character then, as in Shift-JIS, GBK and Big5.
    """
    return join_url(base, _UNDECODED.sub(_as_it_came, location))


def address_key(text: str) -> str:
    """What two spellings of one address have in common.

    Scheme and host are in lower case, the host in IDNA form without the root's dot; there are no default port, no
    fragment, no dot segments; characters are percent-encoded where they must be and nowhere else, in upper case.
    Query strings stay as `parse_url` has them: servers tell images apart by them. What is no URL is its own key.
    """
    try:
        origin, path, query, _ = _split(text, None)
    except InvalidRequest:
        return text
    spelled = URL(f"http://h{path}").raw_path
    return f"{origin.key}{spelled}{'?' if query else ''}{query}"


def _url(parts: _Parts) -> URL:
    origin, path, query, fragment = parts
    return URL(f"{origin.text}{path}?{query}#{fragment}", encoded=True)


def _split(text: str, base: URL | None) -> _Parts:
    """Origin, path, query and fragment, in legal characters; raises as `parse_url`."""
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidRequest(f"The URL exceeds {MAX_URL_CHARACTERS:,} characters.")
    text, _, fragment = tidy(text).partition("#")
    before, asks, query = text.partition("?")
    before = before.replace("\\", "/")
    scheme, rest = _scheme(before, base)
    if base is None or scheme != base.scheme or rest.startswith("//"):
        authority, slash, path = rest.lstrip("/").partition("/")
        origin, path = read_origin(scheme, authority), slash + path
    else:
        origin = read_origin(base.scheme, base.raw_authority)
        if not rest:
            path, query = base.raw_path, query if asks else base.raw_query_string
        else:
            path = rest if rest[0] == "/" else base.raw_path[: base.raw_path.rfind("/") + 1] + rest
    if len(path) + len(query) > MAX_URL_CHARACTERS:
        raise InvalidRequest(f"The URL exceeds {MAX_URL_CHARACTERS:,} characters.")
    try:
        return origin, _without_dots(_legal(path)) or "/", _legal(query), _legal(fragment)
    except UnicodeEncodeError:  # lone surrogates
        raise InvalidRequest("The URL cannot be read.") from None


def _scheme(before: str, base: URL | None) -> tuple[str, str]:
    """The scheme, and the text after it."""
    found = _SCHEME.match(before)
    if found is not None:
        scheme = found[1].lower()
        if scheme in {"http", "https"}:
            return scheme, before[found.end() :]
    elif base is not None:
        return base.scheme, before
    raise InvalidRequest("Only http and https URLs with a host can be fetched.")


def _without_dots(path: str) -> str:
    """The path with its dot segments resolved; RFC 3986, 5.2.4, and encoded ones as well."""
    if not _DOT_SEGMENT.search(path):
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        plain = segment.lower().replace("%2e", ".")
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
    if plain in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _as_it_came(found: re.Match[str]) -> str:
    return f"%{ord(found[1]) - 0xDC00:02X}{'%5C' if found[2] else ''}"
