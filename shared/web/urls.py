"""URLs: which are fit to be fetched, how they are asked for, and which are the same."""

import re
from urllib.parse import urljoin

from yarl import URL

from shared.errors import InvalidRequest

MAX_URL_CHARACTERS = 8000
_CONTROLS = frozenset("\r\n\t\0")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_QUAD = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_ILLEGAL = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]")  # RFC 3986, 3.3 and 3.4
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def parse_url(text: str) -> URL:
    """The URL as it is to be asked for: its path and query as they were written, since a server may have signed them.

    Its scheme and host are in lower case, the host in IDNA form. What RFC 3986 does not allow is percent-encoded (as
    UTF-8). A path with dot segments, also encoded ones, is spelled as in `address_key`, so that none gets around
    robots.txt. It is ASCII without white space, and its own `parse_url`, unless it became too long by that.

    Raises:
        InvalidRequest: it is no http(s) URL of at most 8,000 characters with a host and without credentials.
    """
    url = _canonical(text)
    text, _, fragment = text.strip().partition("#")
    if not fragment and text.endswith(url.raw_path_qs):
        return url  # as most are written; what else stands before it dots take away
    path = _legal(URL(text, encoded=True).raw_path)
    if _DOT_SEGMENT.search(path):
        path = url.raw_path
    query = _legal(text.partition("?")[2])
    return URL(f"{url.scheme}://{url.raw_authority}{path}?{query}#{url.raw_fragment}", encoded=True)


def join_url(base: URL, reference: str) -> URL:
    """What a reference means where it is found, such as a link or a Location header; as `parse_url`, also in errors."""
    try:
        joined = urljoin(str(base), reference)
    except ValueError:
        raise InvalidRequest("The URL cannot be read.") from None
    return parse_url(joined)


def address_key(text: str) -> str:
    """What two spellings of one address have in common.

    Scheme and host are in lower case, the host in IDNA form without the root's dot; there are no default port, no
    fragment, no dot segments; characters are percent-encoded where they must be and nowhere else, in upper case.
    Query strings stay as `parse_url` has them: servers tell images apart by them. What is no URL is its own key.
    """
    try:
        url = _canonical(text)
    except InvalidRequest:
        return text
    query = _legal(text.strip().partition("#")[0].partition("?")[2])
    return f"{url.scheme}://{url.host_port_subcomponent}{url.raw_path}{'?' if query else ''}{query}"


def _canonical(text: str) -> URL:
    """The URL in the library's spelling; raises as `parse_url`."""
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidRequest(f"The URL exceeds {MAX_URL_CHARACTERS:,} characters.")
    if not _CONTROLS.isdisjoint(text.strip()):
        raise InvalidRequest("The URL contains control characters.")
    try:
        text.encode()  # lone surrogates would be dropped without a word
        url = URL(text.strip())
        valid = url.scheme in {"http", "https"} and _is_host(url.raw_host) and url.port != 0
        valid = valid and bool(url.host)  # which fails where the IDNA form stands for no name
        credentials = url.raw_user is not None or url.raw_password is not None
    except (ValueError, TypeError, IndexError):  # the last where brackets stand before an at sign
        raise InvalidRequest("The URL cannot be read.") from None
    if not valid:
        raise InvalidRequest("Only http and https URLs with a host can be fetched.")
    if credentials:
        raise InvalidRequest("URLs with a user name or password are not fetched.")
    return url


def _legal(text: str) -> str:
    return _ILLEGAL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def _is_host(host: str | None) -> bool:
    """Whether a name can be looked up (RFC 1035, 2.3.4, and underscores), or is an address without a zone.

    What ends in a number is an IPv4 address or nothing (WHATWG URL, 3.5), and those are spelled in one way only.
    """
    if not host:
        return False
    if ":" in host:
        return "%" not in host
    if len(host) > 253 or _NAME.fullmatch(host) is None:
        return False
    return (
        _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]) is None
        or _QUAD.fullmatch(host) is not None
    )
