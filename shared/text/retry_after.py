"""Reads how long a server asks a client to wait."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_seconds(text: str, now: datetime) -> float | None:
    """Returns the seconds that a Retry-After header (RFC 9110, 10.2.3) asks to wait, or None if it is not valid.

    The header has a number of seconds or a date.
    """
    value = text.strip()[:100]
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
        # the date's obsolete forms name no zone and mean GMT
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError):
        return None
