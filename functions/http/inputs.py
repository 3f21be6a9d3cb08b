"""Reads the query parameters and headers of an HTTP call, and checks each of them.

In an error, the message continues the sentence that the parameter's name begins: `limit` "is '0'; it must be a whole
number from 1 to 100".
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError

from functions.http.declared import Parameter
from shared.errors import FieldError, InvalidRequest
from shared.text.strict_json import shown

# The Functions host takes its own access keys from this parameter.
_KEY_OF_THE_HOST = "code"
_MAX_PARAMETERS = 100
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
# https://www.rfc-editor.org/rfc/rfc8259#section-6
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
# https://www.rfc-editor.org/rfc/rfc3339#section-5.6
_RFC_3339 = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}[Tt][0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_moment = TypeAdapter(AwareDatetime, config=ConfigDict(defer_build=True))


def read_query(request: func.HttpRequest, declared: Mapping[str, Parameter]) -> Mapping[str, str]:
    """Returns the values of the query parameters by name, with the defaults of those that the call leaves out.

    They are read from the URL, because the host drops empty parameters and joins repeated ones by commas. A whole
    number that is declared with its range is in that range, and has ASCII digits only, without a sign and leading
    zeros. Another number that is declared is a number of JSON in its range. One of declared words is such a word.

    Raises:
        InvalidRequest: a parameter is not declared, occurs twice, has another value than declared, or is missing
            though it is required. The error names each of them.
    """
    found: dict[str, str] = {
        name: str(parameter.schema["default"])
        for name, parameter in declared.items()
        if "default" in parameter.schema
    }
    given: set[str] = set()
    wrong: dict[str, str] = {}
    for name, value in _given_pairs(request):
        if name in given:
            wrong[name] = "is given twice"
        elif name in declared:
            given.add(name)
            found[name] = value
            rule = _broken_rule(value, declared[name].schema)
            if rule is not None:
                wrong[name] = f"is {shown(value)!r}; it {rule}"
        elif name != _KEY_OF_THE_HOST:
            accepted = _joined(sorted(declared), "and") or "none"
            wrong[name] = f"is not a parameter of this call, which accepts {accepted}"
    for name, parameter in declared.items():
        if parameter.required and name not in given:
            rule = _rule_of_words(parameter.schema)
            wrong[name] = f"is missing; it {rule}" if rule else "is missing"
    if wrong:
        errors = tuple(FieldError(shown(name), message) for name, message in wrong.items())
        raise InvalidRequest("The query is not valid.", errors)
    return found


def _given_pairs(request: func.HttpRequest) -> Sequence[tuple[str, str]]:
    """Returns the names and values of the query parameters as the call has them.

    Raises:
        InvalidRequest: there are too many.
    """
    _, _, query = request.url.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise InvalidRequest(
            f"The query has too many parameters; it must have at most {_MAX_PARAMETERS}."
        ) from None
    names = {name for name, _ in pairs}
    return [*pairs, *((name, value) for name, value in request.params.items() if name not in names)]


def wrong_value(name: str, value: str, rule: str) -> InvalidRequest:
    """Returns the error for a query parameter whose value breaks a rule, such as "must be json or csv"."""
    return InvalidRequest("The query is not valid.", (FieldError(name, f"is {shown(value)!r}; it {rule}"),))


def moment_of(name: str, value: str) -> datetime:
    """Returns the moment that a query parameter names, with an offset from UTC.

    Raises:
        InvalidRequest: the value is no time of RFC 3339.
    """
    try:
        if _RFC_3339.fullmatch(value):
            return _moment.validate_python(value)
    except ValidationError:
        # such as the 30th of February
        pass
    raise wrong_value(name, value, "must be a time such as 2026-01-01T12:00:00Z")


def _broken_rule(value: str, schema: Mapping[str, Any]) -> str | None:
    """Returns the rule of the schema that a value breaks, or None. Checks numbers and lists of words."""
    if "enum" in schema and value not in schema["enum"]:
        return _rule_of_words(schema)
    if schema.get("type") == "integer":
        least, most = schema["minimum"], schema["maximum"]
        if _NUMBER.fullmatch(value) is None or not least <= int(value) <= most:
            return f"must be a whole number from {least} to {most}"
    if schema.get("type") == "number":
        least, most = schema["minimum"], schema["maximum"]
        if _DECIMAL.fullmatch(value) is None or not least <= float(value) <= most:
            return f"must be a number from {least} to {most}"
    return None


def _rule_of_words(schema: Mapping[str, Any]) -> str | None:
    """Returns the rule of a schema that lists words, or None."""
    return f"must be {_joined(schema['enum'], 'or')}" if "enum" in schema else None


def _joined(words: Sequence[str], last: str) -> str:
    """Returns the words with commas between them, and `last` before the last one."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


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
