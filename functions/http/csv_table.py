"""Tables as CSV (RFC 4180) that spreadsheets open without running what is in them.

A text that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet. It is given an apostrophe, which makes it a
text (https://owasp.org/www-community/attacks/CSV_Injection). So is one behind a semicolon, where spreadsheets of some
languages begin another cell. Texts are set on one line each; numbers are left as they are.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from shared.text.hidden import showing_hidden

_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


def csv_table(names: Sequence[str], rows: Iterable[Sequence[str | float | datetime | None]]) -> str:
    """The table with a header; times are in UTC as ISO 8601 has them, and what is missing is empty."""
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
