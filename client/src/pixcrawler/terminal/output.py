"""Prints for people and for programs. Texts of the server are made plain before a terminal gets them."""

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import typer

from pixcrawler.plain_text import json_text, plain, plain_lines

if TYPE_CHECKING:
    from rich.console import Console

# a time of the API, which is in UTC
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)", re.ASCII)
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def print_what_it_can(*streams: TextIO) -> None:
    """Lets streams print characters that their encoding lacks as escape sequences of Python."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Sends what is not printed yet nowhere. Otherwise Python would try to print it again when it ends."""
    with contextlib.suppress(io.UnsupportedOperation), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def print_json(value: Any) -> None:
    """Prints a value as JSON."""
    typer.echo(json_text(value))


def print_json_line(value: Any) -> None:
    """Prints a value as one line of JSON."""
    typer.echo(json_text(value, indent=None))


def say(text: str) -> None:
    """Prints lines of text."""
    typer.echo(plain_lines(text))


def complain(text: str) -> None:
    """Prints lines of text to standard error."""
    typer.echo(plain_lines(text), err=True)


def console(*, stderr: bool = False) -> "Console":
    """Returns a console that reads no markup. It obeys NO_COLOR."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows as a table or, if the output is no terminal, as lines with tabs between the values."""
    if not sys.stdout.isatty():
        typer.echo("\t".join(columns))
        for row in rows:
            typer.echo("\t".join(map(_cell, row)))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # a long value, such as the name of a blob, continues on the next line
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    console().print(table)


def print_fields(values: Mapping[str, object]) -> None:
    """Prints names and values, one a line. Values of None are left out."""
    shown = {name: value for name, value in values.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        typer.echo(f"{plain(name):{width}}  {_cell(value)}")


def size_text(size_bytes: int) -> str:
    """Returns a size in the largest fitting unit, such as `1.2 MB`."""
    size = float(size_bytes)
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if hasattr(value, "isoformat"):
        value = value.isoformat()
    text = plain(value)
    moment = _MOMENT.fullmatch(text)
    return f"{moment[1]} {moment[2]} UTC" if moment else text
