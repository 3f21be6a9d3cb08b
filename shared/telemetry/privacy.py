"""Removes what telemetry and logs must not have: query strings, keys, signatures, and the end of IP addresses."""

import ipaddress
import re

# an apostrophe inside of a query belongs to it; one at its end is a quotation mark
_REST = r"(?:[^\s\"'<>]|'(?=[\w&%=+]))*"
# a URL within the path of another one begins anew, so that no text takes long
_PATH = r"(?:[^\s?#\"'<>:]|:(?!//)){1,2000}"
_QUERY = re.compile(rf"(\b[a-zA-Z][a-zA-Z0-9+.-]{{0,20}}://{_PATH})[?#]{_REST}")
# of a path without a host, or of a URL within another one
_BARE_QUERY = re.compile(rf"(?:\?|%3[Ff])[\w.~-]{{1,64}}(?:=|%3[Dd]){_REST}")
_USER_INFO = re.compile(r"(?<=//)[^\s/?#@\"'<>]{1,500}@")
# also at the end of a longer name, such as PIXABAY_API_KEY, clientSecret or X-Subscription-Token
_NAMED = (
    r"(?i)((?:(?<![a-z0-9])sig|(?:account|api|access|functions|instrumentation|shared|subscription)[ _-]?(?:access)?"
    r"[ _-]?key|sharedaccesssignature|passw(?:or)?d|pwd|secret|token|authorization|cookie)(?:s|_\w{1,20})?"
)
_MAYBE = re.compile(r"(?i)sig|key|secret|token|pass|pwd|authorization|cookie|bearer|eyj|pxc_|whsec_")
_SIGN = r"\s{0,8}(?:[=:]|%3d|\\u003d)\s{0,8}"
_HEADER = re.compile(r"(?i)((?:authorization|cookie):\s{0,8})[^\s\"'<>][^\r\n\"'<>]*")
_QUOTED = re.compile(
    rf"{_NAMED}\\{{0,3}}[\"']?(?:{_SIGN}|\s{{0,8}},\s{{0,8}})b?\\{{0,3}}([\"']))(?:(?!\\{{0,3}}\2).)+"
)
_UNQUOTED = re.compile(rf"{_NAMED}\\{{0,3}}[\"']?{_SIGN})(?:(?:bearer|basic)\s+)?[^\s&;,\"'<>]+")
_BY_ITSELF = re.compile(
    r"\bpxc_[A-Za-z0-9]{1,64}_[A-Za-z0-9_-]+|\bwhsec_[A-Za-z0-9+/=_-]+|\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"
    r"|(?<=\bbearer )[\w.~+/=-]{12,}|(?<=\bBearer )[\w.~+/=-]{12,}"
)


def scrub(text: str) -> str:
    """Returns the text without query strings and user names in its URLs, and without the values of keys."""
    if "//" in text:
        text = _QUERY.sub(r"\1", _USER_INFO.sub("", text))
    text = _BARE_QUERY.sub("", text)
    # most texts have no such word, and the patterns of keys are slow
    if _MAYBE.search(text) is None:
        return text
    text = _HEADER.sub(r"\1[removed]", text)
    text = _UNQUOTED.sub(r"\1[removed]", _QUOTED.sub(r"\1[removed]", text))
    return _BY_ITSELF.sub("[removed]", text)


def mask_address(address: str) -> str:
    """Returns an IP address without its last byte (IPv4) or its last ten bytes (IPv6), or empty for any other text.

    The address may have a port, as proxies report it.
    """
    host = address.partition("]")[0].removeprefix("[") if "[" in address else address
    host = host.partition(":")[0] if host.count(":") == 1 else host
    try:
        found = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    bits = 24 if (mapped or found).version == 4 else 48
    return str(ipaddress.ip_network(f"{mapped or found}/{bits}", strict=False).network_address)
