"""Has the C library return the memory of decoded pictures to the system."""

import ctypes

_M_MMAP_THRESHOLD = -3
_BYTES = 4 << 20


def return_large_blocks() -> None:
    """Have blocks of 4 MB and more return to the system as soon as they are freed, for the rest of the process.

    By default glibc raises this threshold up to 32 MB as blocks are freed (mallopt(3), M_MMAP_THRESHOLD): then pictures
    that are decoded one after another take five times the memory of one. Does nothing where there is no glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BYTES)
