"""Reads route templates of HTTP triggers: `{name}`, `{name?}`, `{*rest}`, and constraints such as `{id:int}`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from devhost.settings import StartError

_SEGMENT = re.compile(r"\{(\*?)([A-Za-z_]\w*)((?::[^{}:()?]+(?:\([^)]*\))?)*)(\?)?\}")
_SLASH = re.compile("%2([fF])")
_CONSTRAINT = re.compile(r"([a-z]+)(?:\(([^)]*)\))?")
_GUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)

_PLAIN: Mapping[str, Callable[[str], bool]] = {
    "int": lambda text: re.fullmatch(r"[+-]?\d{1,10}", text) is not None and abs(int(text)) < 2**31,
    "long": lambda text: re.fullmatch(r"[+-]?\d{1,19}", text) is not None,
    "bool": lambda text: text.lower() in {"true", "false"},
    "decimal": lambda text: re.fullmatch(r"[+-]?\d+(\.\d+)?", text) is not None,
    "alpha": lambda text: re.fullmatch(r"[A-Za-z]+", text) is not None,
    "guid": lambda text: _GUID.fullmatch(text) is not None,
    "required": bool,
}
_SIZED: Mapping[str, Callable[[str, list[int]], bool]] = {
    "length": lambda text, n: n[0] <= len(text) <= n[-1],
    "minlength": lambda text, n: len(text) >= n[0],
    "maxlength": lambda text, n: len(text) <= n[0],
    "min": lambda text, n: _PLAIN["long"](text) and int(text) >= n[0],
    "max": lambda text, n: _PLAIN["long"](text) and int(text) <= n[0],
    "range": lambda text, n: _PLAIN["long"](text) and n[0] <= int(text) <= n[1],
}


@dataclass(frozen=True, slots=True)
class Route:
    """A compiled template. It matches paths without regard to case."""

    template: str
    pattern: re.Pattern[str]
    constraints: Mapping[str, tuple[Callable[[str], bool], ...]]

    def match(self, path: str) -> dict[str, str] | None:
        """Returns the decoded parameters of a path, or None if it does not match.

        The path has no slashes at its start and end.
        """
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values = {name: _decoded(value) for name, value in found.groupdict().items() if value is not None}
        for name, value in values.items():
            if not all(holds(value) for holds in self.constraints.get(name, ())):
                return None
        return values


def parse_route(template: str) -> Route:
    """Returns the route of a template.

    Raises:
        StartError: the template has a constraint or another part that is not supported.
    """
    pattern, constraints = "", dict[str, tuple[Callable[[str], bool], ...]]()
    for segment in template.strip("/").split("/"):
        match = _SEGMENT.fullmatch(segment)
        if match is None:
            part = _mixed(segment, constraints)
            pattern += ("/" if pattern else "") + part
            continue
        rest, name, rules, optional = match.groups()
        constraints[name] = tuple(_constraint(rule) for rule in rules.split(":") if rule)
        value = f"(?P<{name}>.*)" if rest else f"(?P<{name}>[^/]+)"
        slash = "/" if pattern else ""
        pattern += f"(?:{slash}{value})?" if optional or rest else slash + value
    return Route(template, re.compile(pattern, re.IGNORECASE | re.DOTALL), constraints)


def _decoded(value: str) -> str:
    """Decodes percent escapes except for slashes, as ASP.NET Core does."""
    return unquote(_SLASH.sub(r"%252\1", value))


def _mixed(segment: str, constraints: dict[str, tuple[Callable[[str], bool], ...]]) -> str:
    """Returns the pattern of a segment of text and parameters, such as `v{n:int}.json`, and adds its constraints."""
    pattern, end = "", 0
    if set("{}") & set(_SEGMENT.sub("", segment)):
        raise StartError(f"The part {segment!r} of a route is not supported.")
    for match in _SEGMENT.finditer(segment):
        constraints[match[2]] = tuple(_constraint(rule) for rule in match[3].split(":") if rule)
        pattern += re.escape(segment[end : match.start()]) + f"(?P<{match[2]}>[^/]+)"
        end = match.end()
    return pattern + re.escape(segment[end:])


def _constraint(rule: str) -> Callable[[str], bool]:
    match = _CONSTRAINT.fullmatch(rule)
    if match is not None and match[1] in _PLAIN and match[2] is None:
        return _PLAIN[match[1]]
    if match is not None and match[1] in _SIZED and match[2]:
        check, numbers = _SIZED[match[1]], [int(number) for number in match[2].split(",")]
        return lambda text: check(text, numbers)
    if match is not None and match[1] == "regex" and match[2]:
        wanted = re.compile(match[2].replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda text: wanted.search(text) is not None
    raise StartError(f"The route constraint {rule!r} is not known.")
