"""Describes wrong fields of a request in the terms of JSON, not of the library that checks them."""

from collections.abc import Set as AbstractSet
from itertools import islice

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.errors import FieldError
from shared.text.strict_json import shown

_MAX_ERRORS = 20
# Pydantic puts this after the name of a field whose name is wrong.
_KEY = "[key]"
_OBJECT, _LIST, _STRING = "must be an object", "must be a list", "must be a string"
_WHOLE, _NUMBER, _BOOLEAN = "must be a whole number", "must be a number", "must be true or false"
_WORDS = {
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "string_type": _STRING,
    "url_type": _STRING,
    "string_unicode": "must be valid Unicode",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have {min_length} or more items",
    "too_long": "must have at most {max_length} items",
    "url_parsing": "must be a URL",
    "url_scheme": "its scheme must be {expected_schemes}",
    "url_too_long": "must have at most {max_length} characters",
}
"""The messages by pydantic's types of errors; https://docs.pydantic.dev/latest/errors/validation_errors/."""


type _Path = tuple[int | str, ...]


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Converts pydantic's errors to at most twenty field errors, without the values that the caller sent.

    The time is linear in the number of pydantic's errors.
    """
    found = error.errors(include_url=False, include_input=False)
    parents = {item["loc"][:depth] for item in found for depth in range(len(item["loc"]))}
    causes = (item for item in found if not _follows_from_others(item, parents))
    return tuple(FieldError(_place(item), _message(item)) for item in islice(causes, _MAX_ERRORS))


def _place(item: ErrorDetails) -> str:
    """Returns the path of the field in the input."""
    path = item["loc"][:-1] if _concerns_a_name(item) else item["loc"]
    return ".".join(shown(str(part)) for part in path)


def _message(item: ErrorDetails) -> str:
    words = _WORDS.get(item["type"])
    limits = {name: _without_a_zero_fraction(limit) for name, limit in item.get("ctx", {}).items()}
    message = words.format_map(limits) if words else item["msg"].removeprefix("Value error, ")
    return f"its name {message}" if _concerns_a_name(item) else message


def _without_a_zero_fraction(limit: object) -> object:
    """Returns the limit as people write it: 1, not 1.0."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _concerns_a_name(item: ErrorDetails) -> bool:
    """Returns whether the name of a field is wrong. A field that is really called `[key]` does not count."""
    path = item["loc"]
    return len(path) > 2 and path[-1] == _KEY and item["type"] != "extra_forbidden"


def _follows_from_others(item: ErrorDetails, parents: AbstractSet[_Path]) -> bool:
    """Returns whether a list is too short only because some of its items are wrong."""
    return item["type"] == "too_short" and item["loc"] in parents
