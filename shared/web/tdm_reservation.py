"""The TDM Reservation Protocol's file: which of a host's pages and images are reserved from text and data mining.

Format: TDMRep, W3C Community Group final report of 10 May 2024, "TDM File on the Origin Server". The header and the
meta element of that protocol are read in `shared.web.opt_out` and by whoever reads pages.
"""

import json
import re
import sys
from dataclasses import dataclass

from yarl import URL

from shared.errors import AppError, Retryable
from shared.web.client import WebClient, WebRequest
from shared.web.per_origin import PerOrigin

_FILE_BYTES = 512_000
_FILE_SECONDS = 10.0
_MAX_RULES = 1000
_MAX_LOCATION = 1000


@dataclass(frozen=True, slots=True)
class _Rule:
    """Whether what matches `location` is reserved: a path's beginning, with `*` and a final `$` as in robots.txt."""

    location: str
    reserved: bool

    def matches(self, path: str) -> bool:
        """Each piece between stars is looked for behind the one before: linear, whatever the pattern."""
        anchored = self.location.endswith("$")
        first, *others = _unquoted(self.location.removesuffix("$")).split("*")
        if not path.startswith(first):
            return False
        at = len(first)
        last = others.pop() if anchored and others else None
        for piece in others:
            found = path.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        if last is not None:
            return len(path) - at >= len(last) and path.endswith(last)
        return not anchored or at == len(path)


class TdmReservations:
    """Answers from the hosts' /.well-known/tdmrep.json, each fetched once and kept for a while."""

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._rules = PerOrigin(self._fetch, _size_bytes, passing=lambda rules: rules is None)

    def begin(self, url: URL) -> None:
        """Have the host's file fetched, without waiting for it."""
        self._rules.begin(url)

    async def reserved(self, url: URL) -> bool:
        """Whether the host's file reserves the URL; the first rule that matches decides. No file reserves nothing.

        Nor does one that cannot be had, for a minute: the protocol makes the file one of several places, and the
        answer's own header is looked at in any case.
        """
        rules = await self._rules.get(url)
        path = _unquoted(URL(str(url)).raw_path_qs) if rules else ""  # in the library's spelling
        return next((rule.reserved for rule in rules or () if rule.matches(path)), False)

    async def _fetch(self, origin: str) -> tuple[_Rule, ...] | None:
        """The rules; None where the host does not answer, or fails to."""
        address = f"{origin}/.well-known/tdmrep.json"
        try:
            response = await self._web.send(
                WebRequest(address, max_bytes=_FILE_BYTES, timeout_seconds=_FILE_SECONDS)
            )
        except Retryable:
            return None
        except AppError:
            return ()
        if response.status >= 500:
            return None
        return _rules(response.body) if response.status == 200 else ()


def _rules(body: bytes) -> tuple[_Rule, ...]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    rules: list[_Rule] = []
    for item in found[:_MAX_RULES] if isinstance(found, list) else ():
        fields = item if isinstance(item, dict) else {}
        location, reservation = fields.get("location"), str(fields.get("tdm-reservation"))
        if isinstance(location, str) and len(location) <= _MAX_LOCATION and reservation in {"0", "1"}:
            rules.append(_Rule(location.strip(), reservation == "1"))
    return tuple(rules)


def _size_bytes(rules: tuple[_Rule, ...] | None) -> int:
    return sum(sys.getsizeof(rule.location) for rule in rules or ())


def _unquoted(path: str) -> str:
    """Percent-encoded unreserved characters (RFC 3986) as themselves; everything else as it is."""
    return re.sub(
        r"%(4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|3[0-9]|2D|2E|5F|7E)",
        lambda found: chr(int(found[1], 16)),
        path,
        flags=re.IGNORECASE,
    )
