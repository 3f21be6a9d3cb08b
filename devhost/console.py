"""Formats log lines with their time and invocation id. On a terminal they are coloured."""

import logging
import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devhost.worker.frames import Logged

INVOCATION: ContextVar[str | None] = ContextVar("invocation", default=None)
"""The id of the invocation that the current task of the host works for."""

_LEVELS = {
    "trace": 5,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_GREY, _CYAN, _YELLOW, _RED, _RESET = "\033[90m", "\033[36m", "\033[33m", "\033[31m", "\033[0m"
_QUIET_LIBRARIES = ("azure", "urllib3", "aiohttp", "watchfiles")


class Console:
    """Shows the lines that `logging.logLevel` of host.json allows. With `verbose` it shows all lines."""

    def __init__(self, *, verbose: bool, levels: Mapping[str, str] | None = None) -> None:
        self.verbose = verbose
        self._levels = {
            key.lower(): _LEVELS.get(level.lower(), logging.INFO) for key, level in (levels or {}).items()
        }

    def app_line(self, line: "Logged", function: str | None) -> None:
        """Shows a line that the app logged."""
        category = f"Function.{function}.User" if function else line.category
        if line.level >= self._threshold(category):
            record = logging.LogRecord(line.category, line.level, "", 0, line.text, None, None)
            record.invocation = line.invocation_id
            logging.getLogger("app").handle(record)

    def shows(self, category: str) -> bool:
        """Returns whether lines of a category at the level information are shown."""
        return self._threshold(category) <= logging.INFO

    def _threshold(self, category: str) -> int:
        """Returns the lowest level that is shown, from the longest prefix of the category that host.json names."""
        if self.verbose:
            return logging.DEBUG
        name = category.lower()
        while name:
            if name in self._levels:
                return self._levels[name]
            name = name.rpartition(".")[0]
        return self._levels.get("default", logging.INFO)


class _Formatter(logging.Formatter):
    def __init__(self, *, verbose: bool, coloured: bool) -> None:
        super().__init__()
        self._verbose = verbose
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = f"[{moment.removesuffix('+00:00')}Z]"
        invocation = getattr(record, "invocation", None) or INVOCATION.get()
        if invocation:
            head += f" [{invocation[:8]}]"
        if self._verbose:
            head += f" {record.levelname} {record.name}:"
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        if not self._coloured:
            return f"{head} {text}"
        colour = _colour(record)
        return f"{_GREY}{head}{_RESET} {colour}{text}{_RESET if colour else ''}"


def configure_logging(*, verbose: bool) -> None:
    """Sends the lines of the host and of the app to standard error. NO_COLOR and FORCE_COLOR decide on colours."""
    handler = logging.StreamHandler(sys.stderr)
    coloured = bool(os.environ.get("FORCE_COLOR")) or (sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
    handler.setFormatter(_Formatter(verbose=verbose, coloured=coloured))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    if not verbose:
        for name in _QUIET_LIBRARIES:
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("asyncio").setLevel(logging.ERROR)


def _colour(record: logging.LogRecord) -> str:
    if record.levelno >= logging.ERROR:
        return _RED
    if record.levelno >= logging.WARNING:
        return _YELLOW
    if record.name == "devhost.runs":
        return _CYAN
    return _GREY if record.levelno < logging.INFO else ""
