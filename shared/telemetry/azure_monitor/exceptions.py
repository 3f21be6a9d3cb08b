"""Describes errors as Application Insights shows them: each cause is an error of its own with stack frames.

Source files are not read, so the caller does not wait for them.
"""

from collections.abc import Iterator
from types import TracebackType

from shared.telemetry.azure_monitor.items import ExceptionDetails

_MOST_ERRORS = 10
_MOST_FRAMES = 100
_MOST_CHARACTERS = 8192


def details_of(error: BaseException) -> tuple[ExceptionDetails, ...]:
    """Returns the error, its causes and the errors that it groups, at most ten.

    Each but the first names its outer error.
    """
    found: list[ExceptionDetails] = []
    waiting = [(error, 0)]
    seen: set[int] = set()
    while waiting and len(found) < _MOST_ERRORS:
        current, outer_id = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        number = len(found) + 1
        found.append(_details(current, number, outer_id))
        waiting += [(inner, number) for inner in _behind(current)]
    return tuple(found)


def _behind(error: BaseException) -> list[BaseException]:
    """Returns the error's cause, or else the error during whose handling it was raised, and the errors of a group."""
    grouped = list(error.exceptions[:_MOST_ERRORS]) if isinstance(error, BaseExceptionGroup) else []
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    return grouped if cause is None else [cause, *grouped]


def _details(error: BaseException, number: int, outer_id: int) -> ExceptionDetails:
    frames = list(_frames(error.__traceback__))[::-1]
    half = _MOST_FRAMES // 2
    kept = frames if len(frames) <= _MOST_FRAMES else [*frames[:half], *frames[-half:]]
    return ExceptionDetails(
        number, outer_id, _type_name(type(error)), _message(error), tuple(kept), full=len(kept) == len(frames)
    )


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, str, int]]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield code.co_qualname, code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _type_name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an error without a readable text is reported, too
        text = ""
    return text[:_MOST_CHARACTERS] or type(error).__name__
