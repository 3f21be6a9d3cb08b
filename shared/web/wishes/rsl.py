"""Finds out whether the licences that a host's robots.txt names allow the use (RSL 1.0, rslstandard.org)."""

from dataclasses import dataclass
from typing import Final

from yarl import URL

from shared.records.consent import Answer, Answers, Signal
from shared.records.reasons import opted_out
from shared.records.records import Rejected
from shared.web.http.client import WebClient
from shared.web.wishes.host_file import FileKind, HostFiles
from shared.web.wishes.linked_licences import addresses, verdict
from shared.web.wishes.per_origin import PerOrigin
from shared.web.wishes.robots import Robots
from shared.web.wishes.texts.path_patterns import LongestMatch, OutOfTimeError, comparable_path
from shared.web.wishes.texts.rsl_text import MAX_BYTES, Licence, Terms, read_licence

_CHECK_SECONDS: Final = 0.05
_BYTES_OF_A_FILE: Final = 1_000
_KEPT_BYTES: Final = 40_000_000


@dataclass(frozen=True, slots=True)
class _Licences:
    """The rules of a host's licences, or the reason for which they are not known."""

    rules: tuple[LongestMatch[Terms], ...] = ()
    unreadable: bool = False
    unreachable: Rejected | None = None

    @property
    def size_bytes(self) -> int:
        return sum(_BYTES_OF_A_FILE + rules.size_bytes for rules in self.rules)


class RslLicences:
    """Fetches the licences that hosts name, keeps each for a while, and answers from them.

    A licence that many hosts name is fetched once, by `files`. A URL that cannot be compared with the licences within
    `check_seconds` of processor time counts as refused.
    """

    def __init__(self, web: WebClient, robots: Robots, check_seconds: float = _CHECK_SECONDS) -> None:
        self._robots = robots
        self._check_seconds = check_seconds
        kind = FileKind[Licence]("RSL licence", MAX_BYTES, read_licence, lambda found: found.size_bytes)
        self.files = HostFiles(web, kind, None)
        self._licences = PerOrigin(
            self._collect,
            lambda found: found.size_bytes,
            transient=lambda found: found.unreachable is not None,
            max_bytes=_KEPT_BYTES,
        )

    async def refusal(self, url: URL, answers: Answers) -> Rejected | None:
        """Returns why the URL may not be used: a licence does not allow it for free, or a host did not answer."""
        found = await self._licences.get(url)
        if found.unreachable is not None:
            answers.note(Signal.RSL, Answer.UNAVAILABLE)
            return found.unreachable
        try:
            terms = Terms.UNREADABLE if found.unreadable else await self._terms(found, url)
        except OutOfTimeError:
            answers.note(Signal.RSL, Answer.REFUSED)
            return opted_out(Signal.RSL, "its licence has too many rules to compare")
        return verdict(terms, answers)

    async def _terms(self, found: _Licences, url: URL) -> Terms:
        """Returns the strictest terms of all licences."""
        if not found.rules:
            return Terms.NONE
        path = comparable_path(url)
        return max([await rules.find(path, self._check_seconds) for rules in found.rules])

    async def _collect(self, origin: str) -> _Licences:
        site = URL(origin)
        robots = await self._robots.file(site)
        if robots.unreachable is not None:
            return _Licences(unreachable=robots.unreachable)
        rules: list[LongestMatch[Terms]] = []
        unreadable = False
        urls = addresses(site / "robots.txt", robots.content.licenses if robots.content is not None else ())
        for url in urls:
            self.files.begin(url)
        for url in urls:
            file = await self.files.get(url)
            if file.unreachable is not None:
                return _Licences(unreachable=file.unreachable)
            if file.content is not None:
                unreadable = unreadable or file.content.unreadable
                rules.append(file.content.rules_for(site))
        return _Licences(tuple(rules), unreadable)
