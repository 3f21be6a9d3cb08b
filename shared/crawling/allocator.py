"""How the C library deals with the memory of pictures that are done with."""

import ctypes

_M_MMAP_THRESHOLD = -3
_BYTES = 4 << 20


def return_large_blocks() -> None:
    """Have blocks of 4 MB and more go back to the system as soon as they are freed, for the rest of the process.

    glibc keeps ever larger ones for itself, up to 32 MB, once a few were freed (mallopt(3)): a row of pictures, decoded
    one after another, then takes five times as much memory as one of them. Does nothing where there is no glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BYTES)
