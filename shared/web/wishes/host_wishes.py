"""What the hosts' own files ask for: robots.txt and the TDM Reservation Protocol's file."""

from dataclasses import dataclass
from typing import Self

from shared.web.http.client import WebClient
from shared.web.wishes.robots import Robots
from shared.web.wishes.tdm_reservation import TdmReservations


@dataclass(frozen=True, slots=True)
class HostWishes:
    """Both files of each host. One object a process: each file is fetched once, whoever asks for it."""

    robots: Robots
    reservations: TdmReservations

    @classmethod
    def over(cls, web: WebClient) -> Self:
        """The files, fetched with this client."""
        return cls(Robots(web), TdmReservations(web))
