"""Patterns of paths, with `*` and a final `$`, as robots.txt (RFC 9309, 2.2.2 and 2.2.3) and tdmrep.json have them.

Both sides are compared in one spelling: characters are percent-encoded where they must be, with upper-case digits, and
not where they need not be. A star or dollar sign of an address is an encoded one: in patterns, plain ones mean more.
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
"""Weights times characters of a path that may be compared on the event loop: a millisecond at worst."""


class OutOfTimeError(Exception):
    """The patterns take longer to compare with an address than may be spent on that."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """What a path begins with, pieces that follow in their order, and whether the last one ends it."""

    first: str
    others: tuple[str, ...]
    anchored: bool

    @classmethod
    def read(cls, text: str) -> Self:
        """The pattern that is written so."""
        anchored = text.endswith("$")
        first, *others = (_spelled(piece).replace("$", "%24") for piece in text.removesuffix("$").split("*"))
        return cls(first, tuple(others), anchored)

    @property
    def length(self) -> int:
        """Its characters, whose number is how specific it is; RFC 9309, 2.2.2."""
        return len(self.first) + sum(map(len, self.others)) + len(self.others) + self.anchored

    @property
    def weight(self) -> int:
        """What it costs to compare it with a character of a path, at worst, in comparisons of two characters."""
        return self.length + _LEAST_WEIGHT

    @property
    def plain(self) -> bool:
        """Whether it is no more than the beginning of a path."""
        return not self.others and not self.anchored

    def matches(self, path: str) -> bool:
        """Each piece is looked for behind the one before: there is no way back, whatever the pattern.

        `path` is by `comparable_path`.
        """
        if not path.startswith(self.first):
            return False
        if self.others and self.others[0] not in path:  # as of most patterns: said at once
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
    """The path and query of a URL, as patterns are compared with them."""
    return _spelled(url.raw_path_qs).replace("*", "%2A").replace("$", "%24")


def within_time[T](items: Iterable[T], seconds: float) -> Iterator[T]:
    """The items, as long as the thread's own time lasts, whatever else the machine does.

    Raises:
        OutOfTimeError: it does not last for all.
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
