"""Finds out whether the licences that a response or a page names allow its use (RSL 1.0, 4.5 and 4.6)."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from yarl import URL

from shared.errors import InvalidRequest
from shared.records.consent import Answer, Answers, Signal
from shared.records.reasons import opted_out
from shared.records.records import Rejected
from shared.web.addresses.urls import redirect_url
from shared.web.wishes.host_file import HostFiles
from shared.web.wishes.texts.path_patterns import LongestMatch, OutOfTimeError, comparable_path
from shared.web.wishes.texts.rsl_text import DETAILS, Licence, Terms, read_licence

MOST_OF_A_SITE: Final = 20
"""How many licences the responses and pages of a site may name.

A licence may be on the host of somebody else, who must not get many requests because of this site.
"""

_CHECK_SECONDS: Final = 0.05
_MOST_SITES: Final = 4096
_SECONDS: Final = 3600.0
# each takes a megabyte or two at most
_MOST_COMPILED: Final = 16


class LinkedLicences:
    """Answers from the licences that responses and pages name. `files` fetches each of them once an hour."""

    def __init__(self, files: HostFiles[Licence], check_seconds: float = _CHECK_SECONDS) -> None:
        self._files = files
        self._check_seconds = check_seconds
        self._named: OrderedDict[URL, tuple[float, set[int]]] = OrderedDict()
        self._compiled: OrderedDict[tuple[URL, URL], tuple[Licence, LongestMatch[Terms]]] = OrderedDict()

    async def refusal(
        self, url: URL, names: Sequence[str], answers: Answers, written: Sequence[str] = ()
    ) -> Rejected | None:
        """Returns why a response may not be used, or the images of a page: a licence that it names does not allow it.

        `url` is the address of the response or page, and `names` are the addresses of the licences, as they stand
        there. A page may also have whole licences `written` in it. If the host of a licence does not answer, the
        licence refuses for now. A site that names more than twenty licences in an hour is refused where it names
        further ones.
        """
        urls = addresses(url, names)
        if not self._admit(url.origin(), urls):
            answers.note(Signal.RSL, Answer.REFUSED)
            return opted_out(Signal.RSL, "the site names too many licences to read")
        for each in urls:
            self._files.begin(each)
        found: list[tuple[Licence, LongestMatch[Terms]]] = []
        for each in urls:
            file = await self._files.get(each)
            if file.unreachable is not None:
                answers.note(Signal.RSL, Answer.UNAVAILABLE)
                return file.unreachable
            if file.content is not None:
                found.append((file.content, self._rules(each, file.content, url)))
        for text in written:
            licence = await asyncio.to_thread(read_licence, text.strip().encode("utf-8", "replace"))
            if licence is not None:
                found.append((licence, licence.rules_for(url)))
        try:
            terms = [await self._terms(licence, rules, url) for licence, rules in found]
        except OutOfTimeError:
            answers.note(Signal.RSL, Answer.REFUSED)
            return opted_out(Signal.RSL, "its licence has too many rules to compare")
        return verdict(max(terms, default=Terms.NONE), answers)

    def _admit(self, site: URL, urls: Sequence[URL]) -> bool:
        now = asyncio.get_running_loop().time()
        began, named = self._named.pop(site, (now, set()))
        if now - began > _SECONDS:
            began, named = now, set()
        self._named[site] = began, named
        if len(self._named) > _MOST_SITES:
            self._named.popitem(last=False)
        # addresses may be long, so only their hashes are kept
        hashes = set(map(hash, urls))
        if len(named | hashes) > MOST_OF_A_SITE:
            return False
        named.update(hashes)
        return True

    async def _terms(self, licence: Licence, rules: LongestMatch[Terms], url: URL) -> Terms:
        if licence.unreadable:
            return Terms.UNREADABLE
        return await rules.find(comparable_path(url), self._check_seconds)

    def _rules(self, address: URL, licence: Licence, url: URL) -> LongestMatch[Terms]:
        """Returns the rules of a licence for a site. They are kept, as each image of the site needs them."""
        key = address, url.origin()
        known = self._compiled.pop(key, None)
        # after an hour, the licence is read again
        found = known if known is not None and known[0] is licence else (licence, licence.rules_for(url))
        self._compiled[key] = found
        if len(self._compiled) > _MOST_COMPILED:
            self._compiled.popitem(last=False)
        return found[1]


def addresses(base: URL, names: Iterable[str]) -> Sequence[URL]:
    """Returns the addresses of licences. Names that are no addresses are left out."""
    found: dict[URL, None] = {}
    for name in names:
        with suppress(InvalidRequest):
            found[redirect_url(base, name).with_fragment(None)] = None
    return list(found)


def verdict(terms: Terms, answers: Answers) -> Rejected | None:
    """Returns why these terms refuse, or None. Notes the answer."""
    if terms in DETAILS:
        answers.note(Signal.RSL, Answer.REFUSED)
        return opted_out(Signal.RSL, DETAILS[terms])
    answers.note(Signal.RSL, Answer.ALLOWED if terms is Terms.FREE else Answer.ABSENT)
    return None
