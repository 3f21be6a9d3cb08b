"""Reads robots.txt (RFC 9309): which URLs may be fetched, how often, and where the sitemaps are."""

import codecs

from yarl import URL

from shared.records.consent import Answer, Answers, Signal
from shared.records.reasons import opted_out
from shared.records.records import Reason, Rejected
from shared.web.http.client import WebClient
from shared.web.wishes.declared import AGENT_TOKEN
from shared.web.wishes.host_file import FileKind, HostFile, HostFiles
from shared.web.wishes.texts.path_patterns import LongestMatch, OutOfTimeError, comparable_path
from shared.web.wishes.texts.preferences import Preference
from shared.web.wishes.texts.robots_text import RobotsText, read_robots

# RFC 9309, 2.5, asks a crawler to read at least this much; the rest is ignored
_ROBOTS_BYTES = 500 * 1024
_CHECK_SECONDS = 0.05
_WORDS = {Signal.AIPREF: "Content-Usage", Signal.CONTENT_SIGNALS: "Content-Signal"}


class Robots:
    """Fetches the hosts' robots.txt files, keeps each for a while, and answers from them.

    A client error (a 404, for example) allows everything. A server error, or no answer, forbids everything for a
    minute. A URL that cannot be compared with the rules within `check_seconds` of processor time is forbidden.
    """

    def __init__(self, web: WebClient, check_seconds: float = _CHECK_SECONDS) -> None:
        self._check_seconds = check_seconds
        kind = FileKind("robots.txt", _ROBOTS_BYTES, parse, lambda said: said.size_bytes)
        self._files = HostFiles(web, kind, "/robots.txt")

    def begin(self, url: URL) -> None:
        """Starts to fetch the host's file, and does not wait for it."""
        self._files.begin(url)

    async def file(self, url: URL) -> HostFile[RobotsText]:
        """Returns the host's file."""
        return await self._files.get(url)

    async def allow(self, url: URL) -> bool:
        """Whether the URL may be fetched."""
        return await self.refusal(url) is None

    async def refusal(self, url: URL, answers: Answers | None = None) -> Rejected | None:
        """Why the URL may not be fetched: it is forbidden, or its host did not serve the rules for a reason."""
        return await self.refusal_in(await self._files.get(url), url, answers or Answers())

    async def refusal_in(self, file: HostFile[RobotsText], url: URL, answers: Answers) -> Rejected | None:
        """Returns what `refusal` returns, from a file of the host that was fetched already."""
        said = file.content
        if said is None:
            return file.note_absence(Signal.ROBOTS, answers)
        try:
            allowed = await said.rules.find(comparable_path(url), self._check_seconds)
        except OutOfTimeError:
            answers.note(Signal.ROBOTS, Answer.REFUSED)
            return Rejected(Reason.ROBOTS_DENIED, f"{url.host}: its robots.txt has too many rules to compare")
        answers.note(Signal.ROBOTS, Answer.ALLOWED if allowed else Answer.REFUSED)
        if allowed:
            return None
        cut = f" (only the first {_ROBOTS_BYTES // 1024} KiB of its robots.txt are read)" if said.cut else ""
        return Rejected(Reason.ROBOTS_DENIED, f"{url.host}{cut}")

    async def preference_in(
        self, file: HostFile[RobotsText], url: URL, signal: Signal, answers: Answers
    ) -> Rejected | None:
        """Returns why a preference in the host's file refuses the URL.

        It is Content-Usage if the signal is AIPREF, or else Content-Signal.
        """
        said = file.content
        if said is None:
            return file.note_absence(signal, answers)
        rules: LongestMatch[Preference] = said.usage if signal is Signal.AIPREF else said.signals
        if not rules:
            answers.note(signal, Answer.ABSENT)
            return None
        try:
            found = await rules.find(comparable_path(url), self._check_seconds)
        except OutOfTimeError:
            answers.note(signal, Answer.REFUSED)
            return opted_out(signal, "robots.txt has too many rules to compare")
        answers.note(signal, found.answer)
        if found is Preference.DISALLOWED:
            return opted_out(signal, f"{_WORDS[signal]} in robots.txt does not allow the training of AI")
        return None

    async def crawl_delay(self, url: URL) -> float | None:
        """Seconds that the host asks for between our requests, or None if it does not ask."""
        said = (await self._files.get(url)).content
        return said.crawl_delay if said is not None else None

    async def sitemaps(self, url: URL) -> tuple[str, ...]:
        """The first fifty sitemaps that the host names, as it wrote them."""
        said = (await self._files.get(url)).content
        return said.sitemaps if said is not None else ()


def parse(body: bytes) -> RobotsText:
    """Parses a file. This takes up to half a second for the largest files, so it must not run on the event loop."""
    # the RFC allows UTF-8 only
    wide = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = body.decode("utf-16" if wide else "utf-8-sig", "replace")
    cut = len(body) == _ROBOTS_BYTES
    if cut:
        # half a line could forbid more than the whole line does
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    return read_robots(AGENT_TOKEN, text, cut=cut)
