"""Reports messages that are neither the app's own nor a producer's, and for which no job can be shown."""

import logging

from shared.errors import InvalidRequest
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_log = logging.getLogger(__name__)


def report_dropped(telemetry: Telemetry, error: InvalidRequest, operation: str) -> None:
    """Logs and reports a message that is dropped. The error says what is wrong with it."""
    _log.warning("A message was dropped (%s). %s", operation, error.detail)
    signals.failure(telemetry, error, operation=operation)
