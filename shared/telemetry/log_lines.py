"""Log lines: JSON on Azure, readable ones locally, each with the operation that it belongs to.

The host takes the lines of a process from the handler that Microsoft's worker has put on the root logger, and sends
them to Application Insights as traces. So the app only sets how that handler writes lines: a handler of its own, or a
line that telemetry sends, would make each of them appear twice.
"""

import json
import logging
from datetime import UTC, datetime

from shared.telemetry.correlation import Operation, current_operation
from shared.telemetry.privacy import scrub

_WORKER = ("azure_functions", "proxy_worker")
_MOST_CHARACTERS = 30_000


class LogLines(logging.Formatter):
    """Writes lines without queries and keys. Those of the worker itself stay as they are: the host reads them."""

    def __init__(self, before: logging.Formatter | None = None) -> None:
        super().__init__()
        self._before = before or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        if record.name.startswith(_WORKER):
            return self._before.format(record)
        message = scrub(record.getMessage())[:_MOST_CHARACTERS]
        stack = scrub(self._stack(record))[-_MOST_CHARACTERS:]
        return self.line(record, message, stack, current_operation())

    def line(self, record: logging.LogRecord, message: str, stack: str, operation: Operation | None) -> str:
        """One line, readable by people: the ids stand behind the message, the stack on lines of its own."""
        del record
        known = ", ".join(f"{name}={value}" for name, value in _ids_of(operation).items())
        text = f"{message} [{known}]" if known else message
        return f"{text}\n{stack}" if stack else text

    def _stack(self, record: logging.LogRecord) -> str:
        parts = [self.formatException(record.exc_info)] if record.exc_info else []
        if record.stack_info:
            parts.append(self.formatStack(record.stack_info))
        return "\n".join(parts)


class JsonLines(LogLines):
    """Writes each record as a JSON object on one line."""

    def line(self, record: logging.LogRecord, message: str, stack: str, operation: Operation | None) -> str:
        """See `LogLines.line`."""
        moment = datetime.fromtimestamp(record.created, UTC)
        fields = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            **_ids_of(operation),
        }
        return json.dumps({**fields, "stack": stack} if stack else fields)


def _ids_of(operation: Operation | None) -> dict[str, str]:
    if operation is None:
        return {}
    ids = {
        "function": operation.name,
        "correlation_id": operation.correlation_id,
        "operation_id": operation.trace_id,
        "job_id": operation.job_id,
    }
    return {name: value for name, value in ids.items() if value}
