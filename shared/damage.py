"""Turns the errors of reading a blob that the app itself has stored into one error of the app."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import Damaged, NotFound

_UNREADABLE = (
    ArithmeticError,
    EOFError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""The errors that decoders raise: zlib, gzip, JSON, pydantic, NumPy and its archives, conversions of numbers."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Guards a block that reads and decodes a stored blob. `what` names the blob for users, such as "the job's spec".

    The block should do nothing else, because a defect of the app in it would look like damage, too.

    Raises:
        Damaged: the blob is missing, cut short or garbled, or has another structure than expected.
    """
    try:
        yield
    except NotFound:
        raise Damaged(f"Gone from storage: {what}.") from None
    except _UNREADABLE as error:
        raise Damaged(f"Damaged in storage: {what}.") from error
