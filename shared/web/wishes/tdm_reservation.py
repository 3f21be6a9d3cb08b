"""Reads the TDM Reservation Protocol's file: which pages and images of a host are reserved from data mining.

Format: TDMRep, W3C Community Group final report of 10 May 2024, "TDM File on the Origin Server". That protocol's
header is read in `shared.web.wishes.declared`, and its meta element by the readers of pages.
"""

import asyncio
import json
from dataclasses import dataclass

from yarl import URL

from shared.records.consent import Answer, Answers, Signal
from shared.records.reasons import opted_out
from shared.records.records import Rejected
from shared.web.http.client import WebClient
from shared.web.wishes.host_file import FileKind, HostFiles
from shared.web.wishes.texts.path_patterns import (
    ON_THE_LOOP,
    OutOfTimeError,
    PathPattern,
    comparable_path,
    within_time,
)

_FILE_BYTES = 512_000
_CHECK_SECONDS = 0.05
_BYTES_OF_A_RULE = 300
_RESERVATION = "tdm-reservation"
# the format has numbers only
_RESERVATIONS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


@dataclass(frozen=True, slots=True)
class _Rules:
    """A file's rules in order: which paths, and whether they are reserved.

    `weight` is the cost of comparing a path with all of them, for each of its characters.
    """

    rules: tuple[tuple[PathPattern, bool], ...]
    weight: int

    def answer(self, path: str, seconds: float) -> Answer:
        """Whether the path is reserved. The first rule that matches decides."""
        for pattern, reserved in within_time(self.rules, seconds):
            if pattern.matches(path):
                return Answer.REFUSED if reserved else Answer.ALLOWED
        return Answer.ABSENT


class TdmReservations:
    """Fetches the hosts' /.well-known/tdmrep.json files, keeps each for a while, and answers from them.

    A URL that cannot be compared with the rules within `check_seconds` of processor time counts as reserved.
    """

    def __init__(self, web: WebClient, check_seconds: float = _CHECK_SECONDS) -> None:
        self._check_seconds = check_seconds
        kind = FileKind("tdmrep.json", _FILE_BYTES, _read, _size_bytes)
        self._files = HostFiles(web, kind, "/.well-known/tdmrep.json")

    def begin(self, url: URL) -> None:
        """Starts to fetch the host's file, and does not wait for it."""
        self._files.begin(url)

    async def refusal(self, url: URL, answers: Answers | None = None) -> Rejected | None:
        """Returns why the URL may not be used: its host's file reserves it, or the host did not answer."""
        answers = answers or Answers()
        file = await self._files.get(url)
        found = file.content
        if found is None:
            return file.note_absence(Signal.TDMREP, answers)
        path = comparable_path(url)
        try:
            if found.weight * len(path) <= ON_THE_LOOP:
                answer = found.answer(path, self._check_seconds)
            else:
                answer = await asyncio.to_thread(found.answer, path, self._check_seconds)
        except OutOfTimeError:
            answers.note(Signal.TDMREP, Answer.REFUSED)
            return opted_out(Signal.TDMREP, "tdmrep.json has too many rules to compare")
        answers.note(Signal.TDMREP, answer)
        return opted_out(Signal.TDMREP, "tdmrep.json reserves it") if answer is Answer.REFUSED else None


def _read(body: bytes) -> _Rules | None:
    """Reads a file. A file of another form states nothing, but one that is damaged or too long reserves everything."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        if body.lstrip()[:1] == b"<" or _RESERVATION.encode() not in body.lower():
            return None
        found = [{"location": "/", _RESERVATION: 1}]
    rules: list[tuple[PathPattern, bool]] = []
    for item in found if isinstance(found, list) else [found]:
        fields = {key.lower(): value for key, value in item.items()} if isinstance(item, dict) else {}
        location, reservation = fields.get("location"), _RESERVATIONS.get(_word(fields.get(_RESERVATION)))
        if isinstance(location, str) and reservation is not None:
            rules.append((PathPattern.read(_path(location.strip())), reservation))
    return _Rules(tuple(rules), sum(pattern.weight for pattern, _ in rules)) if rules else None


def _word(value: object) -> str:
    """Returns a scalar of JSON as a word. A list or an object is no value."""
    return str(value).strip().lower() if isinstance(value, str | float | int) else ""


def _path(location: str) -> str:
    """Returns a location as a pattern of paths. Some owners write whole addresses, or leave out the first slash."""
    scheme, address, rest = location.partition("://")
    if address and scheme.lower() in {"http", "https"}:
        _, slash, path = rest.partition("/")
        return slash + path
    return location if location[:1] in {"", "/", "*"} else f"/{location}"


def _size_bytes(found: _Rules) -> int:
    return found.weight + _BYTES_OF_A_RULE * len(found.rules)
