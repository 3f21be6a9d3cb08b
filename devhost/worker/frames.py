"""The frames between host and worker: four bytes of length and a pickle of devhost's types and plain values.

A function may return a text of its own class, such as a StrEnum. It is sent as plain text, because the host must not
import the app.
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
    """The functions of the app that the worker has loaded, or the `error` why it could not."""

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
    """Returns a frame with its header."""
    body = io.BytesIO()
    _Pickler(body, pickle.HIGHEST_PROTOCOL).dump(frame)
    return HEADER.pack(body.tell()) + body.getbuffer()


def decode(body: bytes) -> Any:
    """Returns the frame in a body.

    Raises:
        pickle.UnpicklingError: the body has a type that is neither devhost's nor plain.
    """
    return _Unpickler(io.BytesIO(body)).load()


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        for plain in (str, bytes, int, float):
            if isinstance(value, plain):
                # mypy does not see that `plain` is the type of the value
                return plain, plain.__getnewargs__(value)  # type: ignore[arg-type]
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("devhost.") or (module, name) in _PLAIN:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not a type of frames")
