"""Compares what a command prints with what a page shows.

`…` stands for anything. Numbers stand for any number, and times for any time. A text with `…` in JSON, such as
"d4f6…", stands for the real value: the first output that has it decides, and later commands get the real value.
"""

import json
import re
from typing import Any

ELLIPSIS = "…"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\s*,?\s*…\s*,?\s*')
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SHORTENED = re.compile(r"([A-Za-z0-9]*…)")
_PART = re.compile(rf"{_TIME.pattern}|{_NUMBER.pattern}|…|\s+")


class WrongOutput(AssertionError):
    """A command printed something else than the page shows."""


def compare(shown: str, printed: str) -> dict[str, str]:
    """Compares an output with what is shown, and returns the real values of the shown texts that have an ellipsis.

    Raises:
        WrongOutput: they differ in more than numbers, times and what is left out.
    """
    if shown.lstrip().startswith(("{", "[")):
        return _compare_json(shown, printed)
    if not re.fullmatch(_pattern(shown.strip()), printed.strip(), re.DOTALL):
        raise WrongOutput(f"The page shows:\n{shown}\nThe command printed:\n{printed}")
    return {}


def compare_exactly(shown: str, printed: str) -> None:
    """Compares an output with what is shown, numbers included.

    Raises:
        WrongOutput: they differ in more than spaces at both ends.
    """
    if shown.strip() != printed.strip():
        raise WrongOutput(f"The page shows:\n{shown}\nThe command printed other numbers:\n{printed}")


def _pattern(shown: str) -> str:
    parts, at = [], 0
    for found in _PART.finditer(shown):
        parts += [re.escape(shown[at : found.start()]), _any_like(found[0])]
        at = found.end()
    return "".join([*parts, re.escape(shown[at:])])


def _any_like(part: str) -> str:
    if part == ELLIPSIS:
        return ".*?"
    if part.isspace():
        return r"\s+"
    return _TIME.pattern if _TIME.fullmatch(part) else _NUMBER.pattern


def _compare_json(shown: str, printed: str) -> dict[str, str]:
    try:
        real = json.loads(printed)
    except ValueError:
        raise WrongOutput(f"The page shows JSON. The command printed:\n{printed}") from None
    values: dict[str, str] = {}
    _compare_values(read_shortened(shown), real, "", values)
    return values


def read_shortened(text: str) -> Any:
    """Reads JSON in which `…` stands for members or items that are left out.

    An object with such a gap has the member "…", an array the item "…".

    Raises:
        WrongOutput: it is not JSON.
    """
    try:
        return json.loads(_TOKEN.sub(_fill, text))
    except ValueError as error:
        raise WrongOutput(f"The page shows what is not JSON ({error}):\n{text}") from None


def _fill(token: re.Match[str]) -> str:
    if token[0].startswith('"'):
        return token[0]
    before, after = token.string[: token.start()].rstrip()[-1:], token.string[token.end() :].lstrip()[:1]
    if before == ":":
        return '"…"' if after in "}]" else '"…",'
    gap = '"…":null' if _is_in_object(token.string[: token.start()]) else '"…"'
    return ("" if before in "{[" else ",") + gap + ("" if after in "}]" else ",")


def _is_in_object(text: str) -> bool:
    depth: list[str] = []
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', text):
        if token in "{[":
            depth.append(token)
        elif token in "}]" and depth:
            depth.pop()
    return bool(depth) and depth[-1] == "{"


def _compare_values(shown: Any, real: Any, path: str, values: dict[str, str]) -> None:
    if shown == ELLIPSIS:
        return
    if isinstance(shown, dict) and isinstance(real, dict):
        missing = shown.keys() - real.keys() - {ELLIPSIS}
        more = real.keys() - shown.keys() if ELLIPSIS not in shown else set()
        if missing or more:
            raise WrongOutput(
                f"'{path}' shows {sorted(missing)}, which are not there, and lacks {sorted(more)}"
            )
        # in the page's order, because the first place of a shortened value decides
        for name in [name for name in shown if name != ELLIPSIS]:
            _compare_values(shown[name], real[name], f"{path}.{name}", values)
    elif isinstance(shown, list) and isinstance(real, list):
        _compare_lists(shown, real, path, values)
    elif isinstance(shown, str) and isinstance(real, str):
        _compare_texts(shown, real, path, values)
    elif not _is_like(shown, real):
        raise WrongOutput(f"'{path}' is {shown!r} on the page, and {real!r} in the output")


def _compare_lists(shown: list[Any], real: list[Any], path: str, values: dict[str, str]) -> None:
    named = [item for item in shown if item != ELLIPSIS]
    if len(named) > len(real) or (len(named) == len(shown) != len(real)):
        raise WrongOutput(f"'{path}' has {len(shown)} items on the page, and {len(real)} in the output")
    for at, (item, other) in enumerate(zip(named, real, strict=False)):
        _compare_values(item, other, f"{path}[{at}]", values)


def _compare_texts(shown: str, real: str, path: str, values: dict[str, str]) -> None:
    if ELLIPSIS in shown:
        pattern = "".join(_pattern_of(part, values) for part in _SHORTENED.split(shown))
        if not re.fullmatch(pattern, real):
            raise WrongOutput(f"'{path}' is {shown!r} on the page, and {real!r} in the output")
        if re.fullmatch(r"[^\s…]*…", shown):
            values.setdefault(shown, real)
    elif shown != real and not (_TIME.fullmatch(shown) and _TIME.fullmatch(real)):
        raise WrongOutput(f"'{path}' is {shown!r} on the page, and {real!r} in the output")


def _pattern_of(part: str, values: dict[str, str]) -> str:
    """A shortened value is the one that was seen before, or else any."""
    return re.escape(values.get(part, part)) if part in values or ELLIPSIS not in part else ".+"


def _is_like(shown: Any, real: Any) -> bool:
    if isinstance(shown, bool) or isinstance(real, bool):
        return shown is real
    numbers = (int, float)
    return (isinstance(shown, numbers) and isinstance(real, numbers)) or shown is real is None
