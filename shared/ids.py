"""Identifiers, injected so that tests can foresee them."""

import re
import secrets
from datetime import datetime
from typing import Protocol

_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
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


def is_job_id(text: str) -> bool:
    """Whether the text is safe as a job's identifier, in paths and in table keys alike."""
    return _JOB_ID.fullmatch(text) is not None
