"""Holds what hosts request in their own files, and says whether they allow the use of an address."""

from dataclasses import dataclass
from typing import Self

from yarl import URL

from shared.records.consent import Answers, Signal
from shared.records.records import Rejected
from shared.web.http.client import WebClient
from shared.web.wishes.ai_txt import AiTxt
from shared.web.wishes.linked_licences import LinkedLicences
from shared.web.wishes.respect import Respect
from shared.web.wishes.robots import Robots
from shared.web.wishes.rsl import RslLicences
from shared.web.wishes.tdm_reservation import TdmReservations


@dataclass(frozen=True, slots=True)
class HostWishes:
    """Holds the files of each host. A process has one object, so that each file is fetched once for all callers."""

    robots: Robots
    reservations: TdmReservations
    ai_txt: AiTxt
    licences: RslLicences
    linked_licences: LinkedLicences

    @classmethod
    def over(cls, web: WebClient) -> Self:
        """Makes an object that fetches the files with this client."""
        robots = Robots(web)
        licences = RslLicences(web, robots)
        linked = LinkedLicences(licences.files)
        return cls(robots, TdmReservations(web), AiTxt(web), licences, linked)

    async def refusal(self, url: URL, respect: Respect, answers: Answers) -> Rejected | None:
        """Returns why a host does not allow the use of an address: a file refuses it, or its host did not answer.

        Notes the answer of each file.

        The first refusal ends the search. All files are fetched at the same time, but for the licences that robots.txt
        names.
        """
        if respect.tdmrep:
            self.reservations.begin(url)
        if respect.ai_txt:
            self.ai_txt.begin(url)
        refusal = await self._refusal_in_robots(url, respect, answers)
        if refusal is None and respect.tdmrep:
            refusal = await self.reservations.refusal(url, answers)
        if refusal is None and respect.ai_txt:
            refusal = await self.ai_txt.refusal(url, answers)
        if refusal is None and respect.rsl:
            refusal = await self.licences.refusal(url, answers)
        return refusal

    async def _refusal_in_robots(self, url: URL, respect: Respect, answers: Answers) -> Rejected | None:
        """Returns why the host's robots.txt does not allow the use of an address: a rule, or a preference in it."""
        if not (respect.robots or respect.aipref or respect.content_signals):
            return None
        file = await self.robots.file(url)
        refusal = await self.robots.refusal_in(file, url, answers) if respect.robots else None
        if refusal is None and respect.aipref:
            refusal = await self.robots.preference_in(file, url, Signal.AIPREF, answers)
        if refusal is None and respect.content_signals:
            refusal = await self.robots.preference_in(file, url, Signal.CONTENT_SIGNALS, answers)
        return refusal
