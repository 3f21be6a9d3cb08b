"""Matches paths with the patterns of robots.txt and tdmrep.json, which may have `*` and a final `$`.

Source: RFC 9309, 2.2.2 and 2.2.3. Patterns and paths are compared in one spelling: characters are percent-encoded
only if they must be, with upper-case digits. A star or dollar sign in an address is percent-encoded, because the
plain signs have a meaning in patterns.
"""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from yarl import URL

_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})|[^A-Za-z0-9_.~!$&'()*+,;=:@/?-]")
_NEED_NO_ENCODING = frozenset("-._~!'(),:;@")
_LOOK_AFTER = 32
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


def comparable_path(url: URL) -> str:
    """Returns the path and query of a URL in the spelling that patterns are compared with."""
    return _spelled(url.raw_path_qs).replace("*", "%2A").replace("$", "%24")


def within_time[T](items: Iterable[T], seconds: float) -> Iterator[T]:
    """Yields the items for so many seconds of the thread's own processor time.

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
