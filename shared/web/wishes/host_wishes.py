"""Holds what hosts request in their own files: robots.txt and the TDM Reservation Protocol's file."""

from dataclasses import dataclass
from typing import Self

from shared.web.http.client import WebClient
from shared.web.wishes.robots import Robots
from shared.web.wishes.tdm_reservation import TdmReservations


@dataclass(frozen=True, slots=True)
class HostWishes:
    """Holds both files of each host. A process has one object, so that each file is fetched once for all callers."""

    robots: Robots
    reservations: TdmReservations

    @classmethod
    def over(cls, web: WebClient) -> Self:
        """Makes an object that fetches the files with this client."""
        return cls(Robots(web), TdmReservations(web))
