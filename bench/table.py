"""Figures with their range, and tables of them as text."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of repeated measurements, with the smallest and the largest value."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Returns the figure of at least one measurement."""
        return cls(statistics.median(values), min(values), max(values))

    def show(self, digits: int = 1, unit: str = "") -> str:
        """Returns the figure as text, such as `12.3 ms (11.9 to 14.0)`."""
        tail = f" {unit}" if unit else ""
        return f"{self.median:,.{digits}f}{tail} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text with column heads. The first column names the row. `notes` are lines below the table."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def show(self) -> str:
        """Returns the table as lines with aligned columns."""
        cells = [self.heads, *self.rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.heads))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([self.title, "", lines[0], rule, *lines[1:], *self.notes])


def verdict(value: float, target: float, *, at_least: bool) -> str:
    """Returns "kept" if the value keeps its target, otherwise "MISSED"."""
    kept = value >= target if at_least else value <= target
    return "kept" if kept else "MISSED"
