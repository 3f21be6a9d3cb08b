"""Holds the state of a crawl: the addresses that it will visit, and those that it has seen.

A crawl requests a limited number of pages and visits them in the order in which it found them. So only the first
links can matter, and the frontier is bounded however many links there are. It is the source's cursor.
"""

import json
from collections import deque
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Self

MAX_SITEMAPS = 50
_MAX_URL = 2000
_MAX_WAITING_CHARACTERS = 4_000_000
# robots.txt will refuse some of them, and these do not count as requested
_ADMITTED_PER_PAGE = 2
_SPARE = 100


@dataclass(frozen=True, slots=True)
class Visit:
    """An address to visit, its number of links from a start page, and how often it was tried or redirected."""

    url: str
    depth: int = 0
    attempts: int = 0
    sitemap: bool = False


@dataclass(slots=True)
class Frontier:
    """Holds visits in order, sitemaps first. `asked` counts the pages that were requested.

    `not_before` has the time, in seconds since 1970, before which a host must not be asked again.
    """

    max_pages: int
    asked: int = 0
    sitemaps_asked: int = 0
    not_before: dict[str, float] = field(default_factory=dict)
    # visits are lines, so that to encode them is to join them
    _sitemaps: deque[str] = field(default_factory=deque)
    _pages: deque[str] = field(default_factory=deque)
    _done: dict[str, None] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _waiting_characters: int = 0

    def add(self, visit: Visit, *, first: bool = False) -> bool:
        """Adds an address to visit, which is absolute, percent-encoded and without a fragment.

        Returns False if the address is known already or too long, or if the frontier is full.
        """
        if len(visit.url) > _MAX_URL or (self._is_full and not first):
            return False
        key = _key(visit.url)
        if key in self._known:
            return False
        self._known.add(key)
        self._enqueue(visit, first=first)
        return True

    @property
    def _is_full(self) -> bool:
        most = self.max_pages * _ADMITTED_PER_PAGE + MAX_SITEMAPS + _SPARE
        return len(self._known) >= most or self._waiting_characters >= _MAX_WAITING_CHARACTERS

    @property
    def next(self) -> Visit | None:
        """Returns the next visit, or None at the end of the crawl."""
        if self._sitemaps and self.sitemaps_asked < MAX_SITEMAPS:
            return _visit(self._sitemaps[0], sitemap=True)
        return _visit(self._pages[0]) if self._pages and self.asked < self.max_pages else None

    @property
    def unvisited(self) -> str | None:
        """Returns the problem of a finished crawl whose limits left addresses unvisited, or None if it visited all."""
        if self._pages:
            return f"more than the {self.max_pages:,} pages of max_pages were found"
        return f"more than {MAX_SITEMAPS} sitemaps were found" if self._sitemaps else None

    def take(self, visit: Visit, *, counted: bool = True) -> None:
        """Removes the next visit. It is `counted` if the host was asked for it and it will not be tried again."""
        waiting = self._sitemaps if visit.sitemap else self._pages
        waiting.popleft()
        self._waiting_characters -= len(visit.url)
        self._done[_key(visit.url)] = None
        if counted and visit.sitemap:
            self.sitemaps_asked += 1
        elif counted:
            self.asked += 1

    def try_again(self, visit: Visit) -> None:
        """Puts a visit that was taken at the end."""
        self._enqueue(replace(visit, attempts=visit.attempts + 1))

    def forget_passed(self, now: float) -> None:
        """Forgets the hosts whose waiting time has passed."""
        self.not_before = {host: until for host, until in self.not_before.items() if until > now}

    def encode(self) -> str:
        """Encodes the frontier as a cursor."""
        data = {
            "asked": self.asked,
            "sitemaps_asked": self.sitemaps_asked,
            "not_before": self.not_before,
            "sitemaps": "\n".join(self._sitemaps),
            "pages": "\n".join(self._pages),
            "done": "".join(self._done),
        }
        return json.dumps(data, separators=(",", ":"))

    @classmethod
    def decode(cls, cursor: str, max_pages: int) -> Self:
        """Decodes what `encode` encoded."""
        data = json.loads(cursor)
        found = cls(max_pages, data["asked"], data["sitemaps_asked"], data["not_before"])
        done = data["done"]
        found._done = {done[at : at + _KEY_LENGTH]: None for at in range(0, len(done), _KEY_LENGTH)}
        found._known = set(found._done)
        for name in ("sitemaps", "pages"):
            for line in data[name].split():
                visit = _visit(line, sitemap=name == "sitemaps")
                found._known.add(_key(visit.url))
                found._enqueue(visit)
        return found

    def _enqueue(self, visit: Visit, *, first: bool = False) -> None:
        waiting = self._sitemaps if visit.sitemap else self._pages
        line = f"{visit.depth},{visit.attempts},{visit.url}"
        if first:
            waiting.appendleft(line)
        else:
            waiting.append(line)
        self._waiting_characters += len(visit.url)


_KEY_LENGTH = 16


def _visit(line: str, *, sitemap: bool = False) -> Visit:
    depth, attempts, url = line.split(",", 2)
    return Visit(url, int(depth), int(attempts), sitemap)


def _key(url: str) -> str:
    return blake2b(url.encode("utf-8", "surrogatepass"), digest_size=_KEY_LENGTH // 2).hexdigest()
