"""The frames between host and worker: four bytes of length, and a pickle of nothing but our own types and plain values.

A function may hand over a text of a class of its own, such as a StrEnum: it travels as the plain text, because the
host must not import the app to read it.
"""

import io
import pickle
import struct
from dataclasses import dataclass
from typing import Any

from devhost.functions import Function, Invocation, Outcome

HEADER = struct.Struct(">I")
_PLAIN = {("builtins", name) for name in ("str", "bytes", "int", "float")}


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


type Frame = Loaded | Logged | Invocation | Outcome


def encode(frame: Frame) -> bytes:
    """A frame with its header."""
    body = io.BytesIO()
    _Pickler(body, pickle.HIGHEST_PROTOCOL).dump(frame)
    return HEADER.pack(body.tell()) + body.getbuffer()


def decode(body: bytes) -> Any:
    """The frame in a body.

    Raises:
        pickle.UnpicklingError: it holds what is neither ours nor plain.
    """
    return _Unpickler(io.BytesIO(body)).load()


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        for plain in (str, bytes, int, float):
            if isinstance(value, plain):
                return plain, plain.__getnewargs__(value)  # type: ignore[arg-type]
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("devhost.") or (module, name) in _PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a frame")
