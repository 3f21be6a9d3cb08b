"""Removes what telemetry and logs must not have: query strings, keys, signatures, and the end of IP addresses."""

import ipaddress
import re

_QUERY = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s?#\"'<>]{1,2000})[?#][^\s\"'<>]*")
_USER_INFO = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^\s/?#@\"'<>]{1,500}@")
_SECRET = re.compile(
    r"(?i)\b(sig|accountkey|sharedaccesskey|sharedaccesssignature|password|secret|client_secret|api[_-]?key|"
    r"access_token|x-api-key|authorization)(\s*[=:]\s*)(?:(?:bearer|basic)\s+)?[^\s&;,\"'<>]+"
)
_APP_KEY = re.compile(r"\bpxc_[A-Za-z0-9]{1,64}_[A-Za-z0-9_-]+")


def scrub(text: str) -> str:
    """Returns the text without query strings and user names in its URLs, and without the values of keys."""
    if "://" in text:
        text = _QUERY.sub(r"\1", _USER_INFO.sub(r"\1", text))
    text = _SECRET.sub(r"\1\2[removed]", text)
    return _APP_KEY.sub("[removed]", text)


def mask_address(address: str) -> str:
    """Returns an IP address without its last byte (IPv4) or its last ten bytes (IPv6), or empty for any other text."""
    try:
        found = ipaddress.ip_address(address.strip("[]").split("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    bits = 24 if (mapped or found).version == 4 else 48
    return str(ipaddress.ip_network(f"{mapped or found}/{bits}", strict=False).network_address)
