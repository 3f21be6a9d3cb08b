"""One error for all that the app itself has stored and cannot read again, whatever its decoder raises."""

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
"""What decoders raise: zlib, gzip, JSON, pydantic, NumPy and its archives, conversions of numbers."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Read and decode a stored blob within this. `what` names it for the job's owner, such as "the job's spec".

    Only reading and decoding belong here, because a mistake in the app's own code would look like damage, too.

    Raises:
        Damaged: it is not there, or it is cut short, garbled or of another shape.
    """
    try:
        yield
    except NotFound:
        raise Damaged(f"Gone from storage: {what}.") from None
    except _UNREADABLE as error:
        raise Damaged(f"Damaged in storage: {what}.") from error
