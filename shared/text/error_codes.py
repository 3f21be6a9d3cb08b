"""Reads the codes of errors that services of Azure answer with."""

import json

from shared.text.plain_text import one_line

_MOST = 5


def error_codes(body: bytes | str) -> list[str]:
    """Returns the codes of an error, from the outer one to the innermost, five at most; none if the body has none.

    The body is `{"error": {"code": "…", "innererror": {"code": "…"}}}`. The error's messages are not read, because
    they may quote the request.
    """
    found: list[str] = []
    try:
        error = json.loads(body).get("error")
    except (AttributeError, RecursionError, ValueError):
        return found
    while isinstance(error, dict) and len(found) < _MOST:
        found.append(one_line(str(error.get("code")), 50))
        error = error.get("innererror")
    return found
