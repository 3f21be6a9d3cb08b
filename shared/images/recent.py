"""Keeps records in memory that were read last: a page of images is followed by calls for each of them."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

MOST: Final = 4
"""How many values are kept."""

MOST_TEXT_BYTES: Final = 4_000_000
"""The size of the largest text whose records are kept. In memory they take about three times as much."""


class Recent[Key: Hashable, Value]:
    """The values that were read last, of those that are small. Values never change.

    `text_bytes` says how large the text of a value is.
    """

    def __init__(self, text_bytes: Callable[[Value], int]) -> None:
        self._text_bytes = text_bytes
        self._values: OrderedDict[Key, Value] = OrderedDict()

    async def get(self, key: Key, read: Callable[[], Awaitable[Value]]) -> Value:
        """Returns the value of the key, which is read if it is not kept. What `read` raises reaches the caller."""
        value = self._values[key] if key in self._values else await read()
        if self._text_bytes(value) > MOST_TEXT_BYTES:
            return value
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > MOST:
            self._values.popitem(last=False)
        return value
