"""Matches paths with the patterns of robots.txt and files like it, which may have `*` and a final `$`.

Source: RFC 9309, 2.2.2 and 2.2.3. Patterns and paths are compared in one spelling: characters are percent-encoded
only if they must be, with upper-case digits. A star or dollar sign in an address is percent-encoded, because the
plain signs have a meaning in patterns.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from yarl import URL

_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})|[^A-Za-z0-9_.~!$&'()*+,;=:@/?-]")
_NEED_NO_ENCODING = frozenset("-._~!'(),:;@")
_LOOK_AFTER = 32
_BYTES_OF_A_RULE = 300
_LEAST_WEIGHT = 50
ON_THE_LOOP = 1_000_000
"""The largest product of a pattern's weight and a path's length for the event loop. It takes a millisecond at worst."""


class OutOfTimeError(Exception):
    """Comparing the patterns with an address takes too long."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern: a path begins with `first`, and `others` follow in order.

    If `anchored`, the last one ends the path.
    """

    first: str
    others: tuple[str, ...]
    anchored: bool

    @classmethod
    def read(cls, text: str) -> Self:
        """Parses a pattern."""
        anchored = text.endswith("$")
        first, *others = (_spelled(piece).replace("$", "%24") for piece in text.removesuffix("$").split("*"))
        return cls(first, tuple(others), anchored)

    @property
    def length(self) -> int:
        """The number of characters. A longer pattern is more specific (RFC 9309, 2.2.2)."""
        return len(self.first) + sum(map(len, self.others)) + len(self.others) + self.anchored

    @property
    def weight(self) -> int:
        """The cost for each character of a path in the worst case. The unit is a comparison of two characters."""
        return self.length + _LEAST_WEIGHT

    @property
    def plain(self) -> bool:
        """Whether the pattern is a mere prefix of paths."""
        return not self.others and not self.anchored

    def matches(self, path: str) -> bool:
        """Whether the path, as `comparable_path` returns it, matches.

        Each piece is searched after the one before, without backtracking. So `weight` limits the time.
        """
        if not path.startswith(self.first):
            return False
        # most patterns fail at this check
        if self.others and self.others[0] not in path:
            return False
        at = len(self.first)
        if not self.others:
            return not self.anchored or at == len(path)
        within = self.others[:-1] if self.anchored else self.others
        for piece in within:
            found = path.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        last = self.others[-1]
        return not self.anchored or (len(path) - at >= len(last) and path.endswith(last))


class LongestMatch[V: int]:
    """Finds the value for a path: that of the longest pattern that matches; if two are equally long, the larger value.

    Patterns without `*` and `$` are found in a table. The others are compared one by one, from the longest to the
    shortest. `weight` is the cost of comparing a path with all of them, for each of its characters
    (`PathPattern.weight`). `size_bytes` is about the memory that the rules take.
    """

    def __init__(self, rules: Sequence[tuple[PathPattern, V]], default: V) -> None:
        self._default = default
        self._plain: dict[str, V] = {}
        patterns: list[tuple[int, V, PathPattern]] = []
        self.weight = 0
        for pattern, value in rules:
            if pattern.plain:
                self._plain[pattern.first] = max(value, self._plain.get(pattern.first, value))
            else:
                patterns.append((pattern.length, value, pattern))
                self.weight += pattern.weight
        self._lengths = sorted({len(text) for text in self._plain}, reverse=True)
        self._patterns = sorted(patterns, key=lambda rule: rule[:2], reverse=True)
        self.size_bytes = sum(_BYTES_OF_A_RULE + pattern.length for pattern, _ in rules)

    def __bool__(self) -> bool:
        """Whether there is any rule."""
        return bool(self._plain or self._patterns)

    def value(self, path: str, seconds: float) -> V:
        """Returns the value for a path, as `comparable_path` returns it, or the default if no pattern matches.

        Raises:
            OutOfTimeError: the comparison needs more than `seconds` of processor time.
        """
        length = next((length for length in self._lengths if path[:length] in self._plain), -1)
        found = (length, self._plain[path[:length]] if length >= 0 else self._default)
        for length, value, pattern in within_time(self._patterns, seconds):
            if (length, value) <= found:
                break
            if pattern.matches(path):
                return value
        return found[1]

    async def find(self, path: str, seconds: float) -> V:
        """Returns the value as `value` does, in a thread if that may take long.

        Raises:
            OutOfTimeError: the comparison needs more than `seconds` of processor time.
        """
        if self.weight * len(path) <= ON_THE_LOOP:
            return self.value(path, seconds)
        return await asyncio.to_thread(self.value, path, seconds)


def comparable_path(url: URL) -> str:
    """Returns the path and query of a URL in the spelling that patterns are compared with."""
    return _spelled(url.raw_path_qs).replace("*", "%2A").replace("$", "%24")


def lower_path(path: str) -> str:
    """Returns a path, as `comparable_path` returns it, in lower case but for its percent-encoding."""
    return _spelled(path.lower())


def within_time[T](items: Iterable[T], seconds: float) -> Iterator[T]:
    """Yields the items until the thread has used `seconds` of processor time.

    Raises:
        OutOfTimeError: the time is over and items remain.
    """
    until = time.thread_time() + seconds
    for number, item in enumerate(items):
        if number % _LOOK_AFTER == _LOOK_AFTER - 1 and time.thread_time() > until:
            raise OutOfTimeError
        yield item


def _spelled(text: str) -> str:
    return _ENCODED.sub(_spelling, text)


def _spelling(found: re.Match[str]) -> str:
    if found[1] is None:
        return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))
    character = chr(int(found[1], 16))
    if character in _NEED_NO_ENCODING or (character.isascii() and character.isalnum()):
        return character
    return found[0].upper()
