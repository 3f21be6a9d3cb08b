"""URLs: which are fit to be fetched, and which are the same."""

import re

from yarl import URL

from shared.errors import InvalidRequest

MAX_URL_CHARACTERS = 8000
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_QUAD = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")


def parse_url(text: str) -> URL:
    """The URL, with its host in IDNA form and its path percent-encoded once.

    Raises:
        InvalidRequest: it is no http(s) URL of at most 8,000 characters with a host and without credentials.
    """
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidRequest(f"The URL exceeds {MAX_URL_CHARACTERS:,} characters.")
    if any(character in "\r\n\t\0" for character in text.strip()):
        raise InvalidRequest("The URL contains control characters.")
    try:
        text.encode()  # lone surrogates would be dropped without a word
        url = URL(text.strip())
        valid = url.scheme in {"http", "https"} and _is_host(url.raw_host) and url.port != 0
        valid = valid and bool(url.host)  # which fails where the IDNA form stands for no name
        credentials = url.raw_user is not None or url.raw_password is not None
    except (ValueError, TypeError, UnicodeError):
        raise InvalidRequest("The URL cannot be read.") from None
    if not valid:
        raise InvalidRequest("Only http and https URLs with a host can be fetched.")
    if credentials:
        raise InvalidRequest("URLs with a user name or password are not fetched.")
    return url


def address_key(text: str) -> str:
    """What two spellings of one address have in common.

    Scheme and host are in lower case, the host in IDNA form without the root's dot; there are no default port, no
    fragment, no dot segments; characters are percent-encoded where they must be and nowhere else, in upper case.
    Query strings stay as they are: servers tell images apart by them. What is no URL is its own key.
    """
    try:
        url = parse_url(text)
    except InvalidRequest:
        return text
    if url.host is not None and url.host.endswith("."):
        url = url.with_host(url.host.removesuffix("."))
    key = url.with_fragment(None)
    return str(key.with_path("/", keep_query=True) if key.raw_path == "/" else key)


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
