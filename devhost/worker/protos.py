"""The message types of the worker library as plain classes, without gRPC and protobuf.

They follow FunctionRpc.proto of azure-functions-language-worker-protobuf, as far as the library uses it.
"""

from typing import Any, ClassVar


class Message:
    """A message with any fields. A field without a value is None."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class TypedData:
    """One value of one of several types. The library tests that it has no attribute with the name of its class."""

    _KINDS = (
        "string",
        "json",
        "bytes",
        "stream",
        "http",
        "int",
        "double",
        "collection_string",
        "collection_bytes",
    )

    def __init__(self, **value: Any) -> None:
        self._kind = next(iter(value), None)
        self.__dict__.update(value)

    def __getattr__(self, name: str) -> Any:
        if name in self._KINDS:
            return None
        raise AttributeError(name)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - protobuf's name
        """Returns the type of the value, or None if there is no value."""
        return self._kind


class ParameterBinding(Message):
    """A parameter's name and its value in `data`."""

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's name
        """Returns "data", because shared memory is not used."""
        return "data"


class StatusResult(Message):
    """How a request ended."""

    Failure = 0
    Success = 1
    Cancelled = 2


class BindingInfo(Message):
    """A binding's direction and data type."""

    undefined, string, binary, stream = 0, 1, 2, 3
    out, inout = 1, 2


setattr(BindingInfo, "in", 0)  # a keyword of Python


class RpcHttp(Message):
    """An HTTP request or response."""


class RpcHttpCookie(Message):
    """A cookie to be set."""

    class SameSite:
        """Its SameSite attribute."""

        Lax, Strict, ExplicitNone = 1, 2, 3


setattr(RpcHttpCookie.SameSite, "None", 0)


class RpcException(Message):
    """An exception that a function raised."""


class RpcFunctionMetadata(Message):
    """The description of a function for the host."""


class RpcRetryOptions(Message):
    """A function's retry policy."""

    exponential_backoff, fixed_delay = 0, 1
    RetryStrategy: ClassVar[dict[str, int]] = {"exponential_backoff": 0, "fixed_delay": 1}


class WorkerInitResponse(Message):
    """The answer to the first request."""


class WorkerMetadata(Message):
    """The description of the worker."""


class FunctionMetadataResponse(Message):
    """All functions of the app."""


class FunctionLoadResponse(Message):
    """The answer that a function is loaded."""


class FunctionEnvironmentReloadResponse(Message):
    """The answer to a reload."""


class InvocationResponse(Message):
    """The outcome of an invocation."""


class NullableString(Message):
    """A text or null."""


class NullableBool(Message):
    """A truth value or null."""


class NullableDouble(Message):
    """A number or null."""


class NullableTimestamp(Message):
    """A time or null."""


class Timestamp(Message):
    """Seconds since 1970."""
