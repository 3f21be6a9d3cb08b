"""Reads the query parameters and headers of an HTTP call, and checks each of them.

In an error, the message continues the sentence that the parameter's name begins: `limit` "is '0'; it must be a whole
number from 1 to 100".
"""

import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

import azure.functions as func

from shared.errors import FieldError, InvalidRequest
from shared.text.strict_json import shown

# The Functions host takes its own access keys from this parameter.
_KEY_OF_THE_HOST = "code"
_MAX_PARAMETERS = 100
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


def read_query(request: func.HttpRequest, known: Collection[str]) -> Mapping[str, str]:
    """Returns the values of the query parameters by name. The call accepts the `known` parameters.

    They are read from the URL, because the host drops empty parameters and joins repeated ones by commas.

    Raises:
        InvalidRequest: a parameter is not known or occurs twice. The error names each of them.
    """
    _, _, query = request.url.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise InvalidRequest(
            f"The query has too many parameters; it must have at most {_MAX_PARAMETERS}."
        ) from None
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
            accepted = " and ".join(sorted(known)) or "none"
            wrong[name] = f"is not a parameter of this call, which accepts {accepted}"
    if wrong:
        errors = tuple(FieldError(shown(name), message) for name, message in wrong.items())
        raise InvalidRequest("The query is not valid.", errors)
    return found


def wrong_value(name: str, value: str, rule: str) -> InvalidRequest:
    """Returns the error for a query parameter whose value breaks a rule, such as "must be json or csv"."""
    return InvalidRequest("The query is not valid.", (FieldError(name, f"is {shown(value)!r}; it {rule}"),))


def number_in(query: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    """Returns the whole number of a parameter, or the default if there is no such parameter.

    The number has ASCII digits only, without a sign and without leading zeros.

    Raises:
        InvalidRequest: the value is not such a number, or it is out of range.
    """
    text = query.get(name)
    if text is None:
        return default
    if _NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
        raise wrong_value(name, text, f"must be a whole number from {least} to {most}")
    return int(text)


def header_in(request: func.HttpRequest, name: str, most_characters: int) -> str | None:
    """Returns the value of a header, or None if there is no such header.

    Raises:
        InvalidRequest: the value is empty, too long, or has other than printable ASCII characters, which hosts decode
            in different ways. The error does not repeat the value.
    """
    value: str | None = request.headers.get(name)
    if value is None:
        return None
    if _PRINTABLE.fullmatch(value) is None or len(value) > most_characters:
        wrong = FieldError(name, f"must be 1 to {most_characters} printable ASCII characters")
        raise InvalidRequest("The headers are not valid.", (wrong,))
    return value
