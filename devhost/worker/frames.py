"""The frames between host and worker: four bytes of length, and a pickle.

Both ends are ours, of one user and one installation, over a socket pair that nobody else has.
"""

import pickle
import struct
from dataclasses import dataclass
from typing import Any

from devhost.functions import Function, Invocation, Outcome

HEADER = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The worker is ready with these functions, or `error` says why it is not."""

    functions: tuple[Function, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A line that the app logged."""

    level: int
    category: str
    text: str
    invocation_id: str | None


@dataclass(frozen=True, slots=True)
class Stop:
    """The worker shall end in good order."""


type Frame = Loaded | Logged | Stop | Invocation | Outcome


def encode(frame: Frame) -> bytes:
    """A frame with its header."""
    body = pickle.dumps(frame, pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> Any:
    """The frame in a body."""
    return pickle.loads(body)  # noqa: S301 - see the module's docstring
