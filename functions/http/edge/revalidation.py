"""Lets callers ask whether an answer has changed, instead of reading it again (RFC 9110, section 13)."""

import base64
import hashlib

import azure.functions as func

_DIGEST_BYTES = 15


def etag_of(text: str) -> str:
    """Returns the entity tag of a body. It is weak, as a proxy may compress the body."""
    digest = hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]
    return f'W/"{base64.urlsafe_b64encode(digest).decode()}"'


def has_current(request: func.HttpRequest, etag: str) -> bool:
    """Returns whether the caller has this version already, by `If-None-Match`."""
    wanted = (request.headers.get("If-None-Match") or "").split(",")
    opaque = etag.removeprefix("W/")
    return any(tag.strip() == "*" or tag.strip().removeprefix("W/") == opaque for tag in wanted)
