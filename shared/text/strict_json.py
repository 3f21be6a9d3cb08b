"""Decodes JSON from outside. HTTP bodies and queue messages are both decoded here.

RFC 8259 does not say what a reader does with repeated names, half surrogate pairs, and numbers of any length. Such a
text is refused here, and the error names the field. So every value that is read can be stored, compared, and written
as UTF-8 again.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from shared.errors import FieldError, InvalidRequest

MAX_DEPTH = 64
"""The limit for nested objects and lists."""

MAX_NAMES = 5000
"""The limit for names in one object. Each name may be wrong and takes time to judge."""

_MAX_DIGITS = 40
_MAX_REPORTED = 20
_MAX_NAME = 100
_MAX_PLACE = 500
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_UNICODE = "must be valid Unicode: it has half of a surrogate pair"
_TOO_DEEP = f"is nested too deeply; it must have at most {MAX_DEPTH} levels"


class FlawedJson(InvalidRequest):
    """The text is JSON, but a part of it is refused. `data` has those plain fields of its object that are valid."""

    def __init__(self, detail: str, fields: tuple[FieldError, ...], data: object) -> None:
        super().__init__(detail, fields)
        self.data = data


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Stands for a refused value, or for an object whose field `name` is refused and whose `rest` is valid."""

    message: str
    name: str | None = None
    rest: Mapping[str, object] = field(default_factory=dict)


class _Hooks:
    """The functions that the decoder calls for numbers and objects. `flawed` is true once one has refused a value."""

    def __init__(self) -> None:
        self.flawed = False

    def integer(self, digits: str) -> object:
        """Reads a whole number, or refuses it if it is very long.

        The time that Python needs for a number grows with the square of its length.
        """
        return int(digits) if len(digits) <= _MAX_DIGITS else self._flaw(_Flaw("has too many digits"))

    def number(self, digits: str) -> object:
        """Reads a number with a fraction or an exponent."""
        value = float(digits)
        return value if math.isfinite(value) else self._flaw(_Flaw("is too large a number"))

    def constant(self, name: str) -> object:
        """Refuses NaN and the infinities, which are not JSON."""
        return self._flaw(_Flaw(f"must be a number, not {name}"))

    def mapping(self, pairs: Sequence[tuple[str, object]]) -> object:
        """Reads an object and refuses repeated names."""
        if len(pairs) > MAX_NAMES:
            return self._flaw(_Flaw(f"has {len(pairs):,} names; it must have at most {MAX_NAMES:,}"))
        found = dict(pairs)
        return found if len(found) == len(pairs) else self._flaw(_repeated(pairs))

    def _flaw(self, flaw: _Flaw) -> _Flaw:
        self.flawed = True
        return flaw


def read_json(text: str | bytes, what: str) -> object:
    """Returns the value of a JSON text. Bytes are UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    `what` names the text in errors, such as "The body".

    Raises:
        FlawedJson: a part of the text is refused: a repeated name, more than 5,000 names in one object, half of a
            surrogate pair, NaN, Infinity, a whole number of more than 40 digits, a number too large for a double, or
            too many levels. The error names up to twenty fields.
        InvalidRequest: the text is not JSON or not Unicode.
    """
    hooks = _Hooks()
    text = _decoded(text, what)
    try:
        data = json.loads(
            text,
            parse_int=hooks.integer,
            parse_float=hooks.number,
            parse_constant=hooks.constant,
            object_pairs_hook=hooks.mapping,
        )
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"{what} is not JSON: line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise InvalidRequest(f"{what} is not JSON that can be read: it {_TOO_DEEP}.") from None
    if hooks.flawed or _HALF_PAIR.search(text) or text.count("[") + text.count("{") > MAX_DEPTH:
        flaws = tuple(islice(_flaws_in(data), _MAX_REPORTED))
        if flaws:
            raise FlawedJson(f"{what} is not valid JSON.", flaws, _plain_fields(data))
    return data


def _decoded(text: str | bytes, what: str) -> str:
    try:
        if isinstance(text, str):
            text.encode()
            return text.removeprefix("\ufeff")
        return text.decode(json.detect_encoding(text)).removeprefix("\ufeff")
    except UnicodeError:
        raise InvalidRequest(f"{what} is not UTF-8.") from None


def _repeated(pairs: Sequence[tuple[str, object]]) -> _Flaw:
    """Returns the flaw of a repeated name, with the fields whose names are not repeated."""
    times = Counter(name for name, _ in pairs)
    twice = next(name for name, count in times.items() if count > 1)
    return _Flaw("is given twice", twice, {name: value for name, value in pairs if times[name] == 1})


def _flaws_in(data: object) -> Iterator[FieldError]:
    """Yields all refused fields, in the order of the text. It stops where the text is nested too deeply."""
    path: list[str | int] = []
    open_values: list[Iterator[tuple[str | int, object]]] = [iter([("", data)])]
    while open_values:
        for name, value in open_values[-1]:
            yield from _flaws_of(path, name, value)
            if value and isinstance(value, dict | list):
                if len(path) == MAX_DEPTH:
                    yield FieldError(_place([*path, name]), _TOO_DEEP)
                    return
                path.append(name)
                open_values.append(iter(value.items() if isinstance(value, dict) else enumerate(value)))
                break
        else:
            open_values.pop()
            if path:
                path.pop()


def _flaws_of(path: Sequence[str | int], name: str | int, value: object) -> Iterator[FieldError]:
    """Yields the flaws of a field itself, not of the fields within it."""
    if isinstance(name, str) and _SURROGATE.search(name):
        yield FieldError(_place([*path, name]), f"its name {_NOT_UNICODE}")
    if isinstance(value, str) and _SURROGATE.search(value):
        yield FieldError(_place([*path, name]), _NOT_UNICODE)
    elif isinstance(value, _Flaw):
        yield FieldError(_place([*path, name, *([] if value.name is None else [value.name])]), value.message)


def _plain_fields(data: object) -> object:
    """Returns the texts and numbers of an object, without those that are refused."""
    if isinstance(data, _Flaw):
        data = data.rest
    if not isinstance(data, dict):
        return None
    return {
        name: value
        for name, value in data.items()
        if isinstance(value, str | int | float) and not _SURROGATE.search(f"{name}{value}")
    }


def _place(path: Sequence[str | int]) -> str:
    """Returns the path in the text. `path` begins with the name of the whole text, which is empty."""
    return ".".join(shown(str(part)) for part in path[1:])[:_MAX_PLACE]


def shown(text: str) -> str:
    """Makes a name from outside fit for an error: it is cut, and characters that cannot be shown become U+FFFD."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:_MAX_NAME])
