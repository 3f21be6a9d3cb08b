"""Writes tables as CSV (RFC 4180) that a spreadsheet can open without running formulas from its texts.

A spreadsheet treats a text that begins with `=`, `+`, `-` or `@` as a formula. An apostrophe before it makes it a text
(https://owasp.org/www-community/attacks/CSV_Injection). This is also done after a semicolon, which begins a new cell in
spreadsheets of some languages. Each text is on one line. Numbers are not changed.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from shared.text.hidden import showing_hidden

_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


def csv_table(names: Sequence[str], rows: Iterable[Sequence[str | float | datetime | None]]) -> str:
    """Returns the table with a header row. Times are UTC in ISO 8601. A missing value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: str | float | datetime | None) -> str | float:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return _FORMULA.sub(r"\1\2'", showing_hidden(value)) if isinstance(value, str) else value
