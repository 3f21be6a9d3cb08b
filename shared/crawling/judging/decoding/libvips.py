"""libvips, whose decoders tell of damage that others pass over. It is loaded where it is needed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from types import ModuleType

_ONE_AT_A_TIME = Lock()
"""libvips has one buffer of messages for the whole process."""


@contextmanager
def libvips() -> Iterator[ModuleType]:
    """Its Python module, for one thread at a time.

    Raises:
        ValueError: in place of libvips's own error.
    """
    import pyvips

    _set_up()
    try:
        with _ONE_AT_A_TIME:
            # takes messages of earlier calls out of the buffer
            pyvips.Error("")
            yield pyvips
    except pyvips.Error as error:
        raise ValueError(str(error)) from error


@cache
def _set_up() -> None:
    """Each file is decoded once; and what libvips remembers, it tells apart by its place in memory."""
    import pyvips

    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").setLevel(logging.ERROR)  # it warns of damage, of which a record tells
