"""Lends libvips, whose decoders report damage that others ignore. It is loaded when it is first used."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from types import ModuleType

_ONE_AT_A_TIME = Lock()
"""libvips has one buffer of messages for the whole process, so only one thread may use it at a time."""


@contextmanager
def libvips() -> Iterator[ModuleType]:
    """Lends libvips's Python module to one thread at a time.

    Raises:
        ValueError: libvips raised an error in the block. The text is libvips's.
    """
    import pyvips

    _set_up()
    try:
        with _ONE_AT_A_TIME:
            # empties the buffer of messages of earlier calls
            pyvips.Error("")
            yield pyvips
    except pyvips.Error as error:
        raise ValueError(str(error)) from error


@cache
def _set_up() -> None:
    """Switches off libvips's cache. Its keys are addresses in memory, which later files reuse."""
    import pyvips

    pyvips.cache_set_max(0)
    # it logs a warning for each damaged file, but the file's record already has the damage
    logging.getLogger("pyvips").setLevel(logging.ERROR)
