"""Defines an opt-out: what somebody has asked the operator not to use."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import InvalidRequest
from shared.web.addresses.urls import address_key, parse_url

_ID_DIGITS = 24
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PERCEPTUAL_HASH = re.compile(r"[0-9a-f]{16}")


class OptOutKind(StrEnum):
    """What an opt-out names. `HOST` is a host with its subdomains, `URL` an image or the page that shows it."""

    URL = "url"
    HOST = "host"
    SHA256 = "sha256"
    PERCEPTUAL_HASH = "perceptual_hash"


@dataclass(frozen=True, slots=True)
class OptOut:
    """One opt-out. `value` is in normal form (`normal_value`).

    For a perceptual hash, images are opted out whose hashes differ in at most `distance` bits; for others it is 0.
    """

    kind: OptOutKind
    value: str
    distance: int
    created_at: datetime
    created_by: str

    @property
    def id(self) -> str:
        """The id, which is the same for all opt-outs that name the same."""
        return id_of(self.kind, self.value)


def id_of(kind: OptOutKind, value: str) -> str:
    """Returns the id of the opt-out that names this value in normal form."""
    return hashlib.sha256(f"{kind} {value}".encode()).hexdigest()[:_ID_DIGITS]


def normal_value(kind: OptOutKind, text: str) -> str:
    """Returns the value in the form in which values are compared.

    Raises:
        InvalidRequest: the text is no such value.
    """
    if kind is OptOutKind.URL:
        parse_url(text)
        return address_key(text)
    if kind is OptOutKind.HOST:
        host = parse_url(f"http://{text.strip()}/").raw_host
        if host is None or "/" in text or "@" in text or host.strip(".") == "":
            raise InvalidRequest(
                "The host must be a name or an address, such as example.org, without a path."
            )
        return host.lower().rstrip(".")
    pattern = _SHA256 if kind is OptOutKind.SHA256 else _PERCEPTUAL_HASH
    value = text.strip().lower()
    if not pattern.fullmatch(value):
        digits = 64 if kind is OptOutKind.SHA256 else 16
        raise InvalidRequest(f"The {kind} must be {digits} hexadecimal digits.")
    return value
