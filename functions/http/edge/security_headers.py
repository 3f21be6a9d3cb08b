"""The headers that tell browsers to be strict with every answer of the app."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_CONTENT_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_TRANSPORT_SECURITY = "max-age=31536000"
_ALWAYS: Final = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    # no page of another site shows a private image with the cookies of who looks at that page
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def security_headers(url: str) -> dict[str, str]:
    """Returns the headers of an answer to a call of this URL. A page of the app has a policy of its own in place.

    `Strict-Transport-Security` is left out on loopback: browsers would then refuse other local servers without TLS.
    """
    if _is_loopback(urlsplit(url).hostname or ""):
        return dict(_ALWAYS)
    return {**_ALWAYS, "Strict-Transport-Security": _TRANSPORT_SECURITY}


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
