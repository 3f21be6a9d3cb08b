"""Reads records and columns of a table (RFC 4180), whose quoted cells may hold line breaks."""

import csv
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.errors import Permanent

MAX_LINE_BYTES = 100_000
MAX_LINES = 100
TOO_LONG = f"longer than {MAX_LINE_BYTES:,} bytes"
_MAX_SHOWN = 20
_LONE_BREAK = "a line break within it is neither \\n nor \\r\\n"
_OPEN_QUOTE = "a quote is opened in it and not closed as it should be"
# for each delimiter, the characters of a row of empty cells
_BLANK = {",": " \t\r,;", ";": " \t\r,;", "\t": " \t\r"}
_MISQUOTED = "text stands behind a closing quote in it: quotes within a quoted cell are doubled"
_LOOSE_END = re.compile('" +(?=[,;\t]|$)')
_QUOTED = re.compile(r'"[^"]*"?')


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of a record, its text, and its delimiter.

    It is `misquoted` if text follows a closing quote, because its cells may then differ from what was meant.
    """

    cells: Sequence[str]
    text: str
    delimiter: str
    misquoted: bool = False


async def read_records(lines: AsyncIterator[str | None], delimiter: str) -> AsyncIterator[Record | str]:
    """Yields records, or the problem of one. Rows of empty cells are skipped, and None stands for too long a line.

    A record that spans several lines has at most 100 of them and some 100,000 characters, and its text is kept
    exactly. If it does not end within these limits, its first line is a problem and the others are read on their own.
    So one stray quote cannot swallow a file. A table with semicolons and no comma in its first line is divided by
    semicolons. Space before a quote does not belong to the cell.
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
        elif line.strip(_BLANK[delimiter]).strip():
            if first and delimiter == ",":
                delimiter = _delimiter_in(line)
            first = False
            yield _record(line, delimiter) or await _record_over_lines(line, ahead, lines, delimiter)


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The requested columns of a list, and those of them that are required."""

    requested: Sequence[str] = ()
    required: Sequence[str] = ()


class Columns:
    """The columns of a table, as its header names them. Empty names at its end are not columns.

    Raises:
        Permanent: a required column is missing.
    """

    def __init__(self, header: Sequence[str], names: ColumnNames) -> None:
        self._names = named(_without_empty_end(header, 1), names)
        # some writers end each line with a delimiter
        self._ends = len(header) - len(self._names)
        counts = Counter(self._names)
        self.repeated = [name for name in dict.fromkeys(names.requested) if counts[name] > 1]

    def fields(self, record: Record) -> tuple[Mapping[str, object] | None, str | None]:
        """Returns the record's cells by name, and its problem.

        In a table of one column, a line with commas or semicolons is one cell. As many of them as end the header are
        removed from its end. A record with more cells than columns is not read, because nobody can know which
        delimiter should have been quoted. A record with fewer cells fills the first columns.
        """
        names = self._names
        cells = _without_empty_end(record.cells, len(names))
        if len(names) == 1 and record.delimiter != "\t" and '"' not in record.text:
            cells = [self._whole(record)]
        elif len(cells) > len(names):
            problem = f"it has {len(cells)} cells for {len(names)} columns: quote cells that hold a delimiter"
            return None, problem
        fields: dict[str, object] = {}
        for name, cell in zip(names, cells, strict=False):
            fields.setdefault(name, cell)
        problems = [_MISQUOTED] if record.misquoted else []
        if len(cells) < len(names):
            problems.append(f"it has {len(cells)} of {len(names)} cells: the others are taken as empty")
        return fields, "; ".join(problems) or None

    def _whole(self, record: Record) -> str:
        text, ends = record.text.strip(), self._ends
        end = len(text)
        while end and (text[end - 1].isspace() or (ends and text[end - 1] == record.delimiter)):
            ends -= text[end - 1] == record.delimiter
            end -= 1
        return text[:end]


def named(columns: Sequence[str], names: ColumnNames) -> list[str]:
    """Returns the columns' names. A column that differs only in case from a requested name gets the requested name.

    Raises:
        Permanent: a required column is missing.
    """
    wanted = {name.casefold(): name for name in names.requested if name not in columns}
    found = [wanted.pop(column.casefold(), column) for column in columns]
    for name in names.required:
        if name not in found:
            raise Permanent(f"The list has no column {name[:100]!r}; it has {shown_names(columns)}.")
    return found


def shown_names(names: Iterable[str]) -> str:
    """Returns the first of the names, as a text for people."""
    return ", ".join(repr(name[:40]) for name in islice(names, _MAX_SHOWN)) or "none"


def _delimiter_in(header: str) -> str:
    plain = _QUOTED.sub("", header)
    return ";" if ";" in plain and "," not in plain else ","


def _without_empty_end(cells: Sequence[str], least: int) -> Sequence[str]:
    """Returns the cells without empty ones at the end. At least the first `least` cells stay."""
    end = len(cells)
    while end > least and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _record(line: str, delimiter: str) -> Record | str | None:
    """Returns the record of a line, or its problem, or None if a quote is open at its end."""
    reader = csv.reader([line, ""], delimiter=delimiter, skipinitialspace=True)
    try:
        cells = next(reader)
    except csv.Error:
        return _LONE_BREAK
    if reader.line_num > 1:
        return None
    return Record(cells, line, delimiter, misquoted='"' in line and _is_misquoted(line, delimiter))


def _is_misquoted(line: str, delimiter: str) -> bool:
    text = _LOOSE_END.sub('"', line)
    try:
        next(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return True
    return False


async def _record_over_lines(
    line: str, ahead: deque[str | None], lines: AsyncIterator[str | None], delimiter: str
) -> Record | str:
    """Returns the record that begins with `line`. Lines that do not belong to it are put back into `ahead`."""
    record = [line]
    quotes, characters = line.count('"'), len(line)
    while quotes % 2 and len(record) < MAX_LINES and characters <= MAX_LINE_BYTES:
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
    text = "\n".join(record)
    try:
        cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return _OPEN_QUOTE
    for _ in record[1:]:
        ahead.popleft()
    return Record(cells, text, delimiter)
