"""Reads the TDM Reservation Protocol's file: which pages and images of a host are reserved from data mining.

Format: TDMRep, W3C Community Group final report of 10 May 2024, "TDM File on the Origin Server". That protocol's
header is read in `shared.web.wishes.opt_out`, and its meta element by the readers of pages.
"""

import asyncio
import json
from dataclasses import dataclass

from yarl import URL

from shared.errors import AppError, Retryable
from shared.web.http.client import WebClient, WebRequest
from shared.web.wishes.path_patterns import (
    ON_THE_LOOP,
    OutOfTimeError,
    PathPattern,
    comparable_path,
    within_time,
)
from shared.web.wishes.per_origin import PerOrigin

_FILE_BYTES = 512_000
_FILE_SECONDS = 10.0
_CHECK_SECONDS = 0.05
# to parse so many bytes takes a millisecond
_PARSED_ON_THE_LOOP = 10_000
_BYTES_OF_A_RULE = 300


@dataclass(frozen=True, slots=True)
class _Rules:
    """A file's rules in order: which paths, and whether they are reserved.

    `rules` is None if the host did not answer. `weight` is the cost of comparing a path with all of them, for each of
    its characters.
    """

    rules: tuple[tuple[PathPattern, bool], ...] | None = ()
    weight: int = 0

    def reserve(self, path: str, seconds: float) -> bool:
        """Whether the path is reserved. The first rule that matches decides."""
        rules = within_time(self.rules or (), seconds)
        return next((reserved for pattern, reserved in rules if pattern.matches(path)), False)


class TdmReservations:
    """Fetches the hosts' /.well-known/tdmrep.json files, keeps each for a while, and answers from them.

    A URL that cannot be compared with the rules within `check_seconds` of processor time counts as reserved.
    """

    def __init__(self, web: WebClient, check_seconds: float = _CHECK_SECONDS) -> None:
        self._web = web
        self._check_seconds = check_seconds
        self._rules = PerOrigin(self._fetch, _size_bytes, transient=lambda found: found.rules is None)

    def begin(self, url: URL) -> None:
        """Starts to fetch the host's file, and does not wait for it."""
        self._rules.begin(url)

    async def refusal(self, url: URL) -> str | None:
        """Why the URL counts as reserved, or None if the host's file does not reserve it, or there is no file.

        A file that cannot be fetched reserves nothing, for a minute. The protocol makes the file one of several
        places, and the response's own header is checked in any case.
        """
        found = await self._rules.get(url)
        if not found.rules:
            return None
        path = comparable_path(url)
        try:
            if found.weight * len(path) <= ON_THE_LOOP:
                reserved = found.reserve(path, self._check_seconds)
            else:
                reserved = await asyncio.to_thread(found.reserve, path, self._check_seconds)
        except OutOfTimeError:
            return "tdmrep.json has too many rules to compare"
        return "tdmrep.json reserves it" if reserved else None

    async def _fetch(self, origin: str) -> _Rules:
        address = f"{origin}/.well-known/tdmrep.json"
        try:
            response = await self._web.send(
                WebRequest(address, max_bytes=_FILE_BYTES, timeout_seconds=_FILE_SECONDS)
            )
        except Retryable:
            return _Rules(None)
        except AppError:
            return _Rules()
        if response.status >= 500:
            return _Rules(None)
        if response.status != 200:
            return _Rules()
        if len(response.body) <= _PARSED_ON_THE_LOOP:
            return _read(response.body)
        return await asyncio.to_thread(_read, response.body)


def _read(body: bytes) -> _Rules:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return _Rules()
    rules: list[tuple[PathPattern, bool]] = []
    for item in found if isinstance(found, list) else ():
        fields = item if isinstance(item, dict) else {}
        location, reservation = fields.get("location"), str(fields.get("tdm-reservation"))
        if isinstance(location, str) and reservation in {"0", "1"}:
            rules.append((PathPattern.read(location.strip()), reservation == "1"))
    return _Rules(tuple(rules), sum(pattern.weight for pattern, _ in rules))


def _size_bytes(found: _Rules) -> int:
    return found.weight + _BYTES_OF_A_RULE * len(found.rules or ())
