"""Names of chunks: which was added, what goes on with its rest, what it was halved into.

`000007` is the seventh chunk that was added to a job. `000007.0002` goes on where it ran out of time, and
`000007.0003` behind that. `000007a` and `000007b` are its halves, after it crashed again and again; those of
`000007a` are `000007aa` and `000007ab`. In the order of the names, what was added later comes later.
"""

import re

CHUNK_ID = r"[0-9]{6,9}(\.[0-9]{4,9}|[ab])*"
"""The pattern of all names of chunks."""

_NUMBER = re.compile(r"[0-9]+")
_LAST_PART = re.compile(r"\.([0-9]+)\Z")


def chunk_id(number: int) -> str:
    """The name of the chunk that was added as this one, from 1."""
    return f"{number:06}"


def number_of(name: str) -> int:
    """As which the chunk was added, or the one that it descends from."""
    found = _NUMBER.match(name)
    if found is None:
        raise ValueError(f"{name!r} names no chunk")
    return int(found.group())


def is_added(name: str) -> bool:
    """Whether discovery added it, so that it descends from none."""
    return name.isdigit()


def rest_of(name: str) -> str:
    """The chunk of what this one did not get to."""
    found = _LAST_PART.search(name)
    if found is None:
        return f"{name}.0002"
    return f"{name[: found.start()]}.{int(found.group(1)) + 1:04}"


def halves_of(name: str) -> tuple[str, str]:
    """The two chunks that a crashing one is divided into."""
    return f"{name}a", f"{name}b"


def is_of_a_half(name: str) -> bool:
    """Whether it descends from a chunk that was halved."""
    return not name.replace(".", "").isdigit()
