"""Which pages of a website are still to be asked for, and which were seen: all that a crawl has to remember.

A crawl asks for so many pages at most and takes them in the order in which it found them, so that of all links only
the first so many can ever matter: the frontier is bounded however many links there are. It is the source's cursor.
"""

import json
from collections import deque
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Self

MAX_SITEMAPS = 50
_MAX_URL = 2000
_MAX_WAITING_CHARACTERS = 4_000_000
_ADMITTED_PER_PAGE = 2  # some will be refused by robots.txt, and are not counted as asked for
_SPARE = 100


@dataclass(frozen=True, slots=True)
class Visit:
    """An address to ask for: how many links it is away from a start page, and how often it was tried or moved."""

    url: str
    depth: int = 0
    attempts: int = 0
    sitemap: bool = False


@dataclass(slots=True)
class Frontier:
    """Visits in their order, sitemaps first. `asked` counts the pages that were asked for.

    `not_before` are the moments, in seconds since 1970, until when hosts want to be left alone.
    """

    max_pages: int
    asked: int = 0
    sitemaps_asked: int = 0
    not_before: dict[str, float] = field(default_factory=dict)
    _sitemaps: deque[str] = field(
        default_factory=deque
    )  # visits as lines, so that encoding them is joining them
    _pages: deque[str] = field(default_factory=deque)
    _done: dict[str, None] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _waiting_characters: int = 0

    def add(self, visit: Visit, *, first: bool = False) -> bool:
        """Remember an address to visit, absolute, percent-encoded and without a fragment.

        False where it is known already, or is too long, or where the visit could not be made in the end.
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
        """What to visit next; None where the crawl is at its end."""
        if self._sitemaps and self.sitemaps_asked < MAX_SITEMAPS:
            return _visit(self._sitemaps[0], sitemap=True)
        return _visit(self._pages[0]) if self._pages and self.asked < self.max_pages else None

    @property
    def left(self) -> str | None:
        """What a crawl at its end leaves: addresses that wait beyond what it may ask for; None where it leaves none."""
        if self._pages:
            return f"more than the {self.max_pages:,} pages of max_pages were found"
        return f"more than {MAX_SITEMAPS} sitemaps were found" if self._sitemaps else None

    def take(self, visit: Visit, *, counted: bool = True) -> None:
        """The next visit is made; `counted` where the host was asked for it, and it will not be tried again."""
        waiting = self._sitemaps if visit.sitemap else self._pages
        waiting.popleft()
        self._waiting_characters -= len(visit.url)
        self._done[_key(visit.url)] = None
        if counted and visit.sitemap:
            self.sitemaps_asked += 1
        elif counted:
            self.asked += 1

    def try_again(self, visit: Visit) -> None:
        """Put a visit that was taken to the end."""
        self._enqueue(replace(visit, attempts=visit.attempts + 1))

    def forget_passed(self, now: float) -> None:
        """Forget hosts that need not be waited for any more."""
        self.not_before = {host: until for host, until in self.not_before.items() if until > now}

    def encode(self) -> str:
        """As a cursor."""
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
        """The reverse of `encode`."""
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
