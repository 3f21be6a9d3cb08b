"""The query parameters and headers of an HTTP call, each checked before it is used."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

import azure.functions as func

from shared.errors import FieldError, InvalidRequest
from shared.text.strict_json import shown

# in this parameter the host takes its access keys
_KEY_OF_THE_HOST = "code"
_MAX_PARAMETERS = 100
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


def read_query(request: func.HttpRequest, known: Collection[str]) -> Mapping[str, str]:
    """The parameters of a call that takes the `known` ones.

    They are read from the URL: the host leaves empty ones out of its own list, and joins repeated ones by commas.

    Raises:
        InvalidRequest: there is another parameter, or one of them twice; each is named.
    """
    _, _, query = request.url.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise InvalidRequest(f"The query has more than {_MAX_PARAMETERS} parameters.") from None
    names = {name for name, _ in pairs}
    pairs += [(name, value) for name, value in request.params.items() if name not in names]
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            wrong[name] = "is given twice"
        elif name in known:
            found[name] = value
        elif name != _KEY_OF_THE_HOST:
            wrong[name] = f"there is no such parameter; {_told(known)}"
    if wrong:
        told = tuple(FieldError(shown(name), message) for name, message in wrong.items())
        raise InvalidRequest("The query is not valid.", told)
    return found


def _told(known: Collection[str]) -> str:
    return f"this call takes {' and '.join(sorted(known)) or 'none'}"


def number_in(query: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    """The whole number of a parameter: ASCII digits alone, without a sign or leading zeros.

    Raises:
        InvalidRequest: it is none, or out of its range.
    """
    text = query.get(name)
    if text is None:
        return default
    if _NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
        wrong = FieldError(name, f"must be a whole number from {least} to {most}")
        raise InvalidRequest("The query is not valid.", (wrong,))
    return int(text)


def header_in(request: func.HttpRequest, name: str, most_characters: int) -> str | None:
    """A header's value; None where there is no such header.

    Raises:
        InvalidRequest: it is empty, too long, or not visible ASCII, which hosts decode in different ways.
    """
    value: str | None = request.headers.get(name)
    if value is None:
        return None
    if _PRINTABLE.fullmatch(value) is None or len(value) > most_characters:
        wrong = FieldError(name, f"must be 1 to {most_characters} printable ASCII characters")
        raise InvalidRequest("The headers are not valid.", (wrong,))
    return value
