"""Identifiers, injected so that tests can foresee them."""

import re
import secrets
from typing import Annotated, Protocol

from pydantic import AfterValidator

ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
PLAIN_ID = "must be up to 64 letters, digits, '-' and '_', beginning with a letter or digit"
"""The error text for an id of a job, a dataset or a user that is not valid."""


class Ids(Protocol):
    """Where identifiers come from."""

    def job_id(self) -> str:
        """A new job's identifier."""
        ...

    def nonce(self) -> str:
        """A short word that no other run will come up with."""
        ...


class RandomIds:
    """Identifiers of 96 random bits in hex, nonces of 48."""

    def job_id(self) -> str:
        """See `Ids.job_id`."""
        return secrets.token_hex(12)

    def nonce(self) -> str:
        """See `Ids.nonce`."""
        return secrets.token_hex(6)


def is_plain_id(text: str) -> bool:
    """Whether the text may be the id of a job, a dataset or a user: safe in paths and in table keys alike."""
    return re.fullmatch(ID_PATTERN, text) is not None


def _plain_id(text: str) -> str:
    if not is_plain_id(text):
        raise ValueError(PLAIN_ID)
    return text


type PlainId = Annotated[str, AfterValidator(_plain_id)]
"""The id of a job, a dataset or a user in data from outside."""
