"""The files of the dashboard. They are served under a path with their digest, so that browsers keep them forever."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("files") / "dashboard"
"""Has a folder for each view, `frame` (menu, sign-in), `parts` (what views share) and `styles`."""

_DIGEST_CHARACTERS: Final = 16
# a comment with lines of its own
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/)[ \t]*$", re.MULTILINE)
DIGEST_PATTERN: Final = f"^[0-9a-f]{{{_DIGEST_CHARACTERS}}}$"


@dataclass(frozen=True, slots=True)
class DashboardFiles:
    """All files of the dashboard: their texts by path, such as `parts/dom.js`, and a digest of paths and texts.

    The texts have neither comments nor indentation, which are a tenth of the files.
    """

    digest: str
    texts: Mapping[str, str]


@cache
def dashboard_files() -> DashboardFiles:
    """Reads the files of the dashboard, once in a process."""
    texts = {
        path.relative_to(FOLDER).as_posix(): compact(path.read_text("utf-8"))
        for path in sorted(FOLDER.glob("*/*.*"))
    }
    seen = hashlib.sha256()
    for name, text in texts.items():
        seen.update(f"{name}\0{text}\0".encode())
    return DashboardFiles(seen.hexdigest()[:_DIGEST_CHARACTERS], texts)


def compact(text: str) -> str:
    """Returns a script or a style without indentation, empty lines, and comments that have lines of their own.

    No text in a script may have several lines: the files have none.
    """
    # a text in a script may have other characters that end a line, such as U+2028
    lines = (line.strip() for line in _COMMENT.sub("", text).split("\n"))
    return "\n".join(line for line in lines if line)
