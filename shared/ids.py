"""Identifiers, injected so that tests can foresee them."""

import re
import secrets
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import AfterValidator

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
PLAIN_ID = "must be up to 64 letters, digits, '-' and '_', beginning with a letter or digit"
"""What an id of a job, a dataset or a user is, told to whoever sent another text."""
_MOST_MILLISECONDS = (1 << 48) - 1


class Ids(Protocol):
    """Where identifiers come from."""

    def job_id(self, now: datetime) -> str:
        """A new job's identifier; a later job's sorts before an earlier one's, so that lists begin with the newest."""
        ...

    def nonce(self) -> str:
        """A short word that no other run will come up with."""
        ...


class RandomIds:
    """Identifiers of 48 bits of inverted time and 48 random bits, in hex; nonces of 48 random bits."""

    def job_id(self, now: datetime) -> str:
        """See `Ids.job_id`."""
        return f"{_MOST_MILLISECONDS - int(now.timestamp() * 1000):012x}{secrets.token_hex(6)}"

    def nonce(self) -> str:
        """See `Ids.nonce`."""
        return secrets.token_hex(6)


def is_plain_id(text: str) -> bool:
    """Whether the text may be the id of a job, a dataset or a user: safe in paths and in table keys alike."""
    return _PLAIN.fullmatch(text) is not None


def _plain_id(text: str) -> str:
    if not is_plain_id(text):
        raise ValueError(PLAIN_ID)
    return text


type PlainId = Annotated[str, AfterValidator(_plain_id)]
"""The id of a job, a dataset or a user in data from outside."""
