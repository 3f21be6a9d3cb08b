"""Parses the part of a robots.txt that is for one crawler (RFC 9309)."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.web.wishes.path_patterns import PathPattern, within_time

_MAX_SITEMAPS = 50
_LINE_ENDS = re.compile(r"\r\n?|\n")
_LINE = re.compile(r"(user[ \t-]*+agent|[a-z-]++)(?:[ \t]*+:|[ \t]++)[ \t]*+(.*)", re.IGNORECASE | re.DOTALL)
_AGENT = re.compile(r"user[ \t-]*+agent")
_DISALLOW = frozenset({"disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"})
_SITEMAP = frozenset({"sitemap", "sitemaps", "site-map"})
_PRODUCT_TOKEN = re.compile(r"[\w.-]*")
_BYTES_OF_A_RULE = 300

type _Rule = tuple[PathPattern, bool]


def product_token(value: str) -> str:
    """Returns the product token at the beginning of an agent's name, in lower case, or a star.

    The version and comments are left out. RFC 9309 allows only letters, hyphens and underscores in tokens. Here
    digits and full stops are allowed, too: the token of `P3P Client` is `p3p`, not `p`.
    """
    value = value.strip().lower()
    if value.split(maxsplit=1)[:1] == ["*"]:
        return "*"
    found = _PRODUCT_TOKEN.match(value)
    return found[0] if found else ""


class PathRules:
    """Says which paths may be fetched.

    The longest rule that matches decides; if two are equally long, the one that allows.

    Rules without `*` and `$` are found in a table. The others are compared one by one, from the longest to the
    shortest. `weight` is the cost of comparing a path with all of them, for each of its characters
    (`PathPattern.weight`).
    """

    def __init__(self, rules: Sequence[_Rule]) -> None:
        self._plain: dict[str, bool] = {}
        patterns: list[tuple[int, bool, PathPattern]] = []
        self.weight = 0
        for pattern, allow in rules:
            if pattern.plain:
                self._plain[pattern.first] = allow or self._plain.get(pattern.first, False)
            else:
                patterns.append((pattern.length, allow, pattern))
                self.weight += pattern.weight
        self._lengths = sorted({len(text) for text in self._plain}, reverse=True)
        self._patterns = sorted(patterns, key=lambda rule: rule[:2], reverse=True)
        self.size_bytes = sum(_BYTES_OF_A_RULE + pattern.length for pattern, _ in rules)

    def allow(self, path: str, seconds: float) -> bool:
        """Whether a path, as `comparable_path` returns it, may be fetched.

        Raises:
            OutOfTimeError: the comparison needs more than so many seconds of processor time.
        """
        length = next((length for length in self._lengths if path[:length] in self._plain), -1)
        looked_up = (length, self._plain[path[:length]] if length >= 0 else True)
        for length, allow, pattern in within_time(self._patterns, seconds):
            if (length, allow) <= looked_up:
                break
            if pattern.matches(path):
                return allow
        return looked_up[1]


@dataclass(frozen=True, slots=True)
class RobotsText:
    """The rules for one crawler. `crawl_delay` is in seconds. `sitemaps` are the first fifty, as they are written."""

    rules: PathRules
    crawl_delay: float | None
    sitemaps: tuple[str, ...]


def read_robots(agent: str, text: str) -> RobotsText:
    """Returns the rules for `agent`, a product token in lower case. The time is linear in the file's length.

    Groups that name the agent are merged. If there is no such group, those for `*` count. Only rules end a list of
    agents. A Crawl-delay, which the RFC does not define, applies to the agents named before it that have no delay
    yet. If several groups have a delay, the longest counts.
    """
    reader = _Reader(agent)
    for line in _LINE_ENDS.split(text):
        found = _LINE.match(line.partition("#")[0].strip())
        if found is not None:
            reader.take(found[1].lower(), found[2].strip())
    group = reader.ours if reader.ours.named else reader.everybody
    delay = max(group.crawl_delays, default=None)
    return RobotsText(PathRules(group.rules), delay, tuple(reader.sitemaps))


@dataclass(eq=False, slots=True)
class _Group:
    """Collects the rules of all groups with one name."""

    named: bool = False
    rules: list[_Rule] = field(default_factory=list)
    crawl_delays: list[float] = field(default_factory=list)


class _Reader:
    """Reads the lines of a file one by one, and collects the rules for our agent and those for all agents."""

    def __init__(self, agent: str) -> None:
        self.ours, self.everybody = _Group(), _Group()
        self.sitemaps: dict[str, None] = {}
        self._groups = {agent: self.ours, "*": self.everybody}
        self._current: set[_Group] = set()
        self._without_delay: set[_Group] = set()
        self._among_agents = False

    def take(self, name: str, value: str) -> None:
        if _AGENT.fullmatch(name):
            self._take_agent(product_token(value))
        elif name == "allow" or name in _DISALLOW:
            self._among_agents = False
            self._take_rule(value, allow=name == "allow")
        elif name == "crawl-delay":
            self._take_delay(value)
        elif name in _SITEMAP and value and len(self.sitemaps) < _MAX_SITEMAPS:
            self.sitemaps[value] = None

    def _take_agent(self, token: str) -> None:
        if not self._among_agents:
            self._current, self._without_delay = set(), set()
        self._among_agents = True
        group = self._groups.get(token)
        if group is not None:
            group.named = True
            self._current.add(group)
            self._without_delay.add(group)

    def _take_delay(self, value: str) -> None:
        for seconds in _seconds(value):
            for group in self._without_delay:
                group.crawl_delays.append(seconds)
            self._without_delay = set()

    def _take_rule(self, path: str, *, allow: bool) -> None:
        if not path or not self._current:
            return
        # a rule without a slash would match no path; it means the one with a slash
        rule = (PathPattern.read(path if path[0] in "/*" else f"/{path}"), allow)
        for group in self._current:
            group.rules.append(rule)


def _seconds(value: str) -> Iterator[float]:
    """Yields the number of seconds if it is finite and not negative."""
    try:
        seconds = float(value)
    except ValueError:
        return
    if math.isfinite(seconds) and seconds >= 0:
        yield seconds
