"""Identifiers, from an object that tests can replace."""

import hashlib
import re
import secrets
from typing import Annotated, Protocol

from pydantic import AfterValidator

ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
PLAIN_ID = "must be up to 64 letters, digits, '-' and '_', beginning with a letter or digit"
"""The error text for an id of a job, a dataset or a user that is not valid."""
_JOB_ID_BYTES = 12


class Ids(Protocol):
    """A source of new identifiers."""

    def job_id(self) -> str:
        """Returns the id of a new job."""
        ...

    def nonce(self) -> str:
        """Returns a short text that no other run uses."""
        ...


class RandomIds:
    """Makes random identifiers in hexadecimal: ids of 96 bits, nonces of 48 bits."""

    def job_id(self) -> str:
        """See `Ids.job_id`."""
        return secrets.token_hex(_JOB_ID_BYTES)

    def nonce(self) -> str:
        """See `Ids.nonce`."""
        return secrets.token_hex(6)


def keyed_job_id(user_id: str, key: str) -> str:
    """Returns the id of the job that a user submits with this key. It looks like a random id.

    The same key of the same user always has the same id. Any other pair has another id, since nobody finds two pairs
    whose digests begin with the same 96 bits by chance.
    """
    # the length says where the user's id ends
    pair = f"{len(user_id)}:{user_id}{key}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(pair).hexdigest()[: 2 * _JOB_ID_BYTES]


def is_plain_id(text: str) -> bool:
    """Returns whether a text is a valid id of a job, a dataset or a user. Such ids are safe in paths and table keys."""
    return re.fullmatch(ID_PATTERN, text) is not None


def _plain_id(text: str) -> str:
    if not is_plain_id(text):
        raise ValueError(PLAIN_ID)
    return text


type PlainId = Annotated[str, AfterValidator(_plain_id)]
"""The id of a job, a dataset or a user in data from outside."""
