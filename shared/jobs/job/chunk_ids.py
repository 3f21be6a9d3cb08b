"""Makes and reads the names of chunks.

`000007` is the seventh chunk that was added to a job. `000007.0002` has the candidates that were unprocessed when it
ran out of time, and `000007.0003` those that were unprocessed after that. `000007a` and `000007b` are its halves, if it
crashed again and again. The halves of `000007a` are `000007aa` and `000007ab`. Chunks that are added later come later
in the order of the names.
"""

import re

CHUNK_ID = r"[0-9]{6,9}(\.[0-9]{4,9}|[ab])*"
"""The regular expression of all names of chunks."""

_NUMBER = re.compile(r"[0-9]+")
_LAST_PART = re.compile(r"\.([0-9]+)\Z")


def chunk_id(number: int) -> str:
    """Returns the name of the added chunk with this number. The first chunk has number 1."""
    return f"{number:06}"


def number_of(name: str) -> int:
    """Returns the number of the chunk, or of the added chunk that it descends from."""
    found = _NUMBER.match(name)
    if found is None:
        raise ValueError(f"{name!r} names no chunk")
    return int(found.group())


def is_added(name: str) -> bool:
    """Returns whether discovery added the chunk, so it descends from no other chunk."""
    return name.isdigit()


def rest_of(name: str) -> str:
    """Returns the name of the chunk with the unprocessed candidates of this one."""
    found = _LAST_PART.search(name)
    if found is None:
        return f"{name}.0002"
    return f"{name[: found.start()]}.{int(found.group(1)) + 1:04}"


def halves_of(name: str) -> tuple[str, str]:
    """Returns the names of the two chunks into which a crashing chunk is divided."""
    return f"{name}a", f"{name}b"


def is_of_a_half(name: str) -> bool:
    """Returns whether the chunk descends from one that was halved."""
    return not name.replace(".", "").isdigit()
