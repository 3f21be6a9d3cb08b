"""Reads the hosts and ports of URLs, and writes them in one form."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from yarl import URL

from shared.errors import InvalidRequest

_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"0*([0-9]{1,5})")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """The beginning of a URL up to its path. `authority` is the host with the port, as requests have it.

    `key` is the same for all spellings of the origin.
    """

    scheme: str
    authority: str
    key: str


@lru_cache(maxsize=1024)
def read_origin(scheme: str, authority: str) -> Origin:
    """Reads an origin: its host in lower case and IDNA form or a valid address, without a default port.

    Raises:
        InvalidRequest: the host or port is missing or not valid, or there are credentials before it.
    """
    credentials, _, place = authority.rpartition("@")
    if credentials.strip(":"):
        raise InvalidRequest("URLs with a user name or password are not fetched.")
    if place.startswith("["):
        inside, closed, rest = place[1:].partition("]")
        host = _ipv6(inside) if closed and rest[:1] in {"", ":"} else None
        port = rest[1:]
    else:
        name, _, port = place.partition(":")
        host = _name(name)
    if host is None:
        raise InvalidRequest("Only http and https URLs with a host can be fetched.")
    number = _port(port)
    suffix = "" if number in {None, _DEFAULT_PORTS[scheme]} else f":{number}"
    return Origin(scheme, f"{host}{suffix}", f"{scheme}://{host.removesuffix('.')}{suffix}")


def _port(text: str) -> int | None:
    if not text:
        return None
    found = _PORT.fullmatch(text)
    if found is None or not 0 < int(found[1]) < 65_536:
        raise InvalidRequest("The URL has no valid port.")
    return int(found[1])


def _ipv6(text: str) -> str | None:
    """Reads the address between brackets. A zone is refused, because it has a meaning on one machine only."""
    try:
        return None if "%" in text else f"[{ipaddress.IPv6Address(text).compressed}]"
    except ValueError:
        return None


def _name(text: str) -> str | None:
    """Reads a name that DNS can resolve (RFC 1035, 2.3.4, and underscores) or an IPv4 address; else returns None.

    A host that ends in a number must be an IPv4 address (WHATWG URL, 3.5). Only its usual spelling is accepted.
    """
    try:
        url = URL(f"http://{text}/")
        # `url.host` is empty if the IDNA form does not decode to a name
        host = url.raw_host if url.host else None
    except (ValueError, TypeError, IndexError):
        return None
    if host is None or len(host) > 253 or _NAME.fullmatch(host) is None:
        return None
    if _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]) is None:
        return host
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        return None
