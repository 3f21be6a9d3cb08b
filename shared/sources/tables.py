"""Records out of the lines of a table (RFC 4180), whose quoted cells may hold line breaks."""

import csv
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.errors import Permanent

MAX_LINE_BYTES = 100_000
TOO_LONG = f"longer than {MAX_LINE_BYTES:,} bytes"
_MAX_LINES = 100
_MAX_TOLD = 20
_LONE_BREAK = "a line break within it is neither \\n nor \\r\\n"
_OPEN_QUOTE = "a quote is opened in it and not closed as it should be"


async def read_records(lines: AsyncIterator[str | None], delimiter: str) -> AsyncIterator[list[str] | str]:
    """The cells of each record, or what is wrong with it; blank lines are passed over, and None is a line too long.

    A record that goes on over lines has 100 of them and some 100,000 characters at most, and is read to the letter.
    Where it does not end so, its first line is a problem and the others are read on their own: one stray quote cannot
    swallow a file. A table with semicolons and no comma in its first line is divided by semicolons.
    """
    ahead: deque[str | None] = deque()
    first = True
    while True:
        try:
            line = ahead.popleft() if ahead else await anext(lines)
        except StopAsyncIteration:
            return
        if line is None:
            yield TOO_LONG
        elif line.strip():
            if first and delimiter == "," and "," not in line and ";" in line:
                delimiter = ";"
            first = False
            yield _cells(line, delimiter) or await _cells_over_lines(line, ahead, lines, delimiter)


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns that a list is asked for, and those of them without which it is of no use."""

    asked: Sequence[str] = ()
    needed: Sequence[str] = ()


def named(columns: Sequence[str], names: ColumnNames) -> list[str]:
    """The columns' names; one that is not among those asked for for its case only is called as it is there.

    Raises:
        Permanent: there is no column of a name that is needed.
    """
    wanted = {name.casefold(): name for name in names.asked if name not in columns}
    found = [wanted.pop(column.casefold(), column) for column in columns]
    for name in names.needed:
        if name not in found:
            raise Permanent(f"The list has no column {name[:100]!r}; it has {told(columns)}.")
    return found


def told(names: Iterable[str]) -> str:
    """The first of the names, for people."""
    return ", ".join(repr(name[:40]) for name in islice(names, _MAX_TOLD)) or "none"


def _cells(line: str, delimiter: str) -> list[str] | str | None:
    """The cells of a line, or what is wrong with it; None where a quote is open at its end."""
    reader = csv.reader([line, ""], delimiter=delimiter)
    try:
        cells = next(reader)
    except csv.Error:
        return _LONE_BREAK
    return cells if reader.line_num == 1 else None


async def _cells_over_lines(
    line: str, ahead: deque[str | None], lines: AsyncIterator[str | None], delimiter: str
) -> list[str] | str:
    """The cells of a record that begins with `line`; the lines that turn out to be none of it are put `ahead`."""
    record = [line]
    quotes, characters = line.count('"'), len(line)
    while quotes % 2 and len(record) < _MAX_LINES and characters <= MAX_LINE_BYTES:
        taken = len(record) - 1
        if taken == len(ahead):
            try:
                ahead.append(await anext(lines))
            except StopAsyncIteration:
                break
        following = ahead[taken]
        if following is None:
            break
        record.append(following)
        quotes += following.count('"')
        characters += len(following)
    try:
        cells = next(csv.reader(["\n".join(record)], delimiter=delimiter, strict=True))
    except csv.Error:
        return _OPEN_QUOTE
    for _ in record[1:]:
        ahead.popleft()
    return cells
