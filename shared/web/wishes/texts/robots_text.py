"""Parses the part of a robots.txt that is for one crawler (RFC 9309), with its extensions.

Extensions: `Sitemap` (sitemaps.org), `Crawl-delay`, `Content-Usage` (draft-ietf-aipref-attach-05, 3), `Content-Signal`
(contentsignals.org) and `License` (RSL 1.0).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.web.wishes.texts.path_patterns import LongestMatch, PathPattern
from shared.web.wishes.texts.preferences import Preference, preference_in

_MAX_SITEMAPS = 50
# each may be on another host, which did not ask for our request
_MAX_LICENSES = 5
_LINE_ENDS = re.compile(r"\r\n?|\n")
_LINE = re.compile(r"(user[ \t-]*+agent|[a-z-]++)(?:[ \t]*+:|[ \t]++)[ \t]*+(.*)", re.IGNORECASE | re.DOTALL)
_AGENT = re.compile(r"user[ \t-]*+agent")
_DISALLOW = frozenset({"disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"})
_SITEMAP = frozenset({"sitemap", "sitemaps", "site-map"})
_PRODUCT_TOKEN = re.compile(r"[\w.-]*")

type _Rule[V] = tuple[PathPattern, V]


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


@dataclass(frozen=True, slots=True)
class RobotsText:
    """The rules for one crawler, and the addresses that the file names, as they are written.

    `rules` say which paths may be fetched. `usage` and `signals` are the preferences of Content-Usage and
    Content-Signal. `crawl_delay` is in seconds. `sitemaps` are the first fifty, and `licenses` the first five.
    `cut` is true if the file is longer than what is read of it.
    """

    rules: LongestMatch[bool]
    crawl_delay: float | None
    sitemaps: tuple[str, ...]
    usage: LongestMatch[Preference]
    signals: LongestMatch[Preference]
    licenses: tuple[str, ...]
    cut: bool = False

    @property
    def size_bytes(self) -> int:
        """About the memory that the rules take."""
        return self.rules.size_bytes + self.usage.size_bytes + self.signals.size_bytes

    def allow(self, path: str, seconds: float = math.inf) -> bool:
        """Whether a path, as `comparable_path` returns it, may be fetched.

        Raises:
            OutOfTimeError: the comparison needs more than `seconds` of processor time.
        """
        return self.rules.value(path, seconds)


def read_robots(agent: str, text: str, *, cut: bool = False) -> RobotsText:
    """Returns the rules for `agent`, a product token in lower case. The time is linear in the file's length.

    Groups that name the agent are merged. If there is no such group, those for `*` count. Only rules end a list of
    agents. A Crawl-delay, which the RFC does not define, applies to the agents named before it that have no delay
    yet. If several groups have a delay, the longest counts. Content-Usage and Content-Signal rules before the first
    group count for all crawlers.
    """
    reader = _Reader(agent)
    for line in _LINE_ENDS.split(text):
        found = _LINE.match(line.partition("#")[0].strip())
        if found is not None:
            reader.take(found[1].lower(), found[2].strip())
    group = reader.ours if reader.ours.named else reader.everybody
    delay = max(group.crawl_delays, default=None)
    before = reader.before_groups
    return RobotsText(
        LongestMatch(group.rules, default=True),
        delay,
        tuple(reader.sitemaps),
        LongestMatch([*before.usage, *group.usage], Preference.UNKNOWN),
        LongestMatch([*before.signals, *group.signals], Preference.UNKNOWN),
        tuple(reader.licenses),
        cut,
    )


@dataclass(eq=False, slots=True)
class _Group:
    """Collects the rules of all groups with one name."""

    named: bool = False
    rules: list[_Rule[bool]] = field(default_factory=list)
    usage: list[_Rule[Preference]] = field(default_factory=list)
    signals: list[_Rule[Preference]] = field(default_factory=list)
    crawl_delays: list[float] = field(default_factory=list)


class _Reader:
    """Reads the lines of a file one by one, and collects the rules for our agent and those for all agents."""

    def __init__(self, agent: str) -> None:
        self.ours, self.everybody, self.before_groups = _Group(), _Group(), _Group()
        self.sitemaps: dict[str, None] = {}
        self.licenses: dict[str, None] = {}
        self._groups = {agent: self.ours, "*": self.everybody}
        self._current: set[_Group] = {self.before_groups}
        self._without_delay: set[_Group] = set()
        self._among_agents = False

    def take(self, name: str, value: str) -> None:
        if _AGENT.fullmatch(name):
            self._take_agent(product_token(value))
        elif name == "allow" or name in _DISALLOW:
            self._among_agents = False
            self._take_rule(value, allow=name == "allow")
        elif name in {"content-usage", "content-signal"}:
            self._among_agents = False
            self._take_preference(name, value)
        elif name == "crawl-delay":
            self._take_delay(value)
        elif name in _SITEMAP and value and len(self.sitemaps) < _MAX_SITEMAPS:
            self.sitemaps[value] = None
        elif name == "license" and value and len(self.licenses) < _MAX_LICENSES:
            self.licenses[value] = None

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

    def _take_preference(self, name: str, value: str) -> None:
        """Takes a rule that has a path, or else is for all paths.

        A rule that says nothing about the training of AI must not hide a shorter one that does.
        """
        path, statement = (*value.split(maxsplit=1), "")[:2] if value[:1] in {"/", "*"} else ("/", value)
        preference = preference_in([statement])
        if preference is Preference.UNKNOWN:
            return
        rule = (PathPattern.read(path), preference)
        for group in self._current:
            (group.usage if name == "content-usage" else group.signals).append(rule)


def _seconds(value: str) -> Iterator[float]:
    """Yields the number of seconds if it is finite and not negative."""
    try:
        seconds = float(value)
    except ValueError:
        return
    if math.isfinite(seconds) and seconds >= 0:
        yield seconds
