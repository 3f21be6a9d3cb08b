"""Writes log lines: JSON on Azure, and readable text elsewhere. Each names the operation that it belongs to.

Microsoft's worker puts a handler on the root logger, through which the host sends the lines to Application Insights as
traces. So the app only sets the format of that handler. If it added a handler of its own, or sent lines as telemetry,
each line would appear twice.
"""

import json
import logging
from datetime import UTC, datetime

from shared.telemetry.correlation import Operation, current_operation
from shared.telemetry.privacy import scrub

_WORKER = ("azure_functions", "proxy_worker")
_MOST_CHARACTERS = 30_000


class LogLines(logging.Formatter):
    """Writes lines as readable text, without query strings and keys. The worker's own lines are not changed.

    The host parses the worker's lines.
    """

    def __init__(self, before: logging.Formatter | None = None) -> None:
        super().__init__()
        self._before = before or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        if record.name.startswith(_WORKER):
            return self._before.format(record)
        # cut twice: the first cut bounds the time, and what it may have torn is cut off by the second
        message = scrub(_message_of(record)[: 2 * _MOST_CHARACTERS])[:_MOST_CHARACTERS]
        stack = scrub(self._stack(record)[-2 * _MOST_CHARACTERS :])[-_MOST_CHARACTERS:]
        return self.line(record, message, stack, current_operation())

    def line(self, record: logging.LogRecord, message: str, stack: str, operation: Operation | None) -> str:
        """Returns the text of a record: the message and the ids on one line, and then the stack."""
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


def _message_of(record: logging.LogRecord) -> str:
    """Returns the message. The worker's handler would let an error of its values fail the code that logs."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - `str` of a value may raise anything
        text = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        return f"{text} (its values cannot be written)"


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
