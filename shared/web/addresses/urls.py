"""Reads URLs: decides which can be fetched, how they are requested, and which ones are the same."""

import re

from yarl import URL

from shared.errors import InvalidRequest
from shared.web.addresses.hosts import Origin, read_origin

MAX_URL_CHARACTERS = 8000
# C0 controls and spaces
_AROUND = "".join(map(chr, range(0x21)))
_BREAKS = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# RFC 3986, 3.3 and 3.4
_ILLEGAL = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
# a URL of which only the origin may need changes; it has no fragment, and `_plain` refuses dot segments
_PLAIN = re.compile(
    r"(https?)://([A-Za-z0-9.:_-]++)((?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]++|%[0-9A-Fa-f]{2})*+)?)"
    r"(?:\?((?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]++|%[0-9A-Fa-f]{2})*+))?"
)
_UNDECODED = re.compile("([\udc80-\udcff])(\\\\?)")

type _Parts = tuple[Origin, str, str, str]


def parse_url(text: str) -> URL:
    """Parses a URL. Its path and query stay as they were written, because a server may have signed them.

    The URL is read as browsers read it (WHATWG URL, 4.4). Spaces and controls around it, and tabs and line breaks
    within it, are removed. Backslashes before the query are slashes, and any number of slashes may follow the scheme.
    The scheme and host are in lower case, the host is in IDNA form, and a default port is removed. Characters that
    RFC 3986 does not allow are percent-encoded (as UTF-8). Dot segments, also encoded ones, are resolved, so that no
    spelling avoids robots.txt. The result is ASCII without white space. To parse it again changes nothing, unless
    encoding has made it too long.

    Raises:
        InvalidRequest: the text is not an http(s) URL of at most 8,000 characters with a host and without
            credentials.
    """
    return _url(_plain(text) or _split(text, None))


def tidy(text: str) -> str:
    """Removes what browsers remove: spaces and controls around the address, tabs and line breaks within it."""
    return text.strip(_AROUND).translate(_BREAKS)


def join_url(base: URL, reference: str) -> URL:
    """Resolves a reference, such as a link, against the URL where it was found. `base` is a result of `parse_url`.

    Raises:
        InvalidRequest: the result is not a URL that `parse_url` accepts.
    """
    return _url(_split(reference, base))


def redirect_url(base: URL, location: str) -> URL:
    """Resolves a Location header, as `join_url` does.

    Bytes that are not UTF-8, which the client passes on as surrogates (PEP 383), are percent-encoded unchanged. A
    backslash right after such a byte is encoded, too. It is the second byte of a character, as in Shift-JIS, GBK and
    Big5.
    """
    return join_url(base, _UNDECODED.sub(_as_it_came, location))


def address_key(text: str) -> str:
    """Returns a key that is equal for all spellings of one address.

    Scheme and host are in lower case, the host in IDNA form without the root's dot. The key has no default port, no
    fragment and no dot segments. Characters are percent-encoded, in upper case, only if they must be. Query strings
    stay as `parse_url` leaves them, because servers distinguish images by them. A text that is not a URL is its own
    key.
    """
    try:
        origin, path, query, _ = _plain(text) or _split(text, None)
    except InvalidRequest:
        return text
    spelled = URL(f"http://h{path}").raw_path
    return f"{origin.key}{spelled}{'?' if query else ''}{query}"


def _url(parts: _Parts) -> URL:
    origin, path, query, fragment = parts
    return URL.build(
        scheme=origin.scheme,
        authority=origin.authority,
        path=path,
        query_string=query,
        fragment=fragment,
        encoded=True,
    )


def _plain(text: str) -> _Parts | None:
    """Splits a plain URL, as most are, with the result and the errors of `_split`. Returns None for all others."""
    found = _PLAIN.fullmatch(text) if len(text) <= MAX_URL_CHARACTERS else None
    if found is None:
        return None
    scheme, authority, path, query = found.groups("")
    if "/." in path or "/%2" in path:
        return None
    return read_origin(scheme, authority), path or "/", query, ""


def _split(text: str, base: URL | None) -> _Parts:
    """Splits into origin, path, query and fragment, in legal characters. It raises the errors of `parse_url`."""
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
    except UnicodeEncodeError:
        raise InvalidRequest("The URL has unpaired surrogates.") from None


def _scheme(before: str, base: URL | None) -> tuple[str, str]:
    """Returns the scheme, and the text after it."""
    found = _SCHEME.match(before)
    if found is not None:
        scheme = found[1].lower()
        if scheme in {"http", "https"}:
            return scheme, before[found.end() :]
    elif base is not None:
        return base.scheme, before
    raise InvalidRequest("Only http and https URLs with a host can be fetched.")


def _without_dots(path: str) -> str:
    """Resolves the dot segments of a path (RFC 3986, 5.2.4), also encoded ones."""
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
