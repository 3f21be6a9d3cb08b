"""Reads the elements of one large JSON array from a stream of bytes. Brackets and quotes alone mark an element's ends.

The text is an array, or an object that contains one: `[…]`, `{"version": 1, "images": […]}`. One element at a time is
in memory. A broken or too long element is reported and does not affect the others. Empty ones are skipped.
"""

import re
from collections.abc import AsyncIterator, Iterator

from shared.errors import Permanent

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_TO_SIGN = re.compile(rb'(?:[^"\[\]{},]++|' + _STRING + rb")*+", re.DOTALL)
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+", re.DOTALL)
# matches the rest of a string that is cut between two pieces
_IN_STRING = re.compile(rb'[^"\\]*+')
_EMPTY = re.compile(rb"[ \t\r\n,]*+")
_SPACE = b" \t\r\n"
_MAX_BRACKETS = 1_000_000


class JsonArray:
    """Takes pieces of the text and yields elements."""

    def __init__(self, max_element_bytes: int) -> None:
        self._max_bytes = max_element_bytes
        self._depth = 0
        # the depth inside the array, or None outside of it
        self._base: int | None = None
        self._arrays = 0
        self._begun = False
        self._in_string = False
        self._escaped = False
        self._element = bytearray()
        self._too_long = False
        # the brackets in the current element, or outside of the array
        self._brackets = 0

    @property
    def over(self) -> bool:
        """Whether reading should stop: there is a second array, or far too many brackets without an element."""
        return self._arrays > 1 or self._brackets > _MAX_BRACKETS

    def feed(self, piece: bytes) -> Iterator[bytes | None]:
        """Yields the elements that end in the piece. None stands for one that is too long.

        Raises:
            Permanent: the text is neither an array nor an object.
        """
        at = kept = self._behind_empty(piece, 0 if self._begun else self._begin(piece))
        while at < len(piece) and not self.over:
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            at = self._skip(piece, at)
            sign = piece[at : at + 1]
            at += 1
            if sign == b"\\":
                self._escaped = True
            elif sign == b'"':
                self._in_string = not self._in_string
            elif self._depth == self._base and sign in {b",", b"]"}:
                self._keep(piece[kept : at - 1])
                self._brackets = 0
                if self._too_long or self._element.strip(_SPACE):
                    yield self._taken()
                if sign == b"]":
                    self._base = None
                    self._depth -= 1
                at = kept = self._behind_empty(piece, at)
            elif self._move(sign):
                at = kept = self._behind_empty(piece, at)
        self._keep(piece[kept:])

    def end(self) -> str | None:
        """Returns the problem of the text as a whole, now that it is complete, or None if there is no problem.

        Raises:
            Permanent: the text held no array.
        """
        if not self._arrays:
            raise Permanent("The JSON text holds no array (one object a line is the format jsonl).")
        if self._arrays > 1:
            return "only the first array was read"
        if self.over:
            return f"more than {_MAX_BRACKETS:,} brackets come without an element: it is read no further"
        return "the JSON text ends before its array does" if self._depth else None

    def _skip(self, piece: bytes, at: int) -> int:
        """Returns the place of the next sign that has a meaning.

        Whole strings are skipped, and within an element its commas.
        """
        skipped = _TO_SIGN if self._depth == self._base else _TO_BRACKET
        found = (_IN_STRING if self._in_string else skipped).match(piece, at)
        return found.end() if found else at

    def _behind_empty(self, piece: bytes, at: int) -> int:
        """Returns the place after empty elements and space at `at`.

        If no element may begin there, it returns `at` itself.
        """
        if self._depth != self._base or self._element or self._in_string or self._escaped or self._too_long:
            return at
        found = _EMPTY.match(piece, at)
        return found.end() if found else at

    def _begin(self, piece: bytes) -> int:
        """Returns the place where the text begins in the piece."""
        start = len(piece) - len(piece.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE))
        if start < len(piece):
            self._begun = True
            if piece[start : start + 1] not in {b"[", b"{"}:
                raise Permanent("The URL list is neither a JSON array nor an object.")
        return start

    def _move(self, sign: bytes) -> bool:
        """Follows a bracket inwards or outwards. Returns True if the array begins with it."""
        self._brackets += 1
        if sign in {b"]", b"}"} and self._depth != self._base:
            self._depth = max(0, self._depth - 1)
        if sign in {b"[", b"{"}:
            self._depth += 1
        if sign != b"[" or self._base is not None or self._depth > 2:
            return False
        self._arrays += 1
        if self._arrays == 1:
            self._base, self._brackets = self._depth, 0
        return self._arrays == 1

    def _keep(self, part: bytes) -> None:
        """Adds to the current element, as long as it is not too long."""
        if self._base is None or self._too_long:
            return
        self._element += part[: self._max_bytes + 1]
        self._too_long = len(self._element) > self._max_bytes

    def _taken(self) -> bytes | None:
        element = None if self._too_long else bytes(self._element)
        self._element.clear()
        self._too_long = False
        return element


async def json_elements(
    pieces: AsyncIterator[bytes], max_element_bytes: int
) -> AsyncIterator[bytes | str | None]:
    """Yields the array's elements as JSON texts.

    None stands for an element that is too long. A text at the end is a problem of the whole array.

    Raises:
        Permanent: there is no array.
    """
    array = JsonArray(max_element_bytes)
    async for piece in pieces:
        for element in array.feed(piece):
            yield element
        if array.over:
            break
    problem = array.end()
    if problem is not None:
        yield problem
