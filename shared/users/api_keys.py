"""Writes and reads API keys: `pxc_<prefix>_<secret>`.

The prefix is public. It has the id of the user (16 characters) and of the key (6 characters), so one query finds both.
The secret has 256 random bits as 43 characters of base 62. A checksum of 6 characters follows, the CRC-32 of everything
before it. So a key that was cut or mistyped is refused without reading storage, and tools that search for leaked
secrets recognise keys. Only the SHA-256 of the secret is stored. A slow hash is not needed, because nobody can guess
256 random bits.
"""

import hashlib
import hmac
import re
import string
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.users.caller import UNMARKED, CallMark, Scope

ID_CHARACTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""The characters of the ids of users and keys: Crockford's base 32, whose characters do not look alike."""
USER_ID_LENGTH: Final = 16
KEY_ID_LENGTH: Final = 6
SECRET_BYTES: Final = 32

_ID = f"[{ID_CHARACTERS}]"
_FORM = re.compile(
    rf"pxc_({_ID}{{{USER_ID_LENGTH}}})({_ID}{{{KEY_ID_LENGTH}}})_([0-9A-Za-z]{{43}})([0-9A-Za-z]{{6}})"
)
_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as a caller sent it. `digest` is the SHA-256 of its secret, in hex."""

    user_id: str
    key_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored, without its secret. A key without `expires_at` does not expire.

    `granted_by` is the user whose key made this one, if it was another user. The keys that a user makes with this key
    for the same user have the same `granted_by`. It is the user itself if no key of others stands behind the key.
    `made_by` is the call that made it.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    granted_by: str = ""
    made_by: CallMark = UNMARKED

    def matches(self, presented: PresentedKey) -> bool:
        """Returns whether the secrets are the same. They are compared in constant time."""
        return hmac.compare_digest(self.digest, presented.digest)

    def is_valid(self, now: datetime) -> bool:
        """Returns whether the key has not expired."""
        return self.expires_at is None or now < self.expires_at


def write_key(user_id: str, key_id: str, secret: bytes) -> str:
    """Returns the text of a key with this secret of 32 bytes."""
    body = f"pxc_{user_id}{key_id}_{_base_62(int.from_bytes(secret), 43)}"
    return body + _checksum(body)


def new_id(random: bytes) -> str:
    """Returns an id of a user or a key, with a character for each random byte."""
    return "".join(ID_CHARACTERS[byte % len(ID_CHARACTERS)] for byte in random)


def prefix_of(user_id: str, key_id: str) -> str:
    """Returns the public part of a key, which may be shown."""
    return f"pxc_{user_id}{key_id}"


def read_key(text: str) -> PresentedKey | None:
    """Reads the text of a key; returns None if its form or its checksum is wrong."""
    found = _FORM.fullmatch(text)
    if found is None or not hmac.compare_digest(_checksum(text[:-6]), found[4]):
        return None
    return PresentedKey(found[1], found[2], digest_of(found[3]))


def digest_of(secret: str) -> str:
    """Returns the SHA-256, in hex, of a secret as it is written in its key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(text: str) -> str:
    return _base_62(zlib.crc32(text.encode()), 6)


def _base_62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_BASE_62))
        digits.append(_BASE_62[digit])
    return "".join(reversed(digits))
