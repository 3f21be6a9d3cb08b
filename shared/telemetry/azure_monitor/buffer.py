"""Holds the items that wait to be sent, within limits of number and bytes.

Callers add items, and the sending thread takes them.
"""

import threading
from collections import deque

from shared.telemetry.azure_monitor.items import Item


class Buffer:
    """A queue of items. Adding an item takes microseconds. An item for which there is no room is refused."""

    def __init__(self, most_items: int, most_bytes: int) -> None:
        self._most_items = most_items
        self._most_bytes = most_bytes
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._held = (0, 0)
        self._hurry = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """The number of waiting items. It includes those that the sender holds."""
        return len(self._items) + self._held[0]

    def put(self, item: Item) -> bool:
        """Adds an item; returns False if there is no room for it."""
        size = item.size
        with self._changed:
            items, held_bytes = self._held
            full = len(self._items) + items >= self._most_items
            if full or self._bytes + held_bytes + size > self._most_bytes:
                return False
            self._items.append((item, size))
            self._bytes += size
            self._changed.notify()
            return True

    def hold(self, items: int, size: int) -> None:
        """Notes how many items the sender holds to send them again, and their size in bytes."""
        with self._changed:
            self._held = (items, size)

    def hurry(self) -> None:
        """Makes `take` return at once with the items that there are."""
        with self._changed:
            self._hurry = True
            self._changed.notify()

    def take(self, most_items: int, most_bytes: int, seconds: float, *, wait: bool) -> list[tuple[Item, int]]:
        """Takes the next items, each with its size, within both limits. The first item is taken however large it is.

        With `wait`, it waits for the first item, and then for at most `seconds` for more items.
        """
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._items or self._hurry)
                self._changed.wait_for(lambda: self._enough(most_items, most_bytes), seconds)
            taken: list[tuple[Item, int]] = []
            size = 0
            while self._items and len(taken) < most_items:
                if taken and size + self._items[0][1] > most_bytes:
                    break
                taken.append(self._items.popleft())
                size += taken[-1][1]
            self._bytes -= size
            self._hurry = self._hurry and bool(self._items)
            return taken

    def _enough(self, most_items: int, most_bytes: int) -> bool:
        return self._hurry or len(self._items) >= most_items or self._bytes >= most_bytes
