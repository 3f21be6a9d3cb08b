"""Finds out the address of a client from the header `X-Forwarded-For`.

Each proxy adds the address of its own client at the end. So only those entries at the end can be trusted that trusted
proxies have written: on Azure, the last one is by the platform. A client can send everything before it.
"""

import ipaddress
from typing import Final

import azure.functions as func

HEADER: Final = "X-Forwarded-For"
_IPV6_BITS = 64


def client_address(request: func.HttpRequest, trusted_hops: int) -> str | None:
    """Returns the address that the first of the trusted proxies saw, without a port, or None if it is not known."""
    entries = (request.headers.get(HEADER) or "").split(",")
    if trusted_hops < 1 or len(entries) < trusted_hops:
        return None
    found = _address(entries[-trusted_hops].strip())
    return None if found is None else str(found)


def network_of(address: str) -> str:
    """Returns what is limited together: an IPv4 address, or the /64 network of an IPv6 address.

    A customer of an IPv6 provider has at least a /64, with as many addresses as that has.
    """
    found = ipaddress.ip_address(address)
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, _IPV6_BITS), strict=False).network_address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Reads `203.0.113.7`, `203.0.113.7:50000`, `2001:db8::1` and `[2001:db8::1]:50000`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found
