"""Reads the query parameters and headers of an HTTP call, and checks each of them.

In an error, the message continues the sentence that the parameter's name begins: `limit` "is '0'; it must be a whole
number from 1 to 100".
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func

from functions.http.declared import Parameter
from shared.errors import FieldError, InvalidRequest
from shared.text.strict_json import shown

# The Functions host takes its own access keys from this parameter.
_KEY_OF_THE_HOST = "code"
_MAX_PARAMETERS = 100
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


def read_query(request: func.HttpRequest, declared: Mapping[str, Parameter]) -> Mapping[str, str]:
    """Returns the values of the query parameters by name, with the defaults of those that the call leaves out.

    They are read from the URL, because the host drops empty parameters and joins repeated ones by commas. A whole
    number that is declared with its range is in that range, and has ASCII digits only, without a sign and leading
    zeros. One of declared words is such a word.

    Raises:
        InvalidRequest: a parameter is not declared, occurs twice, has another value than declared, or is missing
            though it is required. The error names each of them.
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
    found: dict[str, str] = {
        name: str(parameter.schema["default"])
        for name, parameter in declared.items()
        if "default" in parameter.schema
    }
    given: set[str] = set()
    wrong: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            wrong[name] = "is given twice"
        elif name in declared:
            given.add(name)
            found[name] = value
            rule = _broken_rule(value, declared[name].schema)
            if rule is not None:
                wrong[name] = f"is {shown(value)!r}; it {rule}"
        elif name != _KEY_OF_THE_HOST:
            accepted = " and ".join(sorted(declared)) or "none"
            wrong[name] = f"is not a parameter of this call, which accepts {accepted}"
    missing = [name for name, parameter in declared.items() if parameter.required and name not in given]
    wrong |= dict.fromkeys(missing, "is missing")
    if wrong:
        errors = tuple(FieldError(shown(name), message) for name, message in wrong.items())
        raise InvalidRequest("The query is not valid.", errors)
    return found


def wrong_value(name: str, value: str, rule: str) -> InvalidRequest:
    """Returns the error for a query parameter whose value breaks a rule, such as "must be json or csv"."""
    return InvalidRequest("The query is not valid.", (FieldError(name, f"is {shown(value)!r}; it {rule}"),))


def _broken_rule(value: str, schema: Mapping[str, Any]) -> str | None:
    """Returns the rule of the schema that a value breaks, or None. Checks whole numbers and lists of words."""
    if "enum" in schema and value not in schema["enum"]:
        return f"must be {' or '.join(schema['enum'])}"
    if schema.get("type") == "integer":
        least, most = schema["minimum"], schema["maximum"]
        if _NUMBER.fullmatch(value) is None or not least <= int(value) <= most:
            return f"must be a whole number from {least} to {most}"
    return None


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
