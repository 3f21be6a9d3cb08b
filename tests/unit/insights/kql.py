"""Reads the part of the Kusto query language that the reports use, and follows tables and columns through it.

Every name that is read must exist: a column of the table, or one that the query has made before.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(r'"[^"]*"|\d+(?:\.\d+)?[a-z]*|[A-Za-z_]\w*|==|!=|\S')
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORDS = frozenset(
    {"and", "asc", "by", "desc", "endswith", "false", "has", "in", "null", "or", "startswith", "true"}
)

type Tables = Mapping[str, Sequence[str]]


@dataclass
class Read:
    """The names that one pipeline reads: its table, the texts that it compares columns with, and its keys of bags."""

    table: str
    texts: dict[str, set[str]] = field(default_factory=dict)
    bags: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class Query:
    """The columns that a query returns in order, the names that its pipelines read, and the functions that it calls."""

    columns: list[str]
    reads: list[Read]
    functions: set[str]


def read_query(text: str, tables: Tables) -> Query:
    """Follows a query on tables with these columns. It fails if a name does not exist."""
    reader = _Reader(dict(tables))
    *lets, last = _split(_TOKEN.findall(text), ";")
    for statement in lets:
        assert statement[0] == "let", statement
        assert statement[2] == "=", statement
        reader.tables[statement[1]] = reader.pipeline(statement[3:])
    columns = reader.pipeline(last)
    return Query(columns, reader.reads, reader.functions)


class _Reader:
    def __init__(self, tables: dict[str, Sequence[str]]) -> None:
        self.tables = tables
        self.reads: list[Read] = []
        self.functions: set[str] = set()

    def pipeline(self, tokens: list[str]) -> list[str]:
        source, *stages = _split(tokens, "|")
        columns = self._source(source)
        for operator, *rest in stages:
            columns = getattr(self, f"_{operator}")(columns, rest)
        return columns

    def _source(self, tokens: list[str]) -> list[str]:
        if tokens[0] != "union":
            (name,) = tokens
            self.reads.append(Read(name))
            return list(self.tables[name])
        columns: dict[str, None] = {}
        for leg in _split(tokens[1:], ","):
            found = self.pipeline(leg[1:-1] if leg[0] == "(" else leg)
            columns |= dict.fromkeys(found)
        return list(columns)

    def _where(self, columns: list[str], tokens: list[str]) -> list[str]:
        self._check(columns, tokens)
        for place, token in enumerate(tokens):
            if token in columns and tokens[place + 1 :] and tokens[place + 1] in {"==", "in"}:
                end = tokens.index(")", place) if tokens[place + 1] == "in" else place + 3
                texts = {text[1:-1] for text in tokens[place + 2 : end] if text[0] == '"'}
                self.reads[-1].texts.setdefault(token, set()).update(texts)
        return columns

    def _extend(self, columns: list[str], tokens: list[str]) -> list[str]:
        return columns + self._named(columns, tokens)

    def _project(self, columns: list[str], tokens: list[str]) -> list[str]:
        return self._named(columns, tokens)

    def _summarize(self, columns: list[str], tokens: list[str]) -> list[str]:
        aggregates, *groups = _split(tokens, "by")
        found = [name for group in groups for name in self._named(columns, group)]
        return found + self._named(columns, aggregates)

    def _order(self, columns: list[str], tokens: list[str]) -> list[str]:
        assert tokens[0] == "by", tokens
        self._check(columns, tokens)
        return columns

    def _top(self, columns: list[str], tokens: list[str]) -> list[str]:
        assert tokens[0].isdigit(), tokens
        return self._order(columns, tokens[1:])

    def _take(self, columns: list[str], tokens: list[str]) -> list[str]:
        assert len(tokens) == 1, tokens
        assert tokens[0].isdigit(), tokens
        return columns

    def _named(self, columns: list[str], tokens: list[str]) -> list[str]:
        """Returns the names of `a = expression, b, arg_max(c, d)`."""
        names: list[str] = []
        for item in _split(tokens, ","):
            name, *rest = item
            if rest[:1] == ["="]:
                self._check(columns, rest[1:])
                names.append(name)
            elif name == "arg_max":
                self._check(columns, item)
                names += [token for token in rest if _NAME.fullmatch(token)]
            else:
                assert not rest, f"{item} has no name"
                self._check(columns, item)
                names.append(name)
        return names

    def _check(self, columns: list[str], tokens: list[str]) -> None:
        for place, token in enumerate(tokens):
            if not _NAME.fullmatch(token) or token in _WORDS:
                continue
            if tokens[place + 1 : place + 2] == ["("]:
                self.functions.add(token)
            elif place and tokens[place - 1] == ".":
                self.reads[-1].bags.setdefault(tokens[place - 2], set()).add(token)
            else:
                assert token in columns, f"there is no {token} among {columns}"


def _split(tokens: list[str], separator: str) -> list[list[str]]:
    """Splits at the separators outside of brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if token == separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
