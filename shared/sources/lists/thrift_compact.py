"""Reads Thrift's compact protocol (apache/thrift, thrift-compact-protocol.md), as far as Parquet's metadata need it.

pyarrow's own reader of a file's metadata ends the process on some kinds of damage. This reader is strict, so that
both read the same values: each requested field must have its type, and must not occur twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass

INT32, INT64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
_TRUE, _FALSE, _BYTE, _INT16, _DOUBLE, _SET = 1, 2, 3, 4, 7, 10
_MAX_DEPTH = 12
_MAX_STRUCTS = 500_000


class BadThrift(Exception):
    """The bytes are not the requested struct."""


class EndOfThrift(BadThrift):
    """The bytes end within the struct."""


@dataclass(frozen=True, slots=True)
class Field:
    """A requested field: its type, the type of a list's elements, and the fields of structs."""

    kind: int
    elements: int = 0
    fields: "Fields | None" = None


type Fields = Mapping[int, Field]
type Struct = dict[int, object]


class CompactReader:
    """Reads the requested fields of structs by number, and skips all others."""

    def __init__(self, data: bytes) -> None:
        self.at = 0
        self._data = data
        self._structs = 0

    def struct(self, fields: Fields, depth: int = 0) -> Struct:
        """Returns the requested fields that exist.

        Raises:
            EndOfThrift: there are too few bytes.
            BadThrift: the bytes are not the requested struct.
        """
        self._structs += 1
        if depth > _MAX_DEPTH or (fields and self._structs > _MAX_STRUCTS):
            raise BadThrift
        found: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            kind = head & 15
            wanted = fields.get(number)
            if wanted is None:
                # the type of a boolean is its value
                if kind not in {_TRUE, _FALSE}:
                    self._skip(kind, depth)
            elif kind != wanted.kind or number in found:
                raise BadThrift
            else:
                found[number] = self._value(wanted, depth)
        return found

    def _value(self, field: Field, depth: int) -> object:
        if field.kind == LIST:
            kind, count = self._list()
            if count and kind != field.elements:
                raise BadThrift
            element = Field(kind, fields=field.fields)
            return [self._value(element, depth) for _ in range(count)]
        if field.kind == STRUCT:
            return self.struct(field.fields or {}, depth + 1)
        if field.kind == BINARY:
            start = self._pass(self._varint())
            return self._data[start : self.at]
        return self._zigzag()

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise BadThrift
        if kind in {_TRUE, _FALSE, _BYTE}:
            self._byte()
        elif kind in {_INT16, INT32, INT64}:
            self._varint()
        elif kind == _DOUBLE:
            self._pass(8)
        elif kind == BINARY:
            self._pass(self._varint())
        elif kind in {LIST, _SET}:
            kind, count = self._list()
            for _ in range(count):
                self._skip(kind, depth + 1)
        elif kind == STRUCT:
            self.struct({}, depth + 1)
        else:  # Parquet has no maps
            raise BadThrift

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        return head & 15, head >> 4 if head >> 4 != 15 else self._varint()

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise EndOfThrift
        self.at += 1
        return self._data[self.at - 1]

    def _pass(self, count: int) -> int:
        """Skips `count` bytes. Returns the place where they begin."""
        start = self.at
        self.at += count
        if self.at > len(self._data):
            raise EndOfThrift
        return start

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise BadThrift

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
